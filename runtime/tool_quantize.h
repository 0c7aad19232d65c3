/* tool_quantize: `hearth quantize`, a GGUF file of float weights to another encoding. Thread: main,
 * with pool workers. */
#ifndef RUNTIME_TOOL_QUANTIZE_H
#define RUNTIME_TOOL_QUANTIZE_H

int tool_quantize(int argc, char **argv);

#endif
