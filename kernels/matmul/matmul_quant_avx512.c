/* Quantised weights on AVX-512 VNNI: vpdpbusd, weights unsigned.   See matmul_quant.h,
 * matmul_panel.h */
#if defined(__x86_64__)

#include "kernels/matmul/qblk_avx512.h"

enum { QUANT_ROWS = 8 }; /* with 16 columns: 8 sums, 8 lanes, 8 products of the 32 registers */

struct quant_lanes {
    __m256 v;
};

#include "kernels/matmul/matmul_panel.h"
#include "kernels/matmul/matmul_rows.h"

/* -- a few rows of x -----------------------------------------------------------------------------
 */

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
    __m512i dots = half_dots(s, x->q);
    if (e.offset_log2 >= 0) {
        __m512i x_sums = _mm512_loadu_si512(x->half_sum);
        dots = _mm512_sub_epi32(dots, _mm512_slli_epi32(x_sums, (unsigned)e.offset_log2));
    }
    __m256i first = _mm512_castsi512_si256(dots), second = _mm512_extracti64x4_epi64(dots, 1);
    __m256 c = _mm512_castps512_ps256(s->c);
    if (e.form == QBLK_FORM_HALVES) {
        __m256 c1 = _mm512_extractf32x8_ps(s->c, 1);
        return _mm256_fmadd_ps(c1, _mm256_cvtepi32_ps(second),
                               _mm256_mul_ps(c, _mm256_cvtepi32_ps(first)));
    }
    __m256 p = _mm256_mul_ps(c, _mm256_cvtepi32_ps(_mm256_add_epi32(first, second)));
    return e.form == QBLK_FORM_MINIMA ? _mm256_fnmadd_ps(s->m, _mm256_loadu_ps(x->q_sum), p) : p;
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

/* -- many rows of x ------------------------------------------------------------------------------
 */

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
    if (e.form == QBLK_FORM_MINIMA)
        _mm256_store_ps(slab->m[i][r], s->m);
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
    bool is_halves = e.form == QBLK_FORM_HALVES;
    __m512i dot[QUANT_ROWS];
    __m512 p[QUANT_ROWS];
    for (int r = 0; r < QUANT_ROWS; r++)
        dot[r] = e.offset_log2 >= 0 ? _mm512_load_si512(x->bias[0]) : _mm512_setzero_si512();
    dot_quads(w, x, 0, is_halves ? 4 : 8, dot);
    for (int r = 0; r < QUANT_ROWS; r++)
        p[r] = _mm512_mul_ps(_mm512_set1_ps(c[r][0][k->j]), _mm512_cvtepi32_ps(dot[r]));
    if (is_halves) {
        for (int r = 0; r < QUANT_ROWS; r++)
            dot[r] = _mm512_load_si512(x->bias[1]);
        dot_quads(w, x, 4, 8, dot);
        for (int r = 0; r < QUANT_ROWS; r++)
            p[r] = _mm512_fmadd_ps(_mm512_set1_ps(c[r][1][k->j]), _mm512_cvtepi32_ps(dot[r]), p[r]);
    }
    if (e.form == QBLK_FORM_MINIMA)
        for (int r = 0; r < QUANT_ROWS; r++)
            p[r] = _mm512_fnmadd_ps(_mm512_set1_ps(k->slab->m[i][r][k->j]),
                                    _mm512_load_ps(x->q_sum), p[r]);
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

/* -- the variant ---------------------------------------------------------------------------------
 */

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
    X(Q8_0, step_q8_0, QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, 7)                                         \
    X(Q4_K, step_q4_k, QBLK_FORM_MINIMA, Q4_K_BYTES, -1)                                           \
    X(Q6_K, step_q6_k, QBLK_FORM_HALVES, Q6_K_BYTES, 5)                                            \
    X(NVFP4, step_nvfp4, QBLK_FORM_HALVES, 4 * NVFP4_BYTES, 4)
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
