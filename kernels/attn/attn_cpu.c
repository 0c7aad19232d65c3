#include "kernels/cpu/body.h"
#include "kernels/op.h"

#include <inttypes.h>

static bool check_row(const struct attn_args *a, uint32_t t, struct err *e)
{
    if (a->pos[t] < 0 || a->seq[t] < 0)
        return err_set(e, ERR_STATE,
                       "attn: row %" PRIu32 " has position %" PRId32 ", sequence %" PRId32, t,
                       a->pos[t], a->seq[t]);
    uint32_t first_page = attn_first_pos(a, t) / KV_PAGE_TOKENS;
    uint32_t n_pages = (uint32_t)a->pos[t] / KV_PAGE_TOKENS - first_page + 1;
    if (n_pages > a->kv.n_table_pages)
        return err_set(e, ERR_LIMIT,
                       "attn: row %" PRIu32 " sees %" PRIu32 " pages, its table holds %" PRIu32, t,
                       n_pages, a->kv.n_table_pages);
    return true;
}

static bool attn_check(const void *args, struct err *e)
{
    const struct attn_args *a = args;
    if (!a->q || !a->out || !a->pos || !a->seq)
        return err_set(e, ERR_STATE, "attn: q, out, pos or seq is missing");
    if (!kv_view_check(&a->kv, "attn", e))
        return false;
    if (a->head_dim == 0 || a->head_dim % 16 != 0 || a->head_dim > ATTN_MAX_HEAD_DIM)
        return err_set(e, ERR_LIMIT, "attn: head size %" PRIu32 " is not a multiple of 16 up to %d",
                       a->head_dim, ATTN_MAX_HEAD_DIM);
    if (a->n_kv_heads == 0 || a->n_heads == 0 || a->n_heads % a->n_kv_heads != 0)
        return err_set(e, ERR_FORMAT,
                       "attn: %" PRIu32 " heads are not a multiple of %" PRIu32 " kv heads",
                       a->n_heads, a->n_kv_heads);
    for (uint32_t t = 0; t < a->n_rows; t++)
        if (!check_row(a, t, e))
            return false;
    return true;
}

static void attn_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    body_chosen()->attn(args, tid, n_tid);
}

const struct op op_attn = {
    .name = "attn",
    .args_bytes = sizeof(struct attn_args),
    .check = attn_check,
    .ref = attn_ref,
    .cpu = attn_cpu,
};
