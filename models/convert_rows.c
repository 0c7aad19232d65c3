/* convert_rows: rows of a checkpoint's tensor in the encoding of the output. Float rows are copied
 * or rounded to nearest even; NVFP4 changes its order of nibbles, never a value. */
#include "kernels/quant/check_row.h"
#include "kernels/quant/dequant.h"
#include "kernels/quant/encode.h"
#include "kernels/quant/qblk.h"
#include "models/convert_priv.h"

enum { GROUP = CONVERT_NVFP4_GROUP, BLOCK = CONVERT_NVFP4_BLOCK };

uint64_t convert_n_rows(const struct convert_tensor *t)
{
    return t->n_dims == 2 ? t->dims[1] : 1;
}

uint64_t convert_row_elems(const struct convert_tensor *t)
{
    return t->dims[0];
}

uint64_t convert_row_bytes(const struct convert_tensor *t)
{
    return qtype_row_bytes(t->type, t->dims[0]);
}

/* Row of the checkpoint that becomes row r (drafters 3.2): row 2i of a head is its row i, row
 * 2i + 1 its row i + E/2. */
static uint64_t source_row(const struct convert_tensor *t, uint64_t r)
{
    uint64_t n = t->interleave_rows;
    if (n == 0)
        return r;
    uint64_t head = r / n, i = r % n;
    return head * n + i / 2 + (i % 2 ? n / 2 : 0);
}

enum qtype convert_float_type(enum safetensors_dtype dtype)
{
    return dtype == SAFETENSORS_F32 ? QTYPE_F32 : dtype == SAFETENSORS_F16 ? QTYPE_F16 : QTYPE_BF16;
}

static const char *float_row(const struct convert_tensor *t, uint64_t r, float *scratch, void *out)
{
    enum qtype from = convert_float_type(t->source->dtype);
    uint64_t row_bytes = qtype_row_bytes(from, t->dims[0]);
    const unsigned char *row = t->source->bytes + source_row(t, r) * row_bytes;
    const char *why = NULL;
    if (check_row(from, row, t->dims[0], &why) != t->dims[0])
        return why;
    if (from == t->type) {
        memcpy(out, row, row_bytes);
        return NULL;
    }
    dequant_row(from, row, scratch, t->dims[0]);
    return encode_row(t->type, scratch, NULL, out, t->dims[0])
               ? NULL
               : "a value is too large for the type";
}

/* Element k of 16: the checkpoint has neighbours in a byte, GGUF has k and k + 8 (drafters 3.8). */
static unsigned nibble(const unsigned char *codes, unsigned k)
{
    return codes[k / 2] >> (k % 2 ? 4 : 0) & 15;
}

static const char *nvfp4_row(const struct convert_tensor *t, uint64_t r, unsigned char *out)
{
    uint64_t n = t->dims[0], from = source_row(t, r);
    const unsigned char *codes = t->source->bytes + from * (n / 2);
    const unsigned char *scales = t->scales->bytes + from * (n / GROUP);
    for (uint64_t g = 0; g < n / GROUP; g++, codes += GROUP / 2) {
        unsigned char *block = out + g / 4 * NVFP4_BYTES, scale = scales[g];
        if ((scale & 0x7f) == 0x7f)
            return "a block scale is not a number";
        if (scale > 0x80)
            return "a block scale is negative";
        block[g % 4] = scale & 0x7f;
        unsigned char *qs = block + NVFP4_QS_OFF + g % 4 * (GROUP / 2);
        for (unsigned j = 0; j < GROUP / 2; j++)
            qs[j] = (unsigned char)(nibble(codes, j) | nibble(codes, j + 8) << 4);
    }
    return NULL;
}

static void d2t_row(const struct convert_tensor *t, unsigned char *out)
{
    for (uint64_t i = 0; i < t->dims[0]; i++) {
        int64_t id;
        memcpy(&id, t->source->bytes + i * sizeof id, sizeof id);
        id += (int64_t)i; /* both in range: checked when it was planned */
        memcpy(out + i * sizeof id, &id, sizeof id);
    }
}

static void rope_row(const struct convert_tensor *t, unsigned char *out)
{
    for (uint64_t i = 0; i < t->dims[0]; i++) {
        float v = i < t->n_ones ? 1.0f : 1e30f;
        memcpy(out + i * sizeof v, &v, sizeof v);
    }
}

static const char *one_row(const struct convert_tensor *t, uint64_t r, float *scratch,
                           unsigned char *out)
{
    switch (t->how) {
    case CONVERT_FLOATS:
        return float_row(t, r, scratch, out);
    case CONVERT_NVFP4:
        return nvfp4_row(t, r, out);
    case CONVERT_D2T:
        d2t_row(t, out);
        break;
    case CONVERT_VALUE:
        memcpy(out, &t->value, sizeof t->value);
        break;
    case CONVERT_ROPE:
        rope_row(t, out);
        break;
    }
    return NULL;
}

const char *convert_rows(const struct convert_tensor *t, uint64_t i_first, uint64_t n_rows,
                         float *scratch, void *out, uint64_t *i_bad)
{
    uint64_t row_bytes = convert_row_bytes(t);
    for (uint64_t r = 0; r < n_rows; r++) {
        const char *why = one_row(t, i_first + r, scratch, (unsigned char *)out + r * row_bytes);
        if (why) {
            *i_bad = i_first + r;
            return why;
        }
    }
    return NULL;
}
