/* Quantised weights on AVX2: pmaddubsw on unsigned weights, whose pair sums are added in 16 bits as
 * far as they fit; Q8_0 and IQ4 move the signs over to x first.   See matmul_quant.h */
#if defined(__x86_64__)

#include "kernels/matmul/qblk_avx2.h"
#include "kernels/matmul/qblk_avx2_grid.h"
#include "kernels/matmul/qblk_avx2_small.h"
#include "kernels/matmul/qblk_avx2_super.h"

enum { QUANT_ROWS = 4, QUANT_LANE_SIDE = 1 }; /* with 16 columns: 8 sums of the 16 registers */

struct quant_lanes {
    __m256 v;
};

#include "kernels/matmul/matmul_panel.h"
#include "kernels/matmul/matmul_rows.h"

enum { W_IS_SIGNED = -2 }; /* as an offset_log2 */

/* Pair sums of 32 products in 16 bits. |w| <= 127 unsigned or |w| <= 128 signed, |q| <= 127: none
 * saturates. */
QUANT_INLINE __m256i pair_sums(const struct quant_encoding e, __m256i w, __m256i q)
{
    if (e.offset_log2 == W_IS_SIGNED)
        return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(q, w));
    return _mm256_maddubs_epi16(w, q);
}

QUANT_INLINE __m256i add_pairs(__m256i sums)
{
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

/* ---- a few rows of x ---- */

QUANT_INLINE struct quant_lanes quant_zero(void)
{
    return (struct quant_lanes){_mm256_setzero_ps()};
}

/* Sums of 16 products of blocks b..b+3: first halves below, second above. */
QUANT_INLINE __m256i four_blocks(const struct quant_encoding e, const struct quant_step *s,
                                 const int8_t *q, int b)
{
    __m256i dot[4];
    for (int i = 0; i < 4; i++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(q + 32 * (b + i)));
        dot[i] = add_pairs(pair_sums(e, s->w[b + i], x));
    }
    return _mm256_hadd_epi32(_mm256_hadd_epi32(dot[0], dot[1]), _mm256_hadd_epi32(dot[2], dot[3]));
}

QUANT_INLINE __m256i minus_offset(const struct quant_encoding e, __m256i dots, const int32_t *x_sum)
{
    if (e.offset_log2 < 0)
        return dots;
    __m256i sums = _mm256_loadu_si256((const __m256i *)(const void *)x_sum);
    return _mm256_sub_epi32(dots, _mm256_slli_epi32(sums, e.offset_log2));
}

/* P of 8 blocks. */
QUANT_INLINE __m256 products(const struct quant_encoding e, const struct quant_step *s,
                             const struct actq_view *x)
{
    __m256i low = four_blocks(e, s, x->q, 0), high = four_blocks(e, s, x->q, 4);
    __m256i first = minus_offset(e, _mm256_permute2x128_si256(low, high, 0x20), x->half_sum);
    __m256i second = minus_offset(e, _mm256_permute2x128_si256(low, high, 0x31), x->half_sum + 8);
    if (!qblk_has_halves(e.form)) {
        __m256 p = _mm256_mul_ps(s->c[0], _mm256_cvtepi32_ps(_mm256_add_epi32(first, second)));
        return e.form == QBLK_FORM_MINIMA ? _mm256_fnmadd_ps(s->m[0], _mm256_loadu_ps(x->q_sum), p)
                                          : p;
    }
    __m256 p = _mm256_mul_ps(s->c[0], _mm256_cvtepi32_ps(first));
    p = _mm256_fmadd_ps(s->c[1], _mm256_cvtepi32_ps(second), p);
    for (int h = 0; h < 2 && e.form == QBLK_FORM_HALVES_MINIMA; h++) {
        __m256i sums = _mm256_loadu_si256((const __m256i *)(const void *)(x->half_sum + 8 * h));
        p = _mm256_fnmadd_ps(s->m[h], _mm256_cvtepi32_ps(sums), p);
    }
    return p;
}

QUANT_INLINE struct quant_lanes quant_add(const struct quant_encoding e, const struct quant_step *s,
                                          const struct actq_view *x, uint32_t n_blocks,
                                          struct quant_lanes acc)
{
    __m256 sum = _mm256_fmadd_ps(_mm256_loadu_ps(x->d), products(e, s, x), acc.v);
    if (n_blocks == 8)
        return (struct quant_lanes){sum};
    __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i is_real = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n_blocks), index);
    return (struct quant_lanes){_mm256_blendv_ps(acc.v, sum, _mm256_castsi256_ps(is_real))};
}

