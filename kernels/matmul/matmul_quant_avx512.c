/* Quantised weights on AVX-512 VNNI. Two bodies, each instantiated per encoding:
 *   rows:  up to 6 rows of x, lane = block % 8; weights straight from the file bytes; bound by
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

enum {
    MAX_ROWS_COLS = 6,
    MAX_STEP_BYTES = 272,
    PREFETCH_BYTES =
        4096, /* ahead of the step in hand: past the page end where the hardware stops */
};

INLINE void prefetch_step(const uint8_t *p, const struct encoding e)
{
    for (uint32_t at = 0; at < e.step_bytes; at += 64)
        _mm_prefetch((const char *)p + PREFETCH_BYTES + at, _MM_HINT_T0);
}

/* Sums of 16 products, in the order of actq_view.half_sum: first halves of blocks 0..7, then second
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

/* One row of x from some step on. */
INLINE struct actq_view x_at(const struct matmul_args *a, uint32_t t, uint32_t i_step)
{
    size_t elem = (size_t)t * a->n_in + 256 * (size_t)i_step;
    size_t half_sum = (size_t)t * actq_half_sum_stride(a->n_in) + 16 * (size_t)i_step;
    return (struct actq_view){a->xq.q + elem, a->xq.d + elem / 32, a->xq.q_sum + elem / 32,
                              a->xq.half_sum + half_sum};
}

/* P of 8 blocks. */
INLINE __m256 products(const struct step512 *s, const struct encoding e, const struct actq_view *x)
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
    if (e.form == QBLK_FORM_MINIMA)
        p = _mm256_fnmadd_ps(s->m, _mm256_loadu_ps(x->q_sum), p);
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
    for (uint32_t t = 0; t < n_cols; t++) {
        struct actq_view x = x_at(a, t_begin + t, i_step);
        acc[t] = _mm256_mask3_fmadd_ps(_mm256_loadu_ps(x.d), products(&s, e, &x), acc[t], blocks);
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
        for (uint32_t i = 0; i < n_steps; i++, p += e.step_bytes) {
            prefetch_step(p, e);
            add_step(a, e, p, t_begin, n_cols, i, 0xff, acc);
        }
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
        switch (part->t_end - t) {
        case 1:
            rows_of_cols(a, part, e, t, 1);
            break;
        case 2:
            rows_of_cols(a, part, e, t, 2);
            break;
        case 3:
            rows_of_cols(a, part, e, t, 3);
            break;
        case 4:
            rows_of_cols(a, part, e, t, 4);
            break;
        case 5:
            rows_of_cols(a, part, e, t, 5);
            break;
        default:
            rows_of_cols(a, part, e, t, MAX_ROWS_COLS);
            break;
        }
    }
}

/* -- panel
 * ------------------------------------------------------------------------------------------- */

enum {
    ROWS = 8,                 /* of W, unpacked together */
    COLS = MATMUL_PANEL_COLS, /* of x, a vector of them */
    SLAB_STEPS = 4,           /* of K: what is unpacked at a time stays in the first-level cache */
    SLAB_BLOCKS = 8 * SLAB_STEPS,
    W_BLOCK_BYTES = ROWS * 32, /* [ROWS][32] */
    CACHE_BYTES = 896 << 10,   /* what a pass may fill of the caches past the first */
};

/* Blocks are kept by class j = b % 8 within a slab, so that one class is one stream. */
struct slab {
    _Alignas(64) uint8_t w[8][SLAB_STEPS][ROWS][32];
    float c[SLAB_STEPS][ROWS][2][8]; /* whole blocks use the first half */
    float m[SLAB_STEPS][ROWS][8];
};

/* A group of 16 rows of x: x blocks of all slabs, [n_slabs][8][SLAB_STEPS] of x_block_bytes, and
 * the lanes of the ROWS rows of W in hand, [8][ROWS] vectors. */
struct panel {
    struct slab *slab;
    uint8_t *x; /* [n_groups] of group_bytes */
    uint32_t n_blocks, n_slabs;
    size_t x_block_bytes, group_bytes;
};

/* A block of 16 rows of x: int8 q[8][16][4], so that a vector is 4 successive k of each row, then
 * vectors of 16: */
enum {
    X_D_OFF = 512,            /* float d */
    X_SUM_OFF = X_D_OFF + 64, /* minima: float sum of q */
    X_BIAS_OFF =
        X_D_OFF + 64, /* else: int32 -offset * sum of q, of the whole block or of both halves */
    X_BLOCK_MAX_BYTES = X_BIAS_OFF + 128,
    LANES_BYTES = 8 * ROWS * 64,
};

