/* dir_file: the small files of a model directory (config.json, tokenizer.json, chat templates) as
 * whole texts or JSON. Names never leave the directory. Errors name the file.   Thread: one.
 * Allocates: the text; JSON through jansson. */
#ifndef MODELS_DIR_FILE_H
#define MODELS_DIR_FILE_H

#include "models/json_text.h"

enum { DIR_FILE_PATH_BYTES = 1024 };

/* Whole files above this are refused: the largest that exists, a tokenizer.json, has 33 MB. */
enum { DIR_FILE_MAX_BYTES = 256 << 20 };

/* A file name without folders: what an index from outside may name. */
bool dir_file_is_plain(struct str name);

/* dir/name; false if that is too long. */
bool dir_file_path(const char *dir, const char *name, char path[DIR_FILE_PATH_BYTES],
                   struct err *e);

bool dir_file_exists(const char *dir, const char *name);

/* The text, owned by the caller (mem_free the pointer), or {NULL, 0}. */
struct str dir_file_read(const char *dir, const char *name, struct err *e);

/* A JSON object, the whole of the file; json_decref it. NULL on failure. */
json_t *dir_file_json(const char *dir, const char *name, struct err *e);

#endif
