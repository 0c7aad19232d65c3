#include "kernels/embed/embed.h"
#include "kernels/op.h"
#include "kernels/quant/dequant.h"

#include <inttypes.h>

static bool embed_check(const void *args, struct err *e)
{
    const struct embed_args *a = args;
    if (!a->w || !a->tok || !a->y)
        return err_set(e, ERR_STATE, "embed: w, tok or y is missing");
    const struct qtype_info *info = qtype_info(a->w_type);
    if (!info || !dequant_supports(a->w_type))
        return err_set(e, ERR_FORMAT, "embed: weights of type %s are not supported",
                       info ? info->name : "(unknown)");
    if (a->d_model == 0 || a->d_model % info->block_elems != 0)
        return err_set(e, ERR_FORMAT, "embed: rows of %" PRIu32 " do not fill blocks of %s",
                       a->d_model, info->name);
    for (uint32_t t = 0; t < a->n_rows; t++)
        if (a->tok[t] < 0 || (uint32_t)a->tok[t] >= a->n_vocab)
            return err_set(e, ERR_LIMIT,
                           "embed: token %" PRId32 " of row %" PRIu32
                           " is outside the vocabulary of %" PRIu32,
                           a->tok[t], t, a->n_vocab);
    return true;
}

/* The reference too: decoding is exact and the scaling one multiplication, so there is one right
 * answer. */
static void embed_rows(const struct embed_args *a, uint64_t begin, uint64_t end)
{
    const uint64_t row_bytes = qtype_row_bytes(a->w_type, a->d_model);
    for (uint64_t t = begin; t < end; t++) {
        float *y = a->y + t * a->d_model;
        const char *row = (const char *)a->w + (uint32_t)a->tok[t] * row_bytes;
        dequant_row(a->w_type, row, y, a->d_model);
        for (uint32_t c = 0; c < a->d_model; c++)
            y[c] *= a->scale;
    }
}

static void embed_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    const struct embed_args *a = args;
    uint64_t begin, end;
    pool_share(a->n_rows, 1, tid, n_tid, &begin, &end);
    embed_rows(a, begin, end);
}

static void embed_ref(const void *args)
{
    const struct embed_args *a = args;
    embed_rows(a, 0, a->n_rows);
}

const struct op op_embed = {
    .name = "embed",
    .args_bytes = sizeof(struct embed_args),
    .check = embed_check,
    .ref = embed_ref,
    .cpu = embed_cpu,
};
