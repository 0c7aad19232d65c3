/* requant: a model file encoded anew under a mix, streamed: memory is the metadata, one piece of
 * output and a row per thread. Rows are independent, so the bytes do not depend on the threads.
 * NVFP4 weights of a layer get their second level, the tensor scale, as a companion NAME.scale;
 * such a scale in the source is multiplied in where the weight becomes something else
 * (quant-formats 4.3).   Thread: one, plus its workers. Allocates: at start; freed before return.
 */
#ifndef RUNTIME_REQUANT_H
#define RUNTIME_REQUANT_H

#include "models/imatrix.h"
#include "models/quant_mix.h"

struct requant_config {
    const struct quant_mix *mix;
    const struct imatrix *imatrix; /* or NULL */
    uint32_t n_threads;            /* 0 = one per CPU */
};

struct requant_told {
    uint64_t n_tensors, n_encoded;
    uint64_t n_guided; /* of those encoded: by the importance matrix */
    uint64_t n_lossy;  /* of those encoded: from one quantized encoding to another */
    uint64_t in_bytes, out_bytes;
};

/* out appears under its name only when it is complete. */
bool requant_file(const char *in, const char *out, const struct requant_config *cfg,
                  struct requant_told *told, struct err *e);

#endif
