/* Quantised weights on AVX-512 VNNI: vpdpbusd, weights unsigned.   See matmul_quant.h,
 * matmul_panel.h */
#if defined(__x86_64__)

#include "kernels/matmul/qblk_avx512.h"
#include "kernels/matmul/qblk_avx512_grid.h"
#include "kernels/matmul/qblk_avx512_iq1.h"
#include "kernels/matmul/qblk_avx512_small.h"
#include "kernels/matmul/qblk_avx512_super.h"

enum { QUANT_ROWS = 8, QUANT_LANE_SIDE = 1 }; /* with 16 columns: 8 each of sums, lanes, products */

struct quant_lanes {
    __m256 v;
};

#include "kernels/matmul/matmul_panel.h"
#include "kernels/matmul/matmul_rows.h"

/* ---- a few rows of x ---- */

QUANT_INLINE struct quant_lanes quant_zero(void)
{
    return (struct quant_lanes){_mm256_setzero_ps()};
}

/* Sums of 16 products, in the order of actq_view.half_sum: first halves of blocks 0..7, then
 * second. */
QUANT_INLINE __m512i half_dots(const struct quant_step *s, const int8_t *q)
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
QUANT_INLINE __m256 products(const struct quant_encoding e, const struct quant_step *s,
                             const struct actq_view *x)
{
    __m512i dots = half_dots(s, x->q), x_sums = _mm512_loadu_si512(x->half_sum);
    if (e.offset_log2 >= 0)
        dots = _mm512_sub_epi32(dots, _mm512_slli_epi32(x_sums, (unsigned)e.offset_log2));
    __m256i first = _mm512_castsi512_si256(dots), second = _mm512_extracti64x4_epi64(dots, 1);
    __m256 c = _mm512_castps512_ps256(s->c), m = _mm512_castps512_ps256(s->m);
    if (!qblk_has_halves(e.form)) {
        __m256 p = _mm256_mul_ps(c, _mm256_cvtepi32_ps(_mm256_add_epi32(first, second)));
        return e.form == QBLK_FORM_MINIMA ? _mm256_fnmadd_ps(m, _mm256_loadu_ps(x->q_sum), p) : p;
    }
    __m256 p = _mm256_mul_ps(c, _mm256_cvtepi32_ps(first));
    p = _mm256_fmadd_ps(_mm512_extractf32x8_ps(s->c, 1), _mm256_cvtepi32_ps(second), p);
    if (e.form == QBLK_FORM_HALVES_MINIMA) {
        __m512 sums = _mm512_cvtepi32_ps(x_sums);
        p = _mm256_fnmadd_ps(m, _mm512_castps512_ps256(sums), p);
        p = _mm256_fnmadd_ps(_mm512_extractf32x8_ps(s->m, 1), _mm512_extractf32x8_ps(sums, 1), p);
    }
    return p;
}

QUANT_INLINE struct quant_lanes quant_add(const struct quant_encoding e, const struct quant_step *s,
                                          const struct actq_view *x, uint32_t n_blocks,
                                          struct quant_lanes acc)
{
    __mmask8 blocks = (__mmask8)((1u << n_blocks) - 1);
    acc.v = _mm256_mask3_fmadd_ps(_mm256_loadu_ps(x->d), products(e, s, x), acc.v, blocks);
    return acc;
}

