/* pocket_file: the pocket model (models/pocket/pocket.gguf) inside the binary: the default when no
 * model is named. */
#ifndef MODELS_POCKET_FILE_H
#define MODELS_POCKET_FILE_H

#include <stddef.h>

extern const unsigned char pocket_file[]; /* page-aligned: tensors keep the file's alignment */
extern const unsigned char pocket_file_end[];
size_t pocket_file_bytes(void);

#endif
