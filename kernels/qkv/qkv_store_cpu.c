#include "kernels/cpu/body.h"
#include "kernels/op.h"

#include <inttypes.h>

static bool qkv_store_check(const void *args, struct err *e)
{
    const struct qkv_store_args *a = args;
    if (!a->q || !a->k || !a->v || !a->q_norm || !a->k_norm || !a->inv_freq || !a->pos || !a->seq)
        return err_set(e, ERR_STATE, "qkv_store: an input is missing");
    if (!kv_view_check(&a->kv, "qkv_store", e))
        return false;
    if (a->head_dim == 0 || a->head_dim % 16 != 0 || a->head_dim > QKV_MAX_HEAD_DIM)
        return err_set(e, ERR_LIMIT,
                       "qkv_store: head size %" PRIu32 " is not a multiple of 16 up to %d",
                       a->head_dim, QKV_MAX_HEAD_DIM);
    for (uint32_t t = 0; t < a->n_rows; t++)
        if (a->pos[t] < 0 || a->seq[t] < 0)
            return err_set(e, ERR_STATE,
                           "qkv_store: row %" PRIu32 " has position %" PRId32 ", sequence %" PRId32,
                           t, a->pos[t], a->seq[t]);
    return true;
}

static void qkv_store_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    body_chosen()->qkv_store(args, tid, n_tid);
}

const struct op op_qkv_store = {
    .name = "qkv_store",
    .args_bytes = sizeof(struct qkv_store_args),
    .check = qkv_store_check,
    .ref = qkv_store_ref,
    .cpu = qkv_store_cpu,
};
