#include "kernels/matmul/matmul_isa.h"

#include "kernels/op.h"
#include "kernels/quant/dequant.h"
#include "runtime/base/num.h"
#include "runtime/base/pool.h"

#include <inttypes.h>

/* The variant in use: written by matmul_init before any op runs, then only read. */
static const struct matmul_isa *active = &matmul_isa_portable;

const struct matmul_isa *matmul_isa_get(enum cpu_isa isa)
{
    switch (isa) {
    case CPU_ISA_PORTABLE:
        return &matmul_isa_portable;
#if defined(__x86_64__)
    case CPU_ISA_AVX2:
        return &matmul_isa_avx2;
    case CPU_ISA_AVX512:
        return &matmul_isa_avx512;
    case CPU_ISA_DOTPROD:
    case CPU_ISA_I8MM:
        return NULL;
#else
    case CPU_ISA_AVX2:
    case CPU_ISA_AVX512:
        return NULL;
    case CPU_ISA_DOTPROD:
        return &matmul_isa_dotprod;
    case CPU_ISA_I8MM:
        return &matmul_isa_i8mm;
#endif
    case CPU_N_ISAS:
        break;
    }
    return NULL;
}

enum cpu_isa matmul_init(uint32_t isa_mask)
{
    uint32_t built_mask = 0;
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        built_mask |= (uint32_t)(matmul_isa_get((enum cpu_isa)isa) != NULL) << isa;
    enum cpu_isa best = cpu_isa_best((isa_mask & built_mask) | 1u << CPU_ISA_PORTABLE);
    active = matmul_isa_get(best);
    return best;
}

bool matmul_supports(enum qtype w_type)
{
    return dequant_supports(w_type);
}

bool matmul_uses_actq(enum qtype w_type)
{
    return w_type != QTYPE_F32 && w_type != QTYPE_F16 && w_type != QTYPE_BF16;
}

size_t matmul_scratch_bytes(uint32_t n_threads)
{
    return (size_t)n_threads * MATMUL_SCRATCH_BYTES;
}

/* Rows of x in one panel pass; 0 if K is too deep for the scratch. */
static uint32_t pass_rows(const struct matmul_isa *isa, const struct matmul_args *a)
{
    if (matmul_uses_actq(a->w_type))
        return isa->panel_rows(a->w_type, a->n_in);
    uint64_t n_near = MATMUL_FLOAT_X_BYTES / (a->n_in * sizeof(float));
    return (uint32_t)num_min(num_max(n_near, MATMUL_PANEL_COLS), MATMUL_FLOAT_PANEL_COLS);
}

void matmul_run(const struct matmul_isa *isa, const struct matmul_args *a, uint32_t tid,
                uint32_t n_tid)
{
    struct matmul_part part = {.t_end = a->n_rows};
    uint64_t begin, end;
    pool_share(a->n_out, MATMUL_ROW_GRAIN, tid, n_tid, &begin, &end);
    part.n_begin = (uint32_t)begin;
    part.n_end = (uint32_t)end;
    if (part.n_begin == part.n_end)
        return;
    matmul_part_fn *rows = isa->rows[a->w_type] ? isa->rows[a->w_type] : matmul_rows_portable;
    matmul_part_fn *panel = isa->panel[a->w_type];
    bool has_scratch = a->scratch && a->scratch_bytes >= matmul_scratch_bytes(n_tid);
    uint32_t n_pass_rows = panel && has_scratch ? pass_rows(isa, a) : 0;
    if (n_pass_rows == 0 || a->n_rows < isa->panel_min_rows) {
        rows(a, &part);
        return;
    }
    part.scratch = (char *)a->scratch + (size_t)tid * MATMUL_SCRATCH_BYTES;
    for (uint32_t t = 0; t < a->n_rows; t = part.t_end) {
        part.t_begin = t;
        part.t_end = (uint32_t)num_min(a->n_rows, (uint64_t)t + n_pass_rows);
        panel(a, &part);
    }
}

static bool matmul_check(const void *args, struct err *e)
{
    const struct matmul_args *a = args;
    if (!matmul_supports(a->w_type)) {
        const struct qtype_info *info = qtype_info(a->w_type);
        return err_set(e, ERR_FORMAT, "matmul: weights of type %s are not supported",
                       info ? info->name : "(unknown)");
    }
    uint32_t block_elems = qtype_info(a->w_type)->block_elems;
    if (a->n_in == 0 || a->n_in % 32 != 0 || a->n_in % block_elems != 0)
        return err_set(e, ERR_FORMAT, "matmul: %" PRIu32 " inputs do not fill blocks of %s",
                       a->n_in, qtype_info(a->w_type)->name);
    if (a->y_stride < a->n_out)
        return err_set(e, ERR_STATE, "matmul: y_stride %" PRIu32 " is less than n_out %" PRIu32,
                       a->y_stride, a->n_out);
    bool has_input = matmul_uses_actq(a->w_type)
                         ? a->xq.q && a->xq.d && a->xq.q_sum && a->xq.half_sum
                         : a->x != NULL;
    if (!a->w || !a->y || !has_input)
        return err_set(e, ERR_STATE, "matmul: w, y or the input is missing");
    if ((uintptr_t)a->scratch % 64 != 0)
        return err_set(e, ERR_STATE, "matmul: scratch is not 64-byte aligned");
    return true;
}

static void matmul_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    matmul_run(active, args, tid, n_tid);
}

static void actq_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    actq_run(active, args, tid, n_tid);
}

const struct op op_matmul = {
    .name = "matmul",
    .args_bytes = sizeof(struct matmul_args),
    .check = matmul_check,
    .ref = matmul_ref,
    .cpu = matmul_cpu,
};

const struct op op_actq = {
    .name = "actq",
    .args_bytes = sizeof(struct actq_args),
    .check = actq_check,
    .ref = actq_ref,
    .cpu = actq_cpu,
};
_Static_assert(sizeof(struct matmul_args) <= OP_MAX_ARGS_BYTES, "args must fit an op call");
