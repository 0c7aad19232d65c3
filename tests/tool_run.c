#include "tests/tool_run.h"

#include <stdio.h>

int tool_run_words(int (*tool)(int, char **), const char *const *words)
{
    enum { MAX_WORDS = 12, WORD_BYTES = 512 };
    char text[MAX_WORDS][WORD_BYTES], *argv[MAX_WORDS + 1] = {NULL};
    int argc = 0;
    for (; words[argc]; argc++) {
        MUST_TRUE(argc < MAX_WORDS, words[argc]);
        int n = snprintf(text[argc], WORD_BYTES, "%s", words[argc]);
        MUST_TRUE(n < WORD_BYTES, words[argc]);
        argv[argc] = text[argc];
    }
    return tool(argc, argv);
}
