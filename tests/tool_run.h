/* tool_run: a subcommand called from a test with words that need not be writable. */
#ifndef TESTS_TOOL_RUN_H
#define TESTS_TOOL_RUN_H

#include "tests/t.h"

/* words: its name and arguments, up to a NULL, each below 512 bytes; its exit code. */
int tool_run_words(int (*tool)(int, char **), const char *const *words);

#define TOOL_RUN(tool, ...) tool_run_words(tool, (const char *const[]){__VA_ARGS__, NULL})

#endif