QUANT_INLINE float quant_fold(struct quant_lanes acc)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(acc.v), _mm256_extractf128_ps(acc.v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/* ---- many rows of x ---- */

QUANT_INLINE void panel_transpose(const int8_t *const row[PANEL_COLS], struct panel_x *out)
{
    panel_transpose_plain(row, out);
}

QUANT_INLINE void panel_put_step(const struct quant_encoding e, const struct quant_step *s,
                                 struct panel_slab *slab, uint32_t i, uint32_t r)
{
    for (int b = 0; b < 8; b++)
        _mm256_store_si256((__m256i *)(void *)slab->w[b][i][r], s->w[b]);
    for (int h = 0; h < (qblk_has_halves(e.form) ? 2 : 1); h++) {
        _mm256_store_ps(slab->c[i][r][h], s->c[h]);
        if (qblk_has_minima(e.form))
            _mm256_store_ps(slab->m[i][r][h], s->m[h]);
    }
}

/* Quads whose pair sums add up in 16 bits: 4 * 2 * 31 * 127, 2 * 2 * 63 * 127, 2 * 127 * 127. */
QUANT_INLINE int quads_in_16_bits(const struct quant_encoding e)
{
    if (e.offset_log2 == W_IS_SIGNED || e.offset_log2 > 5)
        return 1;
    return e.offset_log2 == 5 ? 2 : 4;
}

/* Four weights in every 32-bit lane. */
QUANT_INLINE __m256i quad_of(const void *w)
{
    int32_t quad;
    memcpy(&quad, w, sizeof quad);
    return _mm256_set1_epi32(quad);
}

/* The same four elements of eight columns, half v of sixteen. */
QUANT_INLINE __m256i columns_of(const struct panel_x *x, int i, int v)
{
    return _mm256_load_si256((const __m256i *)(const void *)x->q[i][8 * v]);
}

/* dot += over quads begin..end-1 of a block, 8 of the 16 columns from col on. */
QUANT_INLINE void dot_quads(const struct quant_encoding e, const uint8_t (*w)[32],
                            const struct panel_x *x, int begin, __m256i dot[QUANT_ROWS][2])
{
    int n_fit = quads_in_16_bits(e);
    for (int first = begin; first < begin + 4; first += n_fit)
        for (int r = 0; r < QUANT_ROWS; r++) {
            __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
            for (int i = first; i < first + n_fit; i++) {
                __m256i ws = quad_of(w[r] + 4 * i);
                sum[0] = _mm256_add_epi16(sum[0], pair_sums(e, ws, columns_of(x, i, 0)));
                sum[1] = _mm256_add_epi16(sum[1], pair_sums(e, ws, columns_of(x, i, 1)));
            }
            for (int v = 0; v < 2; v++)
                dot[r][v] = _mm256_add_epi32(dot[r][v], add_pairs(sum[v]));
        }
}

QUANT_INLINE __m256i bias_at(const struct quant_encoding e, const struct panel_x *x, int half,
                             int v)
{
    if (e.offset_log2 < 0)
        return _mm256_setzero_si256();
    return _mm256_load_si256((const __m256i *)(const void *)(x->bias[half] + 8 * v));
}

/* Over half h of a block: c * (float)S added to p, or the first term of P. */
QUANT_INLINE void half_products(const struct quant_encoding e, const struct panel_class *k,
                                uint32_t i, int h, __m256 p[QUANT_ROWS][2])
{
    const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
    bool is_whole = !qblk_has_halves(e.form);
    __m256i dot[QUANT_ROWS][2];
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < 2; v++)
            dot[r][v] = bias_at(e, x, h, v);
    dot_quads(e, k->slab->w[k->j][i], x, 4 * h, dot);
    if (is_whole)
        dot_quads(e, k->slab->w[k->j][i], x, 4, dot);
    for (int r = 0; r < QUANT_ROWS; r++) {
        __m256 c = _mm256_broadcast_ss(&k->slab->c[i][r][h][k->j]);
        for (int v = 0; v < 2; v++) {
            __m256 sum = _mm256_cvtepi32_ps(dot[r][v]);
            p[r][v] = h == 0 ? _mm256_mul_ps(c, sum) : _mm256_fmadd_ps(c, sum, p[r][v]);
        }
    }
}

