/* file_part: a file that appears under its name only when it is complete: until then its bytes are
 * in PATH.partial-PID beside it, and its writer holds a lock on that. So what a killed writer left
 * is told from one at work, also where process ids are those of another machine or container, and
 * the next writer of PATH removes it. Errors name the file. Flow: file_part_open ->
 * file_part_reserve if the size is known -> file_part_put.. -> file_part_commit ->
 * file_part_close.   Thread: one. Allocates: the two names, at open. */
#ifndef RUNTIME_BASE_FILE_PART_H
#define RUNTIME_BASE_FILE_PART_H

#include "runtime/base/err.h"

#include <stdint.h>

struct file_part {
    char *path, *part_path; /* the final and the temporary name */
    int fd;                 /* of the temporary file, while is_open */
    bool is_open;
};

/* f: zeroed. What is at path already must be a regular file; it stays until the commit replaces it.
 */
bool file_part_open(struct file_part *f, const char *path, struct err *e);

/* A full disk is found now, not after an hour; where a file system cannot reserve, it is found when
 * it happens. */
bool file_part_reserve(struct file_part *f, uint64_t n_bytes, struct err *e);

bool file_part_put(struct file_part *f, const void *bytes, uint64_t n_bytes, struct err *e);

/* Makes the bytes durable, gives them their name, makes that durable too. */
bool file_part_commit(struct file_part *f, struct err *e);

/* Removes what was not committed; zeroed is fine. */
void file_part_close(struct file_part *f);

#endif