QUANT_INLINE float quant_fold(struct quant_lanes acc)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(acc.v), _mm256_extractf128_ps(acc.v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/* ---- many rows of x ---- */

QUANT_INLINE __m128i load_quads(const int8_t *q)
{
    return _mm_loadu_si128((const __m128i *)(const void *)q);
}

QUANT_INLINE void panel_transpose(const int8_t *const row[PANEL_COLS], struct panel_x *out)
{
    for (int half = 0; half < 2; half++) {
        __m512i z[4]; /* 128-bit lane l of z[i]: row 4l + i */
        for (int i = 0; i < 4; i++) {
            z[i] = _mm512_castsi128_si512(load_quads(row[i] + 16 * half));
            z[i] = _mm512_inserti32x4(z[i], load_quads(row[4 + i] + 16 * half), 1);
            z[i] = _mm512_inserti32x4(z[i], load_quads(row[8 + i] + 16 * half), 2);
            z[i] = _mm512_inserti32x4(z[i], load_quads(row[12 + i] + 16 * half), 3);
        }
        __m512i a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
        __m512i c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
        _mm512_store_si512(out->q[4 * half], _mm512_unpacklo_epi64(a, c));
        _mm512_store_si512(out->q[4 * half + 1], _mm512_unpackhi_epi64(a, c));
        _mm512_store_si512(out->q[4 * half + 2], _mm512_unpacklo_epi64(b, d));
        _mm512_store_si512(out->q[4 * half + 3], _mm512_unpackhi_epi64(b, d));
    }
}

QUANT_INLINE void panel_put_step(const struct quant_encoding e, const struct quant_step *s,
                                 struct panel_slab *slab, uint32_t i, uint32_t r)
{
    for (int pair = 0; pair < 4; pair++) {
        __m256i even = _mm512_castsi512_si256(s->w[pair]),
                odd = _mm512_extracti64x4_epi64(s->w[pair], 1);
        _mm256_store_si256((__m256i *)(void *)slab->w[2 * pair][i][r], even);
        _mm256_store_si256((__m256i *)(void *)slab->w[2 * pair + 1][i][r], odd);
    }
    _mm512_store_ps(slab->c[i][r][0], s->c);
    if (qblk_has_minima(e.form))
        _mm512_store_ps(slab->m[i][r][0], s->m);
}

/* dot += over quads begin..end-1 of a block, 4 successive k each. */
QUANT_INLINE void dot_quads(const uint8_t (*w)[32], const struct panel_x *x, int begin, int end,
                            __m512i dot[QUANT_ROWS])
{
    for (int i = begin; i < end; i++) {
        __m512i xs = _mm512_load_si512(x->q[i]);
        for (int r = 0; r < QUANT_ROWS; r++) {
            int32_t quad;
            memcpy(&quad, w[r] + 4 * i, sizeof quad);
            dot[r] = _mm512_dpbusd_epi32(dot[r], _mm512_set1_epi32(quad), xs);
        }
    }
}

QUANT_INLINE void add_block(const struct quant_encoding e, const struct panel_class *k, uint32_t i,
                            __m512 acc[QUANT_ROWS])
{
    const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
    const uint8_t(*w)[32] = k->slab->w[k->j][i];
    const float(*c)[2][8] = k->slab->c[i];
    const float(*m)[2][8] = k->slab->m[i];
    bool is_halves = qblk_has_halves(e.form);
    __m512i dot[QUANT_ROWS];
    __m512 p[QUANT_ROWS];
    for (int r = 0; r < QUANT_ROWS; r++)
        dot[r] = e.offset_log2 >= 0 ? _mm512_load_si512(x->bias[0]) : _mm512_setzero_si512();
    dot_quads(w, x, 0, is_halves ? 4 : 8, dot);
    for (int r = 0; r < QUANT_ROWS; r++)
        p[r] = _mm512_mul_ps(_mm512_set1_ps(c[r][0][k->j]), _mm512_cvtepi32_ps(dot[r]));
    if (is_halves) {
        for (int r = 0; r < QUANT_ROWS; r++)
            dot[r] = e.offset_log2 >= 0 ? _mm512_load_si512(x->bias[1]) : _mm512_setzero_si512();
        dot_quads(w, x, 4, 8, dot);
        for (int r = 0; r < QUANT_ROWS; r++)
            p[r] = _mm512_fmadd_ps(_mm512_set1_ps(c[r][1][k->j]), _mm512_cvtepi32_ps(dot[r]), p[r]);
    }
    for (int h = 0; h < (qblk_has_minima(e.form) ? 1 + is_halves : 0); h++)
        for (int r = 0; r < QUANT_ROWS; r++)
            p[r] =
                _mm512_fnmadd_ps(_mm512_set1_ps(m[r][h][k->j]), _mm512_load_ps(x->q_sum[h]), p[r]);
    for (int r = 0; r < QUANT_ROWS; r++)
        acc[r] = _mm512_fmadd_ps(_mm512_load_ps(x->d), p[r], acc[r]);
}

QUANT_INLINE void panel_add(const struct quant_encoding e, const struct panel_class *k,
                            float *lanes)
{
    __m512 acc[QUANT_ROWS];
    for (int r = 0; r < QUANT_ROWS; r++)
        acc[r] = _mm512_load_ps(lanes + r * PANEL_COLS);
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->ahead)
            quant_fetch(e, k->ahead + i * e.step_bytes);
        add_block(e, k, i, acc);
    }
    for (int r = 0; r < QUANT_ROWS; r++)
        _mm512_store_ps(lanes + r * PANEL_COLS, acc[r]);
}

