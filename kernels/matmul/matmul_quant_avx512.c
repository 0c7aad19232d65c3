/* Quantised weights on AVX-512 VNNI. Two bodies, each instantiated per encoding:
 *   rows:  up to 4 rows of x, lane = block % 8; weights straight from the file bytes; bound by
 * memory. panel: lane = row of x, 16 side by side; 8 rows of W unpacked once for all of them; bound
 * by vpdpbusd. Weights are unsigned with an offset, corrected exactly by offset * sum(q). */
#include "kernels/matmul/matmul_isa.h"

#if defined(__x86_64__)

#include "kernels/matmul/qblk_avx512.h"
#include "runtime/base/num.h"

#define INLINE static inline __attribute__((always_inline))

typedef void step_fn(const uint8_t *p, struct step512 *s);

/* A constant at every use: the bodies are inlined with it. */
struct encoding {
    step_fn *step;
    enum qblk_form form;
    uint32_t step_bytes;
    int offset_log2; /* weights are offset by 1 << offset_log2; -1: not at all */
};

/* -- rows
 * -------------------------------------------------------------------------------------------- */

enum { MAX_ROWS_COLS = 4, MAX_STEP_BYTES = 272 };

/* Sums of 16 products, in the order of actq_view.sum: first halves of blocks 0..7, then second
 * halves. */
INLINE __m512i half_dots(const struct step512 *s, const int8_t *q)
{
    __m512i dot[4];
    for (int i = 0; i < 4; i++)
        dot[i] =
            _mm512_dpbusd_epi32(_mm512_setzero_si512(), s->w[i], _mm512_loadu_si512(q + 64 * i));
    __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(dot[0], dot[1]),
                                 _mm512_unpackhi_epi32(dot[0], dot[1]));
    __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(dot[2], dot[3]),
                                 _mm512_unpackhi_epi32(dot[2], dot[3]));
    __m512i sums = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    /* 128-bit lane l, element i: block 2i + l / 2, half l % 2 */
    const __m512i order = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    return _mm512_permutexvar_epi32(order, sums);
}

/* P of 8 blocks. */
INLINE __m256 products(const struct step512 *s, const struct encoding e, const int8_t *q,
                       const int32_t *sum)
{
    __m512i dots = half_dots(s, q), x_sums = _mm512_setzero_si512();
    if (e.offset_log2 >= 0 || e.form == QBLK_FORM_MINIMA)
        x_sums = _mm512_loadu_si512(sum);
    if (e.offset_log2 >= 0)
        dots = _mm512_sub_epi32(dots, _mm512_slli_epi32(x_sums, (unsigned)e.offset_log2));
    __m256i first = _mm512_castsi512_si256(dots), second = _mm512_extracti64x4_epi64(dots, 1);
    __m256 c = _mm512_castps512_ps256(s->c);
    if (e.form == QBLK_FORM_HALVES) {
        __m256 c1 = _mm512_extractf32x8_ps(s->c, 1);
        return _mm256_fmadd_ps(c1, _mm256_cvtepi32_ps(second),
                               _mm256_mul_ps(c, _mm256_cvtepi32_ps(first)));
    }
    __m256 p = _mm256_mul_ps(c, _mm256_cvtepi32_ps(_mm256_add_epi32(first, second)));
    if (e.form == QBLK_FORM_MINIMA) {
        __m256i x_sum =
            _mm256_add_epi32(_mm512_castsi512_si256(x_sums), _mm512_extracti64x4_epi64(x_sums, 1));
        p = _mm256_fnmadd_ps(s->m, _mm256_cvtepi32_ps(x_sum), p);
    }
    return p;
}

/* 8 lanes i + (i + 4), then + 2, + 1. */
INLINE float fold8(__m256 lanes)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

INLINE void add_step(const struct matmul_args *a, const struct encoding e, const uint8_t *p,
                     uint32_t t_begin, uint32_t n_cols, uint32_t i_step, __mmask8 blocks,
                     __m256 *acc)
{
    struct step512 s;
    e.step(p, &s);
    size_t sum_stride = actq_sum_stride(a->n_in);
    for (uint32_t t = 0; t < n_cols; t++) {
        size_t x = (size_t)(t_begin + t) * a->n_in + 256 * (size_t)i_step;
        __m256 product = products(&s, e, a->xq.q + x,
                                  a->xq.sum + (t_begin + t) * sum_stride + 16 * (size_t)i_step);
        acc[t] = _mm256_mask3_fmadd_ps(_mm256_loadu_ps(a->xq.d + x / 32), product, acc[t], blocks);
    }
}