INLINE struct panel panel_of(uint32_t n_in, enum qblk_form form, void *scratch)
{
    struct panel p = {.slab = scratch, .n_blocks = n_in / 32};
    p.n_slabs = (p.n_blocks + SLAB_BLOCKS - 1) / SLAB_BLOCKS;
    p.x_block_bytes = form == QBLK_FORM_HALVES ? X_BLOCK_MAX_BYTES : X_BLOCK_MAX_BYTES - 64;
    p.group_bytes = LANES_BYTES + p.n_slabs * SLAB_BLOCKS * p.x_block_bytes;
    p.x = (uint8_t *)scratch + sizeof(struct slab);
    return p;
}

static uint32_t panel_rows(enum qtype w_type, uint32_t n_in)
{
    struct panel p = panel_of(n_in, qblk_trait(w_type)->form, NULL);
    if (sizeof(struct slab) + p.group_bytes > MATMUL_SCRATCH_BYTES)
        return 0;
    return COLS * (uint32_t)num_max((CACHE_BYTES - sizeof(struct slab)) / p.group_bytes, 1);
}

/* 16 rows of 32 bytes to [8][16][4]. */
INLINE void transpose_block(const int8_t *const row[COLS], size_t off, uint8_t *out)
{
    for (int half = 0; half < 2; half++) {
        __m512i z[4]; /* 128-bit lane l of z[i]: row 4l + i */
        for (int i = 0; i < 4; i++) {
            const int8_t *const *r = row + i;
            size_t at = off + 16 * (size_t)half;
            z[i] =
                _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)(r[0] + at)));
            z[i] = _mm512_inserti32x4(
                z[i], _mm_loadu_si128((const __m128i *)(const void *)(r[4] + at)), 1);
            z[i] = _mm512_inserti32x4(
                z[i], _mm_loadu_si128((const __m128i *)(const void *)(r[8] + at)), 2);
            z[i] = _mm512_inserti32x4(
                z[i], _mm_loadu_si128((const __m128i *)(const void *)(r[12] + at)), 3);
        }
        __m512i a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
        __m512i c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
        uint8_t *quads = out + 256 * half;
        _mm512_store_si512(quads, _mm512_unpacklo_epi64(a, c));
        _mm512_store_si512(quads + 64, _mm512_unpackhi_epi64(a, c));
        _mm512_store_si512(quads + 128, _mm512_unpacklo_epi64(b, d));
        _mm512_store_si512(quads + 192, _mm512_unpackhi_epi64(b, d));
    }
}

/* Rows t .. t + n_cols of x, 16 of them or fewer; the rest are zeros. */
INLINE void fill_x(const struct matmul_args *a, const struct panel *p, const struct encoding e,
                   uint32_t t, uint32_t n_cols, uint8_t *group)
{
    /* Missing rows repeat the last one: finite work whose results nobody stores. */
    const int8_t *rows[COLS];
    for (uint32_t i = 0; i < COLS; i++)
        rows[i] = a->xq.q + (size_t)(t + num_min(i, n_cols - 1)) * a->n_in;
    size_t half_sum_stride = actq_half_sum_stride(a->n_in);
    for (uint32_t b = 0; b < p->n_blocks; b++) {
        uint32_t i_slab = b / SLAB_BLOCKS, i_step = b / 8 % SLAB_STEPS;
        uint8_t *block =
            group + LANES_BYTES + ((i_slab * 8 + b % 8) * SLAB_STEPS + i_step) * p->x_block_bytes;
        transpose_block(rows, 32 * (size_t)b, block);
        float *d = (float *)(void *)(block + X_D_OFF), *sum = (float *)(void *)(block + X_SUM_OFF);
        int32_t *bias = (int32_t *)(void *)(block + X_BIAS_OFF);
        for (uint32_t i = 0; i < COLS; i++) {
            size_t row = t + num_min(i, n_cols - 1);
            d[i] = a->xq.d[row * p->n_blocks + b];
            const int32_t *half = a->xq.half_sum + row * half_sum_stride + b / 8 * 16 + b % 8;
            if (e.form == QBLK_FORM_MINIMA)
                sum[i] = a->xq.q_sum[row * p->n_blocks + b];
            else if (e.form == QBLK_FORM_BLOCK)
                bias[i] = -(half[0] + half[8]) * (1 << e.offset_log2);
            else {
                bias[i] = -half[0] * (1 << e.offset_log2);
                bias[COLS + i] = -half[8] * (1 << e.offset_log2);
            }
        }
    }
}

