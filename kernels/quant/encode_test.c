/* Vectors: tests/vectors/encode, 4 rows of 512 values and what the reference quantizer makes of
 * them. */
#include "kernels/quant/encode.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/encode_nvfp4.h"
#include "kernels/quant/half.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_ROWS = 4, ROW_ELEMS = 512 };

static float *read_floats(const char *path, size_t n_floats)
{
    size_t n_bytes;
    float *x = t_read_file(path, &n_bytes);
    MUST_TRUE(n_bytes == n_floats * sizeof *x, path);
    return x;
}

/* Each row in memory of its own size, so that a byte too far is seen. */
static void check_rows(enum qtype type, const struct encode_guide *guide, const char *file)
{
    char path[80];
    size_t n_bytes, row_bytes = qtype_row_bytes(type, ROW_ELEMS);
    float *x = read_floats("tests/vectors/encode/input.f32.bin", (size_t)N_ROWS * ROW_ELEMS);
    snprintf(path, sizeof path, "tests/vectors/encode/%s", file);
    uint8_t *want = t_read_file(path, &n_bytes), *got = malloc(row_bytes);
    MUST_TRUE(got && n_bytes == N_ROWS * row_bytes, file);
    for (int r = 0; r < N_ROWS; r++) {
        memset(got, 0xa5, row_bytes);
        CHECK_TRUE(encode_row(type, x + r * ROW_ELEMS, guide, got, ROW_ELEMS));
        if (!CHECK_BYTES(got, want + (size_t)r * row_bytes, row_bytes))
            printf("%s, row %d\n", file, r);
    }
    free(got);
    free(want);
    free(x);
}

TEST(encode_gives_the_bytes_of_the_reference_quantizer)
{
    static const enum qtype types[] = {QTYPE_F16,    QTYPE_BF16,   QTYPE_Q4_0,  QTYPE_Q4_1,
                                       QTYPE_Q5_0,   QTYPE_Q5_1,   QTYPE_Q8_0,  QTYPE_Q2_K,
                                       QTYPE_Q3_K,   QTYPE_Q4_K,   QTYPE_Q5_K,  QTYPE_Q6_K,
                                       QTYPE_IQ4_NL, QTYPE_IQ4_XS, QTYPE_MXFP4, QTYPE_NVFP4};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s.bin", qtype_info(types[i])->name);
        check_rows(types[i], NULL, file);
    }
}

TEST(encode_gives_the_bytes_of_the_reference_quantizer_with_importance)
{
    static const enum qtype types[] = {QTYPE_Q4_0, QTYPE_Q5_0,   QTYPE_Q2_K,
                                       QTYPE_Q3_K, QTYPE_Q4_K,   QTYPE_Q5_K,
                                       QTYPE_Q6_K, QTYPE_IQ4_NL, QTYPE_IQ4_XS};
    float *importance = read_floats("tests/vectors/encode/imatrix.f32.bin", ROW_ELEMS);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s_imatrix.bin", qtype_info(types[i])->name);
        check_rows(types[i], &(struct encode_guide){.importance = importance}, file);
    }
    /* no search, so nothing to guide */
    check_rows(QTYPE_Q8_0, &(struct encode_guide){.importance = importance}, "Q8_0.bin");
    check_rows(QTYPE_BF16, &(struct encode_guide){.importance = importance}, "BF16.bin");
    check_rows(QTYPE_MXFP4, &(struct encode_guide){.importance = importance}, "MXFP4.bin");
    free(importance);
}

TEST(encode_nvfp4_gives_the_reference_bytes_with_a_tensor_scale)
{
    static const struct {
        uint32_t n_candidates;
        bool is_guided;
        const char *path;
    } cases[] = {{1, false, "tests/vectors/encode/nvfp4_2l_rne.bin"},
                 {5, false, "tests/vectors/encode/nvfp4_2l_search5.bin"},
                 {13, false, "tests/vectors/encode/nvfp4_2l_search13.bin"},
                 {13, true, "tests/vectors/encode/nvfp4_2l_search13_imatrix.bin"}};
    enum { ROW_BYTES = ROW_ELEMS / 64 * 36 };
    float *importance = read_floats("tests/vectors/encode/imatrix.f32.bin", ROW_ELEMS);
    float *x = read_floats("tests/vectors/encode/input.f32.bin", (size_t)N_ROWS * ROW_ELEMS);
    float abs_max = encode_abs_max(x, (uint64_t)N_ROWS * ROW_ELEMS);
    CHECK_EQ(half_bits32(encode_nvfp4_tensor_scale(abs_max)), 0x3a3a90e9);
    CHECK_NEAR(encode_nvfp4_tensor_scale(0), 1, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct encode_guide guide = {cases[i].is_guided ? importance : NULL,
                                     encode_nvfp4_tensor_scale(abs_max)};
        size_t n_bytes;
        uint8_t *want = t_read_file(cases[i].path, &n_bytes), got[ROW_BYTES];
        MUST_TRUE(n_bytes == N_ROWS * ROW_BYTES, cases[i].path);
        for (int r = 0; r < N_ROWS; r++) {
            CHECK_TRUE(encode_nvfp4_search(x + r * ROW_ELEMS, &guide, cases[i].n_candidates, got,
                                           ROW_ELEMS));
            CHECK_BYTES(got, want + (size_t)r * ROW_BYTES, ROW_BYTES);
            if (cases[i].n_candidates == 13) {
                CHECK_TRUE(encode_row(QTYPE_NVFP4, x + r * ROW_ELEMS, &guide, got, ROW_ELEMS));
                CHECK_BYTES(got, want + (size_t)r * ROW_BYTES, ROW_BYTES);
            }
        }
        free(want);
    }
    free(importance);
    free(x);
}

