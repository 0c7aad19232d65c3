/* matmul_isa: what one instruction-set variant of matmul and actq consists of; private to this
 * folder. All work is given as ranges, so that splitting between threads and blocking over rows of
 * x are decided in one place (matmul.c) for all variants. Thread: pool workers. Allocates: never.
 */
#ifndef KERNELS_MATMUL_MATMUL_ISA_H
#define KERNELS_MATMUL_MATMUL_ISA_H

#include "kernels/matmul/matmul.h"
#include "runtime/base/err.h"

enum {
    MATMUL_PANEL_COLS = 16,       /* rows of x side by side in a panel */
    MATMUL_FLOAT_PANEL_COLS = 64, /* most rows of x in one pass of a float panel */
    MATMUL_FLOAT_X_BYTES =
        512 << 10,        /* what the x of such a pass may fill of the second-level cache */
    MATMUL_ROW_GRAIN = 8, /* rows of W that a share is a multiple of */
    MATMUL_SCRATCH_BYTES = 1 << 20, /* per thread */
};

/* Rows n_begin..n_end of W against rows t_begin..t_end of x. */
struct matmul_part {
    uint32_t n_begin, n_end;
    uint32_t t_begin, t_end;
    void *scratch; /* MATMUL_SCRATCH_BYTES, 64-byte aligned, this thread's alone; read by panel
                      bodies only */
};

typedef void matmul_part_fn(const struct matmul_args *a, const struct matmul_part *part);

/* Blocks of 32 counted through all rows of x. */
typedef void actq_part_fn(const struct actq_args *a, uint64_t block_begin, uint64_t block_end);

struct matmul_isa {
    actq_part_fn *actq;
    /* A few rows of x, straight from the file bytes. NULL: matmul_rows_portable. */
    matmul_part_fn *rows[QTYPE_ID_END];
    /* Many rows of x, weights unpacked once for all of them. NULL: `rows` does that too. */
    matmul_part_fn *panel[QTYPE_ID_END];
    /* Rows of x from which the panel body is the faster one. */
    uint32_t panel_min_rows;
    /* Rows of x that fit one panel pass of quantised weights; 0 if K is too deep for the scratch.
     */
    uint32_t (*panel_rows)(enum qtype w_type, uint32_t n_in);
    /* Independent integer dots from registers, for the benchmark: does n_rounds, returns the
     * multiply-adds of one round. */
    uint32_t (*dot_loop)(uint64_t n_rounds, int32_t *sink);
};

extern const struct matmul_isa matmul_isa_portable;
#if defined(__x86_64__)
extern const struct matmul_isa matmul_isa_avx2, matmul_isa_avx512;
#elif defined(__aarch64__)
extern const struct matmul_isa matmul_isa_dotprod, matmul_isa_i8mm;
#endif

/* Parts of those tables that live in matmul_float_*.c. */
actq_part_fn actq_avx2, actq_avx512, actq_dotprod;
matmul_part_fn matmul_float_rows_avx2, matmul_float_rows_avx512, matmul_float_rows_dotprod;
matmul_part_fn matmul_float_panel_avx2, matmul_float_panel_avx512, matmul_float_panel_dotprod;
#define MATMUL_FLOAT_TYPES(fn) [QTYPE_F32] = fn, [QTYPE_F16] = fn, [QTYPE_BF16] = fn

/* NULL if this build has no such variant. */
const struct matmul_isa *matmul_isa_get(enum cpu_isa isa);

/* The portable body of every encoding. */
matmul_part_fn matmul_rows_portable;

/* Store the sums of q over both halves of a block, counted through all rows of x. */
static inline void actq_put_sums(const struct actq_args *a, uint64_t block, int32_t first,
                                 int32_t second)
{
    uint32_t n_row_blocks = a->n_cols / 32, b = (uint32_t)(block % n_row_blocks);
    size_t row = (size_t)(block / n_row_blocks) * actq_half_sum_stride(a->n_cols);
    int32_t *half_sum = a->out.half_sum + row + b / 8 * 16 + b % 8;
    half_sum[0] = first;
    half_sum[8] = second;
    a->out.q_sum[block] = (float)(first + second);
}

void matmul_ref(const void *args);
void actq_ref(const void *args);
bool actq_check(const void *args, struct err *e);

/* Bodies of one variant over thread tid's share: what op->cpu calls with the chosen one, and tests
 * with each. */
void matmul_run(const struct matmul_isa *isa, const struct matmul_args *a, uint32_t tid,
                uint32_t n_tid);
void actq_run(const struct matmul_isa *isa, const struct actq_args *a, uint32_t tid,
              uint32_t n_tid);

#endif
