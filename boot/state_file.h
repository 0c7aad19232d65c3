/* state_file: small files, written so that a power cut leaves the old or the new one: a 0600 file
 * under another name, fsync, rename, fsync of the directory.   Thread: start-up and the boot loop;
 * tools. */
#ifndef BOOT_STATE_FILE_H
#define BOOT_STATE_FILE_H

#include "runtime/base/err.h"

#include <stddef.h>

bool state_file_write(const char *path, const void *bytes, size_t n_bytes, struct err *e);

/* Whether a file of that name can be written: its directory is there, and nothing but a file has
 * the name. */
bool state_file_check_place(const char *path, struct err *e);

/* Gives a file its final name; what had that name before is gone. */
bool state_file_move(const char *from, const char *to, struct err *e);

enum state_file { STATE_FILE_READ, STATE_FILE_ABSENT, STATE_FILE_FAILED };

/* At most n_room bytes of the file. */
enum state_file state_file_read(const char *path, void *out, size_t n_room, size_t *n_bytes,
                                struct err *e);

/* A tool run by root beside a service of another user must not lock that service out of its own
 * files: the file goes to the owner of the directory. */
bool state_file_give(int fd, const char *dir, struct err *e);
bool state_file_give_as(int fd, int dir_fd, struct err *e);

#endif
