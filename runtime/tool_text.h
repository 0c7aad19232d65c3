/* tool_text: `hearth tokenize` and `hearth render`, the hooks by which others check the tokenizer
 * and the chat format. Thread: main. */
#ifndef RUNTIME_TOOL_TEXT_H
#define RUNTIME_TOOL_TEXT_H

int tool_tokenize(int argc, char **argv);
int tool_render(int argc, char **argv);

#endif
