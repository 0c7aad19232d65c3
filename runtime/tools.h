/* tools: subcommands over files and models. Each takes argv with argv[0] = its name and returns the
 * exit code: 0, 1 with one line on stderr, 2 for usage. */
#ifndef RUNTIME_TOOLS_H
#define RUNTIME_TOOLS_H

int tool_bench(int argc, char **argv);
int tool_chat(int argc, char **argv);
int tool_convert(int argc, char **argv);
int tool_imatrix(int argc, char **argv);
int tool_inspect(int argc, char **argv);
int tool_logits(int argc, char **argv);
int tool_quantize(int argc, char **argv);
int tool_render(int argc, char **argv);
int tool_score(int argc, char **argv);
int tool_synth(int argc, char **argv);
int tool_tokenize(int argc, char **argv);

#endif