QUANT_INLINE void panel_step(const struct quant_encoding e, const struct panel_class *k, uint32_t i,
                             float *lanes)
{
    const struct panel_x *x = (const struct panel_x *)(const void *)(k->x + i * k->x_bytes);
    int n_halves = qblk_has_halves(e.form) ? 2 : 1;
    __m256 p[QUANT_ROWS][2];
    if (k->ahead)
        quant_fetch(e, k->ahead + i * e.step_bytes);
    half_products(e, k, i, 0, p);
    if (n_halves == 2)
        half_products(e, k, i, 1, p);
    for (int r = 0; r < QUANT_ROWS; r++)
        for (int v = 0; v < 2; v++) {
            float *lane = lanes + r * PANEL_COLS + 8 * v;
            for (int h = 0; h < n_halves && qblk_has_minima(e.form); h++)
                p[r][v] = _mm256_fnmadd_ps(_mm256_broadcast_ss(&k->slab->m[i][r][h][k->j]),
                                           _mm256_load_ps(x->q_sum[h] + 8 * v), p[r][v]);
            __m256 sum =
                _mm256_fmadd_ps(_mm256_load_ps(x->d + 8 * v), p[r][v], _mm256_load_ps(lane));
            _mm256_store_ps(lane, sum);
        }
}

QUANT_INLINE void panel_add(const struct quant_encoding e, const struct panel_class *k,
                            float *lanes)
{
    for (uint32_t i = 0; i < k->n; i++)
        panel_step(e, k, i, lanes);
}

/* ---- the variant ---- */

static uint32_t dot_loop(uint64_t n_rounds, int32_t *sink)
{
    enum { N_CHAINS = 6 };
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i acc[N_CHAINS], w = _mm256_set1_epi8(3), x = _mm256_set1_epi8((char)*sink);
    for (int i = 0; i < N_CHAINS; i++)
        acc[i] = _mm256_set1_epi32(i);
    for (uint64_t n = 0; n < n_rounds; n++)
        for (int i = 0; i < N_CHAINS; i++) {
            __m256i q = _mm256_xor_si256(x, acc[i]);
            acc[i] = _mm256_add_epi32(acc[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w, q), ones));
        }
    for (int i = 0; i < N_CHAINS; i++)
        *sink += _mm256_extract_epi32(acc[i], 0);
    return N_CHAINS * 32;
}

/* X(name, unpacker, form, bytes of 256 weights, offset_log2) */
#define ENCODINGS(X)                                                                               \
    X(Q4_0, step_q4_0, QBLK_FORM_BLOCK, 8 * Q4_0_BYTES, 3)                                         \
    X(Q4_1, step_q4_1, QBLK_FORM_MINIMA, 8 * Q4_1_BYTES, -1)                                       \
    X(Q5_0, step_q5_0, QBLK_FORM_BLOCK, 8 * Q5_0_BYTES, 4)                                         \
    X(Q5_1, step_q5_1, QBLK_FORM_MINIMA, 8 * Q5_1_BYTES, -1)                                       \
    X(Q8_0, step_q8_0, QBLK_FORM_BLOCK, 8 * Q8_0_BYTES, W_IS_SIGNED)                               \
    X(IQ4_NL, step_iq4_nl, QBLK_FORM_BLOCK, 8 * IQ4_NL_BYTES, W_IS_SIGNED)                         \
    X(MXFP4, step_mxfp4, QBLK_FORM_BLOCK, 8 * MXFP4_BYTES, 4)                                      \
    X(NVFP4, step_nvfp4, QBLK_FORM_HALVES, 4 * NVFP4_BYTES, 4)                                     \
    X(Q2_K, step_q2_k, QBLK_FORM_HALVES_MINIMA, Q2_K_BYTES, -1)                                    \
    X(Q3_K, step_q3_k, QBLK_FORM_HALVES, Q3_K_BYTES, 2)                                            \
    X(Q4_K, step_q4_k, QBLK_FORM_MINIMA, Q4_K_BYTES, -1)                                           \
    X(Q5_K, step_q5_k, QBLK_FORM_MINIMA, Q5_K_BYTES, -1)                                           \
    X(Q6_K, step_q6_k, QBLK_FORM_HALVES, Q6_K_BYTES, 5)                                            \
    X(IQ4_XS, step_iq4_xs, QBLK_FORM_BLOCK, IQ4_XS_BYTES, W_IS_SIGNED)                             \
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

const struct matmul_isa matmul_isa_avx2 = {
    .actq = actq_avx2,
    .rows = {ENCODINGS(ROWS_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_rows_avx2)},
    .panel = {ENCODINGS(PANEL_ENTRY) MATMUL_FLOAT_TYPES(matmul_float_panel_avx2)},
    .panel_rows = panel_rows,
    .panel_min_rows = ROWS_MAX_COLS + 1,
    .dot_loop = dot_loop,
};

#else
typedef int matmul_quant_avx2_is_empty_here;
#endif
