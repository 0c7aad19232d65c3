#include "kernels/op.h"
#include "kernels/glu/glu.h"
#include "kernels/op_part.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "tests/t.h"

#include <string.h>

static struct op_call make_glu(const float *gate, const float *up, float *y, uint32_t n)
{
    struct op_call call = {.op = &op_glu};
    struct glu_args a = {gate, up, y, 1, n};
    memcpy(call.args, &a, sizeof a);
    return call;
}

TEST(op_every_op_is_complete_and_fits_a_call)
{
#define X(name) &op_##name,
    static const struct op *const ops[] = {OPS(X)};
#undef X
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        CHECK_TRUE(ops[i]->name && ops[i]->check && ops[i]->ref && ops[i]->cpu);
        CHECK_TRUE(ops[i]->args_bytes > 0 && ops[i]->args_bytes <= OP_MAX_ARGS_BYTES);
    }
}

TEST(op_run_feeds_one_call_into_the_next_on_every_backend)
{
    float x[40], mid[40], y[40];
    for (int i = 0; i < 40; i++)
        x[i] = (float)i * 0.1f - 2;
    struct op_call calls[2] = {make_glu(x, x, mid, 40), make_glu(mid, mid, y, 40)};
    struct err e = {0};
    op_init(NULL, 0);
    struct pool *pool = pool_open(2, &e);
    MUST_TRUE(pool, e.msg);
    memset(y, 0, sizeof y);
    CHECK_TRUE(op_run(OP_BACKEND_NULL, pool, calls, 2, &e));
    CHECK_TRUE(y[39] == 0);
    CHECK_TRUE(op_run(OP_BACKEND_REF, NULL, calls, 2, &e));
    float want = y[39];
    CHECK_TRUE(want > 9 && want < 14);
    CHECK_TRUE(op_run(OP_BACKEND_CPU, pool, calls, 2, &e));
    CHECK_NEAR(y[39], want, 1e-5);
    CHECK_TRUE(op_run(OP_BACKEND_CPU, NULL, calls, 2, &e));
    pool_close(pool);
}

struct watched {
    const struct op_call *calls;
    uint32_t n_seen, n_wrong;
};

/* The inputs of a call are there, its output is not. */
static void look(void *arg, const struct op_call *call)
{
    struct watched *w = arg;
    const struct glu_args *args = (const struct glu_args *)(const void *)call->args;
    w->n_wrong += call != &w->calls[w->n_seen] || args->gate[39] == 0 || args->y[39] != 0;
    w->n_seen++;
}

TEST(op_run_watched_tells_of_each_call_before_it_runs)
{
    float x[40], mid[40] = {0}, y[40] = {0};
    for (int i = 0; i < 40; i++)
        x[i] = (float)i * 0.1f - 2;
    struct op_call calls[2] = {make_glu(x, x, mid, 40), make_glu(mid, mid, y, 40)};
    struct watched w = {.calls = calls};
    const struct op_watch watch = {look, &w};
    struct err e = {0};
    CHECK_TRUE(op_run_watched(OP_BACKEND_CPU, NULL, calls, 2, &watch, &e));
    CHECK_EQ(w.n_seen, 2);
    CHECK_EQ(w.n_wrong, 0);
    CHECK_TRUE(y[39] > 9);
}

TEST(op_run_stops_at_the_first_refused_call_and_names_it)
{
    float x[4] = {1, 2, 3, 4}, y[4] = {0};
    struct op_call calls[2] = {make_glu(x, NULL, y, 4), make_glu(x, x, y, 4)};
    struct err e = {0};
    CHECK_TRUE(!op_run(OP_BACKEND_CPU, NULL, calls, 2, &e));
    CHECK_STR(e.msg, "op 0 of 2: glu: gate, up or y is missing");
    CHECK_TRUE(y[0] == 0);
}

static enum cpu_isa fake_init(uint32_t isa_mask)
{
    return cpu_isa_best(isa_mask);
}

static bool only_avx2_agrees(enum cpu_isa isa)
{
    return isa == CPU_ISA_AVX2;
}

static bool none_agrees(enum cpu_isa isa)
{
    (void)isa;
    return false;
}

TEST(op_variant_that_lies_is_named_and_the_next_best_used)
{
    const uint32_t mask = 1u << CPU_ISA_PORTABLE | 1u << CPU_ISA_AVX2 | 1u << CPU_ISA_AVX512;
    char report[200] = "";
    struct op_part part = {"matmul", only_avx2_agrees, fake_init};
    CHECK_EQ(op_part_choose(&part, mask, report, sizeof report), CPU_ISA_AVX2);
    CHECK_STR(report, "matmul: the avx512vnni variant disagrees with plain C and is switched off");
    part.agrees = none_agrees;
    CHECK_EQ(op_part_choose(&part, mask, report, sizeof report), CPU_ISA_PORTABLE);
    char small[10] = "";
    CHECK_EQ(op_part_choose(&part, mask, small, sizeof small), CPU_ISA_PORTABLE);
    CHECK_STR(small, "matmul: t");
}

TEST(op_init_reports_nothing_when_all_variants_agree)
{
    char report[200] = "x";
    op_init(report, sizeof report);
    CHECK_STR(report, "");
    CHECK_TRUE(strlen(op_isa()) > 0);
}
