/* Vectors: tests/vectors/encode, 4 rows of 512 values and what the reference quantizer makes of
 * them. */
#include "kernels/quant/encode.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/half.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

TEST(encode_gives_the_bytes_of_the_reference_quantizer)
{
    static const enum qtype types[] = {QTYPE_F16, QTYPE_BF16, QTYPE_Q8_0};
    size_t n_input_bytes;
    float *x = t_read_file("tests/vectors/encode/input.f32.bin", &n_input_bytes);
    CHECK_EQ(n_input_bytes, 4 * 512 * sizeof *x);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char path[64];
        size_t n_bytes;
        uint8_t got[4 * 512 * 4];
        snprintf(path, sizeof path, "tests/vectors/encode/%s.bin", qtype_info(types[i])->name);
        uint8_t *want = t_read_file(path, &n_bytes);
        CHECK_TRUE(encode_row(types[i], x, got, 4 * 512));
        CHECK_EQ(n_bytes, qtype_row_bytes(types[i], 4 * 512));
        CHECK_BYTES(got, want, n_bytes);
        free(want);
    }
    free(x);
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
            CHECK_TRUE(!encode_row(types[i], x, out, 64));
        }
    float large[32] = {[7] = 1e6f}, larger[32] = {[7] = 65504.0f * 128};
    uint8_t out[32 * 4];
    CHECK_TRUE(!encode_row(QTYPE_F16, large, out, 32));
    CHECK_TRUE(encode_row(QTYPE_Q8_0, large, out, 32));
    CHECK_TRUE(!encode_row(QTYPE_Q8_0, larger, out, 32));
}

TEST(encode_q8_0_rounds_halves_away_from_zero)
{
    /* amax 127: d is 1, so these are rounded as they stand */
    const float x[32] = {127,          0.49999997f, 0.5f, 1.4999999f, 1.5f,
                         -0.49999997f, -0.5f,       2.5f, -126.5f,    126.49999f};
    const int8_t want[32] = {127, 0, 1, 1, 2, 0, -1, 3, -127, 126};
    uint8_t out[34];
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, out, 32));
    CHECK_BYTES(out + 2, want, 32);
}

TEST(encode_q8_0_takes_zeros_and_the_smallest_numbers)
{
    float x[32] = {0}, back[32];
    uint8_t out[34];
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, out, 32));
    dequant_row(QTYPE_Q8_0, out, back, 32);
    CHECK_BYTES(back, x, sizeof x);
    x[3] = 0x1p-149f;
    x[4] = -0x1p-140f;
    CHECK_TRUE(encode_row(QTYPE_Q8_0, x, out, 32));
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

/* Relative error of Gaussian weights; quant-formats 4.2 gives .00535 for Q8_0, 1 % away is a
 * bug. */
TEST(encode_q8_0_error_is_that_of_the_format)
{
    enum { N = 64 * 2048 };
    float *x = malloc(N * sizeof *x), *back = malloc(N * sizeof *back);
    uint8_t *out = malloc(qtype_row_bytes(QTYPE_Q8_0, N));
    MUST_TRUE(x && back && out, "no memory");
    uint64_t state = 1;
    for (int i = 0; i < N; i++)
        x[i] = (float)(0.02 * normal(&state));
    MUST_TRUE(encode_row(QTYPE_Q8_0, x, out, N), NULL);
    dequant_row(QTYPE_Q8_0, out, back, N);
    double error = 0, power = 0;
    for (int i = 0; i < N; i++) {
        error += ((double)back[i] - x[i]) * ((double)back[i] - x[i]);
        power += (double)x[i] * x[i];
    }
    CHECK_NEAR(sqrt(error / power), 0.00535, 0.00535 * 0.01);
    free(x);
    free(back);
    free(out);
}
