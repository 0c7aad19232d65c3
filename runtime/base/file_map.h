/* file_map: a regular file mapped to be read, private and whole. Someone else may write to the file
 * meanwhile: what was checked once can change under a reader. Errors name the file.
 * Thread: any.   Allocates: never; address space only. */
#ifndef RUNTIME_BASE_FILE_MAP_H
#define RUNTIME_BASE_FILE_MAP_H

#include "runtime/base/err.h"

#include <stdint.h>

struct file_map {
    const unsigned char *bytes; /* [n_bytes], page-aligned; lent until file_map_close */
    uint64_t n_bytes;           /* at least 1 */
};

/* Refuses empty files and what is no regular file. On failure m is zeroed. */
bool file_map_open(struct file_map *m, const char *path, struct err *e);
void file_map_close(struct file_map *m); /* zeroed is fine */

#endif
