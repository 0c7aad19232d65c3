/* tool_inspect: `hearth inspect`, what a GGUF file holds, a deep check of every byte, one tensor as
 * f32. Thread: main. */
#ifndef RUNTIME_TOOL_INSPECT_H
#define RUNTIME_TOOL_INSPECT_H

int tool_inspect(int argc, char **argv);

#endif