/* n_blocks blocks of row r of the ROWS in hand, from the file bytes at src. */
INLINE void fill_w(struct slab *slab, const struct encoding e, const uint8_t *src, uint32_t r,
                   uint32_t n_blocks)
{
    for (uint32_t i = 0; 8 * i < n_blocks; i++, src += e.step_bytes) {
        struct step512 step;
        if (n_blocks - 8 * i >= 8) {
            e.step(src, &step);
        } else {
            uint8_t tail[MAX_STEP_BYTES] = {0};
            memcpy(tail, src, (size_t)e.step_bytes * (n_blocks - 8 * i) / 8);
            e.step(tail, &step);
        }
        for (int j = 0; j < 4; j++) {
            __m256i even = _mm512_castsi512_si256(step.w[j]),
                    odd = _mm512_extracti64x4_epi64(step.w[j], 1);
            _mm256_store_si256((__m256i *)(void *)slab->w[2 * j][i][r], even);
            _mm256_store_si256((__m256i *)(void *)slab->w[2 * j + 1][i][r], odd);
        }
        _mm512_store_ps(slab->c[i][r][0], step.c);
        if (e.form == QBLK_FORM_MINIMA)
            _mm256_store_ps(slab->m[i][r], step.m);
    }
}

/* Sums over 4 * n_quads successive k for ROWS x COLS. */
INLINE void dot_quads(const uint8_t *w, const uint8_t *x, int n_quads, __m512i init,
                      __m512i dot[ROWS])
{
    for (int r = 0; r < ROWS; r++)
        dot[r] = init;
    for (int i = 0; i < n_quads; i++) {
        __m512i xs = _mm512_load_si512(x + 64 * i);
        for (int r = 0; r < ROWS; r++) {
            int32_t quad;
            memcpy(&quad, w + 32 * r + 4 * i, sizeof quad);
            dot[r] = _mm512_dpbusd_epi32(dot[r], _mm512_set1_epi32(quad), xs);
        }
    }
}

/* acc += d * P for one block of ROWS x COLS; c and m point at the block's place in row 0. */
INLINE void add_block(const struct encoding e, const uint8_t *w, const uint8_t *x, const float *c,
                      const float *m, __m512 acc[ROWS])
{
    __m512i dot[ROWS], bias = _mm512_setzero_si512();
    __m512 p[ROWS], d = _mm512_load_ps(x + X_D_OFF);
    if (e.offset_log2 >= 0)
        bias = _mm512_load_si512(x + X_BIAS_OFF);
    dot_quads(w, x, e.form == QBLK_FORM_HALVES ? 4 : 8, bias, dot);
    for (int r = 0; r < ROWS; r++)
        p[r] = _mm512_mul_ps(_mm512_set1_ps(c[16 * r]), _mm512_cvtepi32_ps(dot[r]));
    if (e.form == QBLK_FORM_HALVES) {
        dot_quads(w + 16, x + 256, 4, _mm512_load_si512(x + X_BIAS_OFF + 64), dot);
        for (int r = 0; r < ROWS; r++)
            p[r] = _mm512_fmadd_ps(_mm512_set1_ps(c[16 * r + 8]), _mm512_cvtepi32_ps(dot[r]), p[r]);
    }
    if (e.form == QBLK_FORM_MINIMA) {
        __m512 sum = _mm512_load_ps(x + X_SUM_OFF);
        for (int r = 0; r < ROWS; r++)
            p[r] = _mm512_fnmadd_ps(_mm512_set1_ps(m[8 * r]), sum, p[r]);
    }
    for (int r = 0; r < ROWS; r++)
        acc[r] = _mm512_fmadd_ps(d, p[r], acc[r]);
}

/* y of ROWS x COLS, one vector of rows of x per row of W; stores what is inside n_rows x n_cols. */
INLINE void store_tile(const struct matmul_args *a, uint32_t n, uint32_t n_rows, uint32_t t,
                       uint32_t n_cols, const __m512 y[ROWS])
{
    _Alignas(64) float tile[ROWS][COLS];
    for (int r = 0; r < ROWS; r++)
        _mm512_store_ps(tile[r], y[r]);
    for (uint32_t i = 0; i < n_cols; i++) {
        float *out = a->y + (size_t)(t + i) * a->y_stride + n;
        for (uint32_t r = 0; r < n_rows; r++)
            out[r] = tile[r][i];
    }
}

/* File bytes of the slab after the one in hand: ROWS rows from p on, row_bytes apart. */
struct ahead {
    const uint8_t *p;
    size_t row_bytes;
};

/* Lanes of one group over the n_blocks of a slab; with each block, one step of one row of what is
 * ahead is fetched. */
