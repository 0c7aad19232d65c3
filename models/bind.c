#include "models/bind.h"

#include "kernels/matmul/matmul.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool shape_is(const struct gguf_tensor *t, uint64_t d0, uint64_t d1)
{
    return t->dims[0] == d0 && (d1 == 0 || t->dims[1] == d1) && t->dims[2] == 1 && t->dims[3] == 1;
}

/* NVFP4's second-level scale sits beside the weight: NAME.weight -> NAME.scale (quant-formats 4.3).
 */
static bool bind_scale(float *scale, const struct gguf *g, const char *name, struct err *e)
{
    char scale_name[96];
    size_t n = strlen(name);
    if (n < 7 || strcmp(name + n - 7, ".weight") != 0 ||
        n - 7 + sizeof ".scale" > sizeof scale_name)
        return true;
    snprintf(scale_name, sizeof scale_name, "%.*s.scale", (int)(n - 7), name);
    const float *v;
    if (!bind_vector(&v, g, scale_name, 1, BIND_OPTIONAL, e))
        return false;
    if (v)
        memcpy(scale, v, sizeof *scale);
    return true;
}

bool bind_matrix(struct weight *w, const struct gguf *g, const char *name, uint32_t n_in,
                 uint32_t n_out, enum bind_need need, struct err *e)
{
    memset(w, 0, sizeof *w);
    const struct gguf_tensor *t = gguf_tensor(g, name);
    if (!t) {
        if (need == BIND_OPTIONAL)
            return true;
        return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is missing", gguf_name(g), name);
    }
    if (!shape_is(t, n_in, n_out))
        return err_set(e, ERR_FORMAT,
                       "%s: tensor \"%s\" has shape [%" PRIu64 ", %" PRIu64 "], expected [%u, %u]",
                       gguf_name(g), name, t->dims[0], t->dims[1], n_in, n_out);
    if (t->dims[1] > UINT32_MAX / 2)
        return err_set(e, ERR_LIMIT, "%s: tensor \"%s\" has too many rows", gguf_name(g), name);
    if (!matmul_supports(t->type))
        return err_set(e, ERR_FORMAT,
                       "%s: tensor \"%s\" is encoded as %s, which this version cannot run",
                       gguf_name(g), name, qtype_info(t->type)->name);
    *w = (struct weight){t->bytes, t->type, n_in, (uint32_t)t->dims[1], 1.0f};
    return t->type != QTYPE_NVFP4 || bind_scale(&w->scale, g, name, e);
}

bool bind_vector(const float **v, const struct gguf *g, const char *name, uint32_t n,
                 enum bind_need need, struct err *e)
{
    *v = NULL;
    const struct gguf_tensor *t = gguf_tensor(g, name);
    if (!t) {
        if (need == BIND_OPTIONAL)
            return true;
        return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" is missing", gguf_name(g), name);
    }
    if (t->type != QTYPE_F32 || !shape_is(t, n, 1))
        return err_set(e, ERR_FORMAT,
                       "%s: tensor \"%s\" must be F32 of %u elements, is %s of [%" PRIu64
                       ", %" PRIu64 "]",
                       gguf_name(g), name, n, qtype_info(t->type)->name, t->dims[0], t->dims[1]);
    const void *bytes = t->bytes; /* 8-byte aligned by the container's rules */
    const float *f = bytes;
    for (uint32_t i = 0; i < n; i++)
        if (!isfinite(f[i]))
            return err_set(e, ERR_FORMAT, "%s: tensor \"%s\" element %u is not finite",
                           gguf_name(g), name, i);
    *v = f;
    return true;
}
