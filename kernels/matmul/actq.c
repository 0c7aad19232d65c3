#include "kernels/matmul/matmul_isa.h"

#include "runtime/base/num.h"
#include "runtime/base/pool.h"

#include <inttypes.h>

enum {
    ALIGN_BYTES = 64,
    SLACK_BLOCKS = 8, /* kernels read whole steps, so up to 8 blocks past the last */
};

struct layout {
    size_t d_off_bytes, q_sum_off_bytes, half_sum_off_bytes, size_bytes;
};

static size_t align_up(size_t n_bytes)
{
    return (n_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
}

static struct layout layout_of(uint32_t n_rows, uint32_t n_cols)
{
    size_t n_elems = (size_t)n_rows * n_cols;
    size_t n_sums = (size_t)n_rows * actq_half_sum_stride(n_cols);
    struct layout at;
    at.d_off_bytes = align_up(n_elems + 32 * SLACK_BLOCKS);
    size_t per_block_bytes = align_up((n_elems / 32 + SLACK_BLOCKS) * sizeof(float));
    at.q_sum_off_bytes = at.d_off_bytes + per_block_bytes;
    at.half_sum_off_bytes = at.q_sum_off_bytes + per_block_bytes;
    at.size_bytes = at.half_sum_off_bytes + align_up(n_sums * sizeof(int32_t));
    return at;
}

size_t actq_bytes(uint32_t n_rows, uint32_t n_cols)
{
    return layout_of(n_rows, n_cols).size_bytes;
}

struct actq_view actq_at(void *place, uint32_t n_rows, uint32_t n_cols)
{
    struct layout at = layout_of(n_rows, n_cols);
    char *base = place;
    return (struct actq_view){
        .q = (int8_t *)base,
        .d = (float *)(void *)(base + at.d_off_bytes),
        .q_sum = (float *)(void *)(base + at.q_sum_off_bytes),
        .half_sum = (int32_t *)(void *)(base + at.half_sum_off_bytes),
    };
}

bool actq_check(const void *args, struct err *e)
{
    const struct actq_args *a = args;
    if (a->n_cols == 0 || a->n_cols % 32 != 0)
        return err_set(e, ERR_FORMAT, "actq: %" PRIu32 " columns are no multiple of 32", a->n_cols);
    if (!a->x || !a->out.q || !a->out.d || !a->out.q_sum || !a->out.half_sum)
        return err_set(e, ERR_STATE, "actq: x or the view is missing");
    return true;
}

void actq_run(const struct matmul_isa *isa, const struct actq_args *a, uint32_t tid, uint32_t n_tid)
{
    uint64_t n_blocks = (uint64_t)a->n_rows * (a->n_cols / 32), begin, end;
    pool_share(n_blocks, 16, tid, n_tid, &begin, &end);
    isa->actq(a, begin, end);
}
