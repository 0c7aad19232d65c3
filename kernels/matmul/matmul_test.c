/* Every variant this machine runs against the portable bodies, bit for bit, and those against the
 * f64 reference. */
#include "kernels/matmul/matmul_isa.h"

#include "kernels/op.h"
#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"
#include "kernels/quant/qblk_random.h"
#include "runtime/base/pool.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 5 };

#define X(name, id, elems, bytes) QTYPE_##name,
static const enum qtype all_types[] = {QTYPES(X)};
#undef X
enum { N_ALL_TYPES = sizeof all_types / sizeof *all_types };

/* The i-th supported type; false past the last. */
static bool type_at(uint32_t i, enum qtype *out)
{
    for (uint32_t k = 0; k < N_ALL_TYPES; k++) {
        if (!matmul_supports(all_types[k]) || i-- > 0)
            continue;
        *out = all_types[k];
        return true;
    }
    return false;
}

/* One product with room of its own; weights and activations end where their malloc ends, so ASan
 * sees reads beyond. */
struct trial {
    struct matmul_args a;
    void *w, *place, *scratch;
    float *x, *y;
    uint64_t seed;
};

static void *aligned(size_t n_bytes)
{
    void *p = NULL;
    MUST_TRUE(posix_memalign(&p, 64, n_bytes) == 0, "out of memory");
    return p;
}

/* Values over many magnitudes, with blocks of zeros, one-sided maxima and subnormals among them. */
static float extreme_value(uint64_t *seed, uint32_t block)
{
    float x = qblk_random_float(seed);
    switch (block % 7) {
    case 0:
        return 0;
    case 1:
        return x * 0x1p-130f;
    case 2:
        return x * 1e30f;
    case 3:
        return x < 0 ? -1.0f : 1.0f;
    default:
        return x * ldexpf(1, (int)(qblk_random_u64(seed) % 20) - 10);
    }
}

static struct trial trial_new(enum qtype type, uint32_t n_rows, uint32_t n_in, uint32_t n_out)
{
    struct trial r = {.seed = (uint64_t)type * 7919 + n_rows * 31 + n_in + n_out};
    size_t w_bytes = qtype_row_bytes(type, n_in) * n_out;
    r.w = malloc(w_bytes);
    r.x = malloc((size_t)n_rows * n_in * sizeof *r.x);
    r.y = malloc((size_t)n_rows * (n_out + 3) * sizeof *r.y);
    r.place = aligned(actq_bytes(n_rows, n_in));
    r.scratch = aligned(matmul_scratch_bytes(MAX_THREADS));
    qblk_fill_random(type, &r.seed, r.w, (uint64_t)n_out * n_in / qtype_info(type)->block_elems);
    for (uint32_t i = 0; i < n_rows * n_in; i++)
        r.x[i] = qblk_random_float(&r.seed);
    r.a = (struct matmul_args){
        .w = r.w,
        .x = r.x,
        .xq = actq_at(r.place, n_rows, n_in),
        .y = r.y,
        .scratch = r.scratch,
        .scratch_bytes = matmul_scratch_bytes(MAX_THREADS),
        .w_type = type,
        .n_rows = n_rows,
        .n_in = n_in,
        .n_out = n_out,
        .y_stride = n_out + 3,
        .scale = 1,
    };
    return r;
}

static void trial_free(struct trial *r)
{
    free(r->w);
    free(r->x);
    free(r->y);
    free(r->place);
    free(r->scratch);
}

static void run_actq(struct trial *r, const struct matmul_isa *isa, uint32_t n_tid)
{
    struct actq_args args = {.x = r->x, .out = r->a.xq, .n_rows = r->a.n_rows, .n_cols = r->a.n_in};
    for (uint32_t tid = 0; tid < n_tid; tid++)
        actq_run(isa, &args, tid, n_tid);
}

static void run_matmul(struct trial *r, const struct matmul_isa *isa, uint32_t n_tid)
{
    memset(r->y, 0xff, (size_t)r->a.n_rows * r->a.y_stride * sizeof *r->y);
    for (uint32_t tid = 0; tid < n_tid; tid++)
        matmul_run(isa, &r->a, tid, n_tid);
}

/* Squared error over squares of the truth, over all outputs. */
static double nmse(const float *got, const float *want, uint32_t n)
{
    double error = 0, square = 0;
    for (uint32_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        square += (double)want[i] * want[i];
    }
    return error / square;
}