/* Values that push scales to their ends: the encoders must stay within their integers (the
 * sanitizers watch) and, where they accept, decode to something finite. */
TEST(encode_takes_any_finite_values)
{
    static const float patterns[][4] = {{0, 0, 0, 0},
                                        {1e-40f, -1e-42f, 0x1p-149f, 0},
                                        {1e-15f, -1e-14f, 1e-16f, 1e-15f},
                                        {3e38f, -3e38f, 1, 1e-38f},
                                        {65504, -65504, 65504, 65504},
                                        {-1, -1, -1, -1},
                                        {1, 1, 1, 1},
                                        {1e-6f, 1e6f, -1e-6f, -3e5f}};
    static const struct encode_guide guides[] = {{NULL, 0}, {NULL, 1e-30f}, {NULL, 1e30f}};
    float x[256], back[256], no_importance[256] = {0};
    uint8_t out[1024];
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        for (size_t k = 0; qtype_info(id) && encode_supports((enum qtype)id) &&
                           k < sizeof patterns / sizeof *patterns;
             k++) {
            for (int i = 0; i < 256; i++)
                x[i] = patterns[k][i * 7 / 4 % 4] * (i % 32 == 5 ? -1.0f : 1.0f);
            for (size_t g = 0; g < sizeof guides / sizeof *guides; g++)
                if (encode_row((enum qtype)id, x, &guides[g], out, 256) &&
                    dequant_supports((enum qtype)id)) {
                    dequant_row((enum qtype)id, out, back, 256);
                    float worst = encode_abs_max(back, 256);
                    CHECK_TRUE(worst <= 3.4e38f);
                }
            struct encode_guide zeros = {no_importance, 0};
            (void)encode_row((enum qtype)id, x, &zeros, out, 256);
        }
}

TEST(encode_f16_returns_every_half_to_itself_and_rounds_to_even_between_them)
{
    uint32_t n_wrong = 0;
    for (uint32_t h = 0; h < 0x7c00; h++) {
        float low = half_from_f16((uint16_t)h), high = half_from_f16((uint16_t)(h + 1));
        uint32_t even = h & 1 ? h + 1 : h;
        n_wrong += encode_f16(low) != h || encode_f16(-low) != (h | 0x8000);
        if (h + 1 < 0x7c00) {
            float middle = (low + high) / 2; /* exact in f32 */
            n_wrong += encode_f16(middle) != even;
            n_wrong += encode_f16(nextafterf(middle, 0)) != h ||
                       encode_f16(nextafterf(middle, 1e9f)) != h + 1;
        }
    }
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(encode_f16(65519.996f), 0x7bff);
    CHECK_EQ(encode_f16(65520.0f), 0x7c00);
    CHECK_EQ(encode_f16(-INFINITY), 0xfc00);
    CHECK_TRUE((encode_f16(NAN) & 0x7fff) > 0x7c00);
    CHECK_TRUE((encode_bf16(NAN) & 0x7fff) > 0x7f80);
}

TEST(encode_refuses_values_without_an_encoding)
{
    static const enum qtype types[] = {QTYPE_F32, QTYPE_F16, QTYPE_BF16, QTYPE_Q8_0};
    static const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            float x[64] = {[40] = bad[k]};
            uint8_t out[64 * 4];
            CHECK_TRUE(!encode_row(types[i], x, NULL, out, 64));
        }
    float large[32] = {[7] = 1e6f}, larger[32] = {[7] = 65504.0f * 128};
    uint8_t out[32 * 4];
    CHECK_TRUE(!encode_row(QTYPE_F16, large, NULL, out, 32));
    CHECK_TRUE(encode_row(QTYPE_Q8_0, large, NULL, out, 32));
    CHECK_TRUE(!encode_row(QTYPE_Q8_0, larger, NULL, out, 32));
}

