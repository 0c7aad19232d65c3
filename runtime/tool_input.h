/* tool_input: what several subcommands read the same way: whole files, lists of token ids.
 * Thread: main.   Allocates: results; the caller frees them. */
#ifndef RUNTIME_TOOL_INPUT_H
#define RUNTIME_TOOL_INPUT_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

/* The whole of a file or pipe; free() it. NULL with *e. */
char *tool_read_file(const char *path, size_t *n_bytes, struct err *e);

/* Token ids, decimal, separated by commas or white space, each below 2^31; free() them. NULL with
 * *e: a word that is no id (it is named), or no id at all. */
int32_t *tool_ids_parse(struct str text, uint32_t *n_ids, struct err *e);

/* The same of the text in a file. */
int32_t *tool_ids_read(const char *path, uint32_t *n_ids, struct err *e);

#endif