/* n_cols is a constant where this is inlined. */
INLINE void rows_of_cols(const struct matmul_args *a, const struct matmul_part *part,
                         const struct encoding e, uint32_t t_begin, uint32_t n_cols)
{
    uint32_t n_steps = a->n_in / 256, n_tail_blocks = a->n_in / 32 % 8;
    size_t row_bytes = qtype_row_bytes(a->w_type, a->n_in);
    for (uint32_t n = part->n_begin; n < part->n_end; n++) {
        const uint8_t *p = (const uint8_t *)a->w + n * row_bytes;
        __m256 acc[MAX_ROWS_COLS];
        for (uint32_t t = 0; t < n_cols; t++)
            acc[t] = _mm256_setzero_ps();
        for (uint32_t i = 0; i < n_steps; i++, p += e.step_bytes)
            add_step(a, e, p, t_begin, n_cols, i, 0xff, acc);
        if (n_tail_blocks) {
            uint8_t tail[MAX_STEP_BYTES] = {0};
            memcpy(tail, p, (size_t)e.step_bytes * n_tail_blocks / 8);
            add_step(a, e, tail, t_begin, n_cols, n_steps, (__mmask8)((1u << n_tail_blocks) - 1),
                     acc);
        }
        for (uint32_t t = 0; t < n_cols; t++)
            a->y[(size_t)(t_begin + t) * a->y_stride + n] = fold8(acc[t]) * a->scale;
    }
}

INLINE void rows_body(const struct matmul_args *a, const struct matmul_part *part,
                      const struct encoding e)
{
    for (uint32_t t = part->t_begin; t < part->t_end; t += MAX_ROWS_COLS) {
        uint32_t n_left = part->t_end - t;
        if (n_left == 1)
            rows_of_cols(a, part, e, t, 1);
        else if (n_left == 2)
            rows_of_cols(a, part, e, t, 2);
        else if (n_left == 3)
            rows_of_cols(a, part, e, t, 3);
        else
            rows_of_cols(a, part, e, t, 4);
    }
}

/* -- ceiling
 * ----------------------------------------------------------------------------------------- */

static uint32_t dot_loop(uint64_t n_rounds, int32_t *sink)
{
    enum { N_CHAINS = 12 };
    __m512i acc[N_CHAINS], w = _mm512_set1_epi8(3), x = _mm512_set1_epi8((char)*sink);
    for (int i = 0; i < N_CHAINS; i++)
        acc[i] = _mm512_set1_epi32(i);
    for (uint64_t n = 0; n < n_rounds; n++)
        for (int i = 0; i < N_CHAINS; i++)
            acc[i] = _mm512_dpbusd_epi32(acc[i], w, x);
    for (int i = 1; i < N_CHAINS; i++)
        acc[0] = _mm512_add_epi32(acc[0], acc[i]);
    *sink += _mm512_reduce_add_epi32(acc[0]);
    return N_CHAINS * 64;
}

/* -- instances
 * --------------------------------------------------------------------------------------- */

/* X(name, unpacker, form, bytes of 256 weights, offset_log2) */
#define ENCODINGS(X)                                                                               \
    X(Q8_0, step_q8_0, QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, 7)                                         \
    X(Q4_K, step_q4_k, QBLK_FORM_MINIMA, Q4_K_BYTES, -1)                                           \
    X(Q6_K, step_q6_k, QBLK_FORM_HALVES, Q6_K_BYTES, 5)                                            \
    X(NVFP4, step_nvfp4, QBLK_FORM_HALVES, 4 * NVFP4_BYTES, 4)

#define X(name, step, form, step_bytes, offset_log2)                                               \
    static void rows_##name(const struct matmul_args *a, const struct matmul_part *part)           \
    {                                                                                              \
        rows_body(a, part, (struct encoding){step, form, step_bytes, offset_log2});                \
    }
ENCODINGS(X)
#undef X

const struct matmul_isa matmul_isa_avx512 = {
    .actq = actq_avx512,
    .dot_loop = dot_loop,
    .rows = {[QTYPE_F32] = matmul_float_avx512,
             [QTYPE_F16] = matmul_float_avx512,
             [QTYPE_BF16] = matmul_float_avx512,
#define X(name, ...) [QTYPE_##name] = rows_##name,
             ENCODINGS(X)
#undef X
    },
};

#endif