TEST(matmul_portable_is_within_its_error_budget_of_the_reference)
{
    enum qtype type;
    for (uint32_t i = 0; type_at(i, &type); i++) {
        struct trial r = trial_new(type, 3, 2560, 9);
        uint32_t n = 3 * r.a.y_stride;
        float *got = malloc(n * sizeof *got);
        run_actq(&r, &matmul_isa_portable, 1);
        run_matmul(&r, &matmul_isa_portable, 1);
        memcpy(got, r.y, n * sizeof *got);
        memset(r.y, 0xff, n * sizeof *got);
        op_matmul.ref(&r.a);
        for (uint32_t t = 0; t < 3; t++) {
            const float *want = r.y + t * r.a.y_stride;
            CHECK_TRUE(nmse(got + t * r.a.y_stride, want, 9) < MATMUL_MAX_NMSE);
        }
        CHECK_BYTES(got + 9, r.y + 9, 3 * sizeof *got); /* between rows nothing is written */
        got[4] *= 1.001f;
        CHECK_TRUE(nmse(got, r.y, 9) > MATMUL_MAX_NMSE); /* the comparison can fail */
        free(got);
        trial_free(&r);
    }
}

static const struct matmul_isa *usable_isa(uint32_t isa)
{
    return cpu_isa_mask() >> isa & 1 ? matmul_isa_get((enum cpu_isa)isa) : NULL;
}

/* Output bits of one variant and thread count equal the portable ones. */
static void check_same_bits(struct trial *r, const float *want, const struct matmul_isa *isa,
                            uint32_t n_tid)
{
    run_matmul(r, isa, n_tid);
    size_t n_bytes = (size_t)r->a.n_rows * r->a.y_stride * sizeof *r->y;
    if (!CHECK_TRUE(memcmp(r->y, want, n_bytes) == 0))
        printf("type %s T=%u K=%u N=%u threads=%u\n", qtype_info(r->a.w_type)->name, r->a.n_rows,
               r->a.n_in, r->a.n_out, n_tid);
}

static void check_variants(struct trial *r)
{
    size_t n_bytes = (size_t)r->a.n_rows * r->a.y_stride * sizeof *r->y;
    float *want = malloc(n_bytes);
    run_matmul(r, &matmul_isa_portable, 1);
    memcpy(want, r->y, n_bytes);
    check_same_bits(r, want, &matmul_isa_portable, 3);
    for (uint32_t isa = 1; isa < CPU_N_ISAS; isa++) {
        const struct matmul_isa *bodies = usable_isa(isa);
        if (!bodies)
            continue;
        check_same_bits(r, want, bodies, 1);
        check_same_bits(r, want, bodies, MAX_THREADS);
        r->a.scratch = NULL; /* without scratch the few-rows bodies take any number of rows */
        check_same_bits(r, want, bodies, 2);
        r->a.scratch = r->scratch;
    }
    free(want);
}

TEST(matmul_bits_do_not_depend_on_variant_threads_or_path)
{
    static const uint32_t depths[] = {256, 512, 1024 + 256, 5376};
    static const uint32_t counts[] = {1, 2, 3, 5, 8, 16, 17, 31, 40};
    static const uint32_t outs[] = {1, 7, 8, 21};
    enum qtype type;
    for (uint32_t i = 0; type_at(i, &type); i++)
        for (uint32_t j = 0; j < sizeof counts / sizeof *counts; j++) {
            struct trial r = trial_new(type, counts[j], depths[j % 4], outs[(i + j) % 4]);
            run_actq(&r, &matmul_isa_portable, 1);
            check_variants(&r);
            trial_free(&r);
        }
}

TEST(matmul_bits_hold_for_depths_that_are_no_multiple_of_256)
{
    static const uint32_t depths[] = {32, 64, 96, 160, 320, 448, 800, 1088};
    enum qtype type;
    for (uint32_t i = 0; type_at(i, &type); i++)
        for (uint32_t j = 0; j < sizeof depths / sizeof *depths; j++) {
            if (depths[j] % qtype_info(type)->block_elems != 0)
                continue;
            struct trial r = trial_new(type, 1 + j * 3, depths[j], 10);
            run_actq(&r, &matmul_isa_portable, 1);
            check_variants(&r);
            trial_free(&r);
        }
}

TEST(matmul_bits_hold_for_extreme_scales_and_activations)
{
    enum qtype type;
    for (uint32_t i = 0; type_at(i, &type); i++)
        for (uint32_t n_rows = 1; matmul_uses_actq(type) && n_rows < 40; n_rows += 6) {
            struct trial r = trial_new(type, n_rows, 2304, 9);
            qblk_fill_extreme(type, &r.seed, r.w, 9 * 2304 / qtype_info(type)->block_elems);
            for (uint32_t j = 0; j < n_rows * r.a.n_in; j++)
                r.x[j] = extreme_value(&r.seed, j / 32);
            run_actq(&r, &matmul_isa_portable, 1);
            r.a.scale = 0.37f;
            check_variants(&r);
            trial_free(&r);
        }
}

TEST(matmul_runs_every_tensor_encoding_but_those_of_activations_and_integers)
{
    enum qtype type;
    uint32_t n_types = 0;
    while (type_at(n_types, &type))
        n_types++;
    CHECK_EQ(n_types, 26);
    CHECK_TRUE(!matmul_supports(QTYPE_Q8_1) && !matmul_supports(QTYPE_Q8_K));
}