/* ---- the variant ---- */

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

/* X(name, unpacker, form, bytes of 256 weights, offset_log2) */
#define ENCODINGS(X)                                                                               \
    X(Q4_0, step_q4_0, QBLK_FORM_BLOCK, 8 * Q4_0_BYTES, 3)                                         \
    X(Q4_1, step_q4_1, QBLK_FORM_MINIMA, 8 * Q4_1_BYTES, -1)                                       \
    X(Q5_0, step_q5_0, QBLK_FORM_BLOCK, 8 * Q5_0_BYTES, 4)                                         \
    X(Q5_1, step_q5_1, QBLK_FORM_MINIMA, 8 * Q5_1_BYTES, -1)                                       \
    X(Q8_0, step_q8_0, QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, 7)                                         \
    X(IQ4_NL, step_iq4_nl, QBLK_FORM_BLOCK, 8 * IQ4_NL_BYTES, 7)                                   \
    X(MXFP4, step_mxfp4, QBLK_FORM_BLOCK, 8 * MXFP4_BYTES, 4)                                      \
    X(NVFP4, step_nvfp4, QBLK_FORM_HALVES, 4 * NVFP4_BYTES, 4)                                     \
    X(Q2_K, step_q2_k, QBLK_FORM_HALVES_MINIMA, Q2_K_BYTES, -1)                                    \
    X(Q3_K, step_q3_k, QBLK_FORM_HALVES, Q3_K_BYTES, 2)                                            \
    X(Q4_K, step_q4_k, QBLK_FORM_MINIMA, Q4_K_BYTES, -1)                                           \
    X(Q5_K, step_q5_k, QBLK_FORM_MINIMA, Q5_K_BYTES, -1)                                           \
    X(Q6_K, step_q6_k, QBLK_FORM_HALVES, Q6_K_BYTES, 5)                                            \
    X(IQ4_XS, step_iq4_xs, QBLK_FORM_BLOCK, IQ4_XS_BYTES, 7)                                       \
    X(TQ1_0, step_tq1_0, QBLK_FORM_BLOCK, TQ1_0_BYTES, 0)                                          \
    X(TQ2_0, step_tq2_0, QBLK_FORM_BLOCK, TQ2_0_BYTES, 0)                                          \
    X(IQ1_S, step_iq1_s, QBLK_FORM_BLOCK, IQ1_S_BYTES, 4)                                          \
    X(IQ1_M, step_iq1_m, QBLK_FORM_HALVES, IQ1_M_BYTES, 4)                                         \
    X(IQ2_XXS, step_iq2_xxs, QBLK_FORM_BLOCK, IQ2_XXS_BYTES, 6)                                    \
    X(IQ2_XS, step_iq2_xs, QBLK_FORM_HALVES, IQ2_XS_BYTES, 6)                                      \
    X(IQ2_S, step_iq2_s, QBLK_FORM_HALVES, IQ2_S_BYTES, 6)                                         \
    X(IQ3_XXS, step_iq3_xxs, QBLK_FORM_BLOCK, IQ3_XXS_BYTES, 6)                                    \
    X(IQ3_S, step_iq3_s, QBLK_FORM_BLOCK, IQ3_S_BYTES, 4)
ENCODINGS(ROWS_INSTANCE)
ENCODINGS(PANEL_INSTANCE)

const struct matmul_isa matmul_isa_avx512 = {
    .actq = actq_avx512,
    .rows = {ENCODINGS(ROWS_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_rows_avx512)},
    .panel = {ENCODINGS(PANEL_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_panel_avx512)},
    .panel_rows = panel_rows,
    .panel_min_rows = ROWS_MAX_COLS + 1,
    .dot_loop = dot_loop,
};

#else
typedef int matmul_quant_avx512_is_empty_here;
#endif
