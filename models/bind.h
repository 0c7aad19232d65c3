/* bind: tensor names to struct fields, type and shape verified once, so hot code has no string
 * lookups. */
#ifndef MODELS_BIND_H
#define MODELS_BIND_H

#include "models/gemma4_text.h"

/* Matrix [n_out rows of n_in]; n_out = 0 takes whatever the file has. With its `.scale` companion
 * where the type is NVFP4. Absent: required -> error, else w->bytes = NULL. */
enum bind_need { BIND_REQUIRED, BIND_OPTIONAL };
bool bind_matrix(struct weight *w, const struct gguf *g, const char *name, uint32_t n_in,
                 uint32_t n_out, enum bind_need need, struct err *e);

/* f32 vector of exactly n elements, finite; NULL when optional and absent. */
bool bind_vector(const float **v, const struct gguf *g, const char *name, uint32_t n,
                 enum bind_need need, struct err *e);

#endif
