/* convert: a Hugging Face model directory as the contents of a GGUF file: Gemma 4 text models and
 * their DFlash, EAGLE-3 and MTP drafters; float weights, and NVFP4 of ModelOpt and
 * compressed-tensors. Flow: directory -> convert_open (configuration, tokenizer and every tensor's
 * name, type and shape checked: all that can be known without reading weights) -> convert_declare
 * -> convert_rows per tensor and run of rows.   Thread: convert_rows any; the rest one. Allocates:
 * at open; the tokenizer is the largest part. Invariant: each tensor of the directory is used, or
 * is named in a list of what may be left out (pictures, sound, cache scales); anything else is
 * refused by name. Spec: gemma4-text.md 2, gemma4-chat.md 1, drafters.md 2.2, 3.2, 3.7, 3.8, 4.2,
 * quant-formats 4.3. */
#ifndef MODELS_CONVERT_H
#define MODELS_CONVERT_H

#include "models/gguf_write.h"

enum convert_float { /* what float matrices become */
                     CONVERT_AS_STORED,
                     CONVERT_TO_F32,
                     CONVERT_TO_F16,
                     CONVERT_TO_BF16,
};

struct convert_want {
    enum convert_float matrices;
    const char *tokenizer_dir; /* where tokenizer.json is; NULL: in the model's directory */
};

struct convert;        /* opaque */
struct convert_tensor; /* opaque: one tensor of the output */

/* dir and want->tokenizer_dir are borrowed until convert_close. */
struct convert *convert_open(const char *dir, const struct convert_want *want, struct err *e);
void convert_close(struct convert *c); /* NULL is fine */

const char *convert_arch_name(const struct convert *c); /* general.architecture */
bool convert_has_tokenizer(const struct convert *c);
uint64_t convert_source_bytes(const struct convert *c);
/* Tensors of the directory that the output leaves out. */
uint32_t convert_n_left_out(const struct convert *c);

/* All keys and all tensors, in the order of convert_at. */
bool convert_declare(const struct convert *c, struct gguf_writer *w, struct err *e);

uint32_t convert_n_tensors(const struct convert *c);
const struct convert_tensor *convert_at(const struct convert *c, uint32_t i);
uint64_t convert_n_rows(const struct convert_tensor *t);
uint64_t convert_row_bytes(const struct convert_tensor *t);
uint64_t convert_row_elems(const struct convert_tensor *t);

/* Rows [i_first, i_first + n_rows) into out. scratch: convert_row_elems floats. NULL if all is
 * well, else what is wrong with row *i_bad. */
const char *convert_rows(const struct convert_tensor *t, uint64_t i_first, uint64_t n_rows,
                         float *scratch, void *out, uint64_t *i_bad);

/* One line for a bad row: file, tensor, row, reason. Always false. */
bool convert_bad_row(const struct convert *c, const struct convert_tensor *t, uint64_t i_row,
                     const char *why, struct err *e);

/* All rows of t have been read. */
void convert_done(const struct convert *c, const struct convert_tensor *t);

#endif
