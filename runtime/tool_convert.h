/* tool_convert: `hearth convert`, a Hugging Face safetensors directory to a GGUF file. Thread:
 * main, with pool workers. */
#ifndef RUNTIME_TOOL_CONVERT_H
#define RUNTIME_TOOL_CONVERT_H

int tool_convert(int argc, char **argv);

#endif
