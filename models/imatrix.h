/* imatrix: importance matrices: for each weight matrix the mean square of every input column over
 * calibration text, which the encoders weigh their errors by. Reads both file forms, the GGUF one
 * and the older one without a magic; writes the GGUF one. quant-formats 6.
 * Flow: path -> imatrix_open (every count checked against the bytes left, every value finite and
 * not negative) -> imatrix_find by weight name.   Thread: read-only after open, any. Allocates: at
 * open, at most what the file holds; nothing later. */
#ifndef MODELS_IMATRIX_H
#define MODELS_IMATRIX_H

#include "models/gguf.h"

struct imatrix; /* opaque */

struct imatrix_entry {
    struct str name;     /* of the weight: "blk.0.attn_q.weight" */
    const float *values; /* [n_values] mean square per column; matrices of a 3-D weight follow each
                            other */
    uint64_t n_values;
};

/* NULL on failure: *e names the file and the entry. */
struct imatrix *imatrix_open(const char *path, struct err *e);
/* The same over 8-byte aligned memory that outlives the result. */
struct imatrix *imatrix_open_mem(const void *bytes, size_t n_bytes, const char *name,
                                 struct err *e);
void imatrix_close(struct imatrix *m); /* NULL is fine */

/* NULL if the weight has none. */
const struct imatrix_entry *imatrix_find(const struct imatrix *m, struct str weight_name);
uint64_t imatrix_n_entries(const struct imatrix *m);
const struct imatrix_entry *imatrix_entry_at(const struct imatrix *m, uint64_t i); /* file order */
const char *imatrix_name(const struct imatrix *m);   /* path or name, for messages */
struct str imatrix_dataset(const struct imatrix *m); /* the first one named; may be empty */
uint32_t imatrix_n_chunks(const struct imatrix *m);  /* 0 = not known */

/* ---- write ---- */

/* One matrix's sums, as collected. */
struct imatrix_sum {
    struct str name; /* of the weight */
    uint32_t n_in;   /* columns */
    double *sum_sq;  /* [n_in] */
    uint64_t n_rows; /* summed so far */
};

struct imatrix_origin {
    const char *dataset;
    uint32_t n_chunks, chunk_tokens;
};

/* Sums without rows are left out. The file appears under its name only when it is complete. */
bool imatrix_write(const char *path, const struct imatrix_sum *sums, uint32_t n_sums,
                   const struct imatrix_origin *origin, struct err *e);

#endif