TEST(encode_q8_0_rounds_halves_away_from_zero)
{
    /* amax 127: d is 1, so these are rounded as they stand */
    const float x[32] = {127,          0.49999997f, 0.5f, 1.4999999f, 1.5f,
                         -0.49999997f, -0.5f,       2.5f, -126.5f,    126.49999f};
    const int8_t want[32] = {127, 0, 1, 1, 2, 0, -1, 3, -127, 126};
    uint8_t out[34];
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, NULL, out, 32));
    CHECK_BYTES(out + 2, want, 32);
}

TEST(encode_q8_0_takes_zeros_and_the_smallest_numbers)
{
    float x[32] = {0}, back[32];
    uint8_t out[34];
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, NULL, out, 32));
    dequant_row(QTYPE_Q8_0, out, back, 32);
    CHECK_BYTES(back, x, sizeof x);
    x[3] = 0x1p-149f;
    x[4] = -0x1p-140f;
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, NULL, out, 32));
    dequant_row(QTYPE_Q8_0, out, back, 32);
    for (int i = 0; i < 32; i++)
        CHECK_NEAR(back[i], 0, 0);
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(*state >> 11) + 0.5) / 0x1p53;
}

/* Box and Muller 1958. */
static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

/* Relative error of Gaussian weights under encodings this build decodes. */
static double relative_error(enum qtype type, const struct encode_guide *guide)
{
    enum { ROWS = 64, COLS = 2048, N = ROWS * COLS };
    float *x = malloc(N * sizeof *x), *back = malloc(N * sizeof *back);
    uint8_t *out = malloc(qtype_row_bytes(type, COLS));
    MUST_TRUE(x && back && out, "no memory");
    uint64_t state = 1;
    for (int i = 0; i < N; i++)
        x[i] = (float)(0.02 * normal(&state));
    struct encode_guide scaled = *guide;
    if (scaled.tensor_scale < 0)
        scaled.tensor_scale = encode_nvfp4_tensor_scale(encode_abs_max(x, N));
    double error = 0, power = 0;
    for (int r = 0; r < ROWS; r++) {
        MUST_TRUE(encode_row(type, x + r * COLS, &scaled, out, COLS), NULL);
        dequant_row(type, out, back, COLS);
        for (int i = 0; i < COLS; i++) {
            float value = back[i] * (scaled.tensor_scale > 0 ? scaled.tensor_scale : 1);
            double diff = (double)value - x[r * COLS + i];
            error += diff * diff;
            power += (double)x[r * COLS + i] * x[r * COLS + i];
        }
    }
    free(x);
    free(back);
    free(out);
    return sqrt(error / power);
}

/* quant-formats 4.2; an encoder more than 1 % away has a bug. */
TEST(encode_errors_are_those_of_the_formats)
{
    static const struct {
        enum qtype type;
        double plain, guided; /* guided: under a constant importance; 0: not established */
    } cases[] = {
        {QTYPE_Q8_0, .00535, .00535}, {QTYPE_Q6_K, .0177, .0173},   {QTYPE_Q5_K, .0361, .0354},
        {QTYPE_Q5_1, .0379, 0},       {QTYPE_Q5_0, .0427, 0},       {QTYPE_Q4_K, .0714, .0708},
        {QTYPE_IQ4_NL, .0761, 0},     {QTYPE_IQ4_XS, .0767, .0756}, {QTYPE_Q4_1, .0782, 0},
        {QTYPE_Q4_0, .0859, .0816},   {QTYPE_NVFP4, .1032, 0},      {QTYPE_MXFP4, .1140, 0},
        {QTYPE_Q3_K, .1511, .1446},   {QTYPE_Q2_K, .2967, .2685}};
    float ones[2048];
    for (int i = 0; i < 2048; i++)
        ones[i] = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!dequant_supports(cases[i].type))
            continue;
        double got = relative_error(cases[i].type, &(struct encode_guide){NULL, 0});
        if (!CHECK_NEAR(got, cases[i].plain, cases[i].plain * 0.01))
            printf("%s\n", qtype_info(cases[i].type)->name);
        got = cases[i].guided > 0 ? relative_error(cases[i].type, &(struct encode_guide){ones, 0})
                                  : 0;
        CHECK_NEAR(got, cases[i].guided, cases[i].guided * 0.01);
    }
    CHECK_NEAR(relative_error(QTYPE_NVFP4, &(struct encode_guide){NULL, -1}), .0816, .0816 * 0.01);
}