INLINE void add_slab(const struct panel *p, const struct encoding e, const uint8_t *x,
                     uint32_t n_blocks, struct ahead ahead, __m512 *lanes)
{
    const struct slab *slab = p->slab;
    for (uint32_t j = 0; j < 8; j++, lanes += ROWS) {
        __m512 acc[ROWS];
        for (int r = 0; r < ROWS; r++)
            acc[r] = lanes[r];
        for (uint32_t i = 0; 8 * i + j < n_blocks; i++) {
            if (ahead.p)
                for (uint32_t at = 0; at < e.step_bytes; at += 64)
                    _mm_prefetch((const char *)ahead.p + j * ahead.row_bytes + i * e.step_bytes +
                                     at,
                                 _MM_HINT_T0);
            add_block(e, slab->w[j][i][0], x + (j * SLAB_STEPS + i) * p->x_block_bytes,
                      &slab->c[i][0][0][j], &slab->m[i][0][j], acc);
        }
        for (int r = 0; r < ROWS; r++)
            lanes[r] = acc[r];
    }
}

/* Fold the lanes of a group, leave them zero for the next rows. */
INLINE void finish_tile(__m512 *lanes, float scale, __m512 y[ROWS])
{
    for (int r = 0; r < ROWS; r++) {
        __m512 quarter[4];
        for (int j = 0; j < 4; j++)
            quarter[j] = _mm512_add_ps(lanes[j * ROWS + r], lanes[(j + 4) * ROWS + r]);
        __m512 even = _mm512_add_ps(quarter[0], quarter[2]),
               odd = _mm512_add_ps(quarter[1], quarter[3]);
        y[r] = _mm512_mul_ps(_mm512_add_ps(even, odd), _mm512_set1_ps(scale));
        for (int j = 0; j < 8; j++)
            lanes[j * ROWS + r] = _mm512_setzero_ps();
    }
}

/* ROWS rows of W, n_rows of them real, against all groups. */
INLINE void row_group(const struct matmul_args *a, const struct matmul_part *part,
                      const struct encoding e, const struct panel *p, uint32_t n)
{
    size_t row_bytes = qtype_row_bytes(a->w_type, a->n_in),
           slab_bytes = (size_t)SLAB_STEPS * e.step_bytes;
    const uint8_t *w = (const uint8_t *)a->w + n * row_bytes;
    uint32_t n_rows = (uint32_t)num_min(part->n_end - n, ROWS);
    uint32_t n_groups = (part->t_end - part->t_begin + COLS - 1) / COLS;
    for (uint32_t k = 0; k < p->n_slabs; k++) {
        uint32_t n_blocks = (uint32_t)num_min(p->n_blocks - k * SLAB_BLOCKS, SLAB_BLOCKS);
        for (uint32_t r = 0; r < n_rows; r++)
            fill_w(p->slab, e, w + r * row_bytes + k * slab_bytes, r, n_blocks);
        struct ahead ahead = {k + 1 < p->n_slabs ? w + (k + 1) * slab_bytes : w + ROWS * row_bytes,
                              row_bytes};
        for (uint32_t g = 0; g < n_groups; g++) {
            uint8_t *group = p->x + g * p->group_bytes;
            const uint8_t *x = group + LANES_BYTES + k * SLAB_BLOCKS * p->x_block_bytes;
            add_slab(p, e, x, n_blocks, ahead, (__m512 *)(void *)group);
            ahead.p = NULL;
        }
    }
    for (uint32_t g = 0; g < n_groups; g++) {
        __m512 y[ROWS];
        uint32_t t = part->t_begin + g * COLS;
        finish_tile((__m512 *)(void *)(p->x + g * p->group_bytes), a->scale, y);
        store_tile(a, n, n_rows, t, (uint32_t)num_min(part->t_end - t, COLS), y);
    }
}

INLINE void panel_body(const struct matmul_args *a, const struct matmul_part *part,
                       const struct encoding e)
{
    struct panel p = panel_of(a->n_in, e.form, part->scratch);
    uint8_t *group = p.x;
    for (uint32_t t = part->t_begin; t < part->t_end; t += COLS, group += p.group_bytes) {
        memset(group, 0, LANES_BYTES);
        fill_x(a, &p, e, t, (uint32_t)num_min(part->t_end - t, COLS), group);
    }
    for (uint32_t n = part->n_begin; n < part->n_end; n += ROWS)
        row_group(a, part, e, &p, n);
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

#define X(name, step, form, step_bytes, offset_log2)                                               \
    static void panel_##name(const struct matmul_args *a, const struct matmul_part *part)          \
    {                                                                                              \
        panel_body(a, part, (struct encoding){step, form, step_bytes, offset_log2});               \
    }
ENCODINGS(X)
#undef X

const struct matmul_isa matmul_isa_avx512 = {
    .panel =
        {
#define X(name, ...) [QTYPE_##name] = panel_##name,
            ENCODINGS(X)
#undef X
        },
    .panel_rows = panel_rows,
    .panel_min_rows = MAX_ROWS_COLS + 1,
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