TEST(matmul_row_does_not_depend_on_its_neighbours)
{
    enum qtype type;
    for (uint32_t i = 0; type_at(i, &type); i++) {
        struct trial r = trial_new(type, 23, 768, 13);
        const struct matmul_isa *isa = matmul_isa_get(matmul_init(cpu_isa_mask()));
        run_actq(&r, isa, 1);
        run_matmul(&r, isa, 1);
        float *together = malloc(23 * r.a.y_stride * sizeof *together);
        memcpy(together, r.y, 23 * r.a.y_stride * sizeof *together);
        struct trial alone = trial_new(type, 1, 768, 13);
        memcpy(alone.w, r.w, qtype_row_bytes(type, 768) * 13);
        for (uint32_t t = 0; t < 23; t++) {
            memcpy(alone.x, r.x + t * 768, 768 * sizeof *r.x);
            run_actq(&alone, isa, 1);
            run_matmul(&alone, isa, 1);
            CHECK_TRUE(memcmp(alone.y, together + t * r.a.y_stride, 13 * sizeof(float)) == 0);
        }
        free(together);
        trial_free(&alone);
        trial_free(&r);
    }
}

TEST(actq_bits_do_not_depend_on_variant_or_threads)
{
    for (uint32_t n_in = 32; n_in < 2000; n_in = n_in * 2 + 32) {
        struct trial r = trial_new(QTYPE_Q8_0, 7, n_in, 1);
        for (uint32_t i = 0; i < 7 * n_in; i++)
            r.x[i] = extreme_value(&r.seed, i / 32);
        r.x[0] = INFINITY;
        r.x[n_in + 5] = -NAN;
        size_t n_bytes = actq_bytes(7, n_in);
        char *want = malloc(n_bytes);
        memset(r.place, 0, n_bytes);
        struct actq_args args = {.x = r.x, .out = r.a.xq, .n_rows = 7, .n_cols = n_in};
        op_actq.ref(&args);
        memcpy(want, r.place, n_bytes);
        for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++) {
            if (!usable_isa(isa))
                continue;
            for (uint32_t n_tid = 1; n_tid <= MAX_THREADS; n_tid += 2) {
                memset(r.place, 0, n_bytes);
                run_actq(&r, usable_isa(isa), n_tid);
                CHECK_BYTES(r.place, want, n_bytes);
            }
        }
        free(want);
        trial_free(&r);
    }
}

TEST(actq_codes_are_within_half_a_step_and_use_the_whole_range)
{
    struct trial r = trial_new(QTYPE_Q8_0, 4, 512, 1);
    op_actq.cpu(&(struct actq_args){r.x, r.a.xq, 4, 512}, 0, 1);
    for (uint32_t block = 0; block < 4 * 16; block++) {
        int32_t largest = 0, sum = 0;
        bool is_close = true;
        for (uint32_t i = 32 * block; i < 32 * block + 32; i++) {
            int32_t q = r.a.xq.q[i];
            largest = abs(q) > largest ? abs(q) : largest;
            sum += q;
            is_close &= fabsf((float)q * r.a.xq.d[block] - r.x[i]) <= 0.5001f * r.a.xq.d[block];
        }
        CHECK_EQ(largest, 127);
        CHECK_TRUE(is_close);
        const int32_t *halves = r.a.xq.half_sum + block / 8 * 16 + block % 8;
        CHECK_EQ(halves[0] + halves[8], sum);
        CHECK_TRUE(r.a.xq.q_sum[block] == (float)sum);
    }
    trial_free(&r);
}

TEST(matmul_probe_accepts_the_variants_of_this_machine)
{
    for (uint32_t isa = 0; isa < CPU_N_ISAS; isa++)
        if (usable_isa(isa))
            CHECK_TRUE(matmul_isa_agrees((enum cpu_isa)isa));
    CHECK_TRUE(usable_isa(matmul_init(cpu_isa_mask())) != NULL);
    CHECK_EQ(matmul_init(1), CPU_ISA_PORTABLE);
}

TEST(matmul_check_names_what_is_wrong)
{
    struct trial r = trial_new(QTYPE_Q4_K, 1, 256, 4);
    struct err e = {0};
    CHECK_TRUE(op_matmul.check(&r.a, &e));
    r.a.n_in = 288;
    CHECK_TRUE(!op_matmul.check(&r.a, &e));
    CHECK_TRUE(strstr(e.msg, "288 inputs do not fill blocks of Q4_K") != NULL);
    r.a.n_in = 256;
    r.a.y_stride = 3;
    CHECK_TRUE(!op_matmul.check(&r.a, NULL));
    r.a.y_stride = 4;
    r.a.xq.half_sum = NULL;
    CHECK_TRUE(!op_matmul.check(&r.a, NULL));
    e = (struct err){0};
    r.a.w_type = QTYPE_I32;
    CHECK_TRUE(!op_matmul.check(&r.a, &e));
    CHECK_TRUE(strstr(e.msg, "I32") != NULL);
    trial_free(&r);
}
