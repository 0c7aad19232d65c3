/* F32, F16 and BF16 weights on AVX-512: lane = k % 16, 4 rows of W x up to 5 rows of x in
 * registers.   See matmul.h */
#include "kernels/matmul/matmul_isa.h"

#if defined(__x86_64__)

#include "runtime/base/num.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE_ROWS = 4, TILE_COLS = 5 };

INLINE __m512 load16(enum qtype type, const uint8_t *row, size_t k)
{
    if (type == QTYPE_F32)
        return _mm512_loadu_ps(row + 4 * k);
    __m256i half = _mm256_loadu_si256((const __m256i *)(const void *)(row + 2 * k));
    if (type == QTYPE_F16)
        return _mm512_cvtph_ps(half);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/* 16 lanes i + (i + 8), then + 4, + 2, + 1. */
INLINE float fold16(__m512 lanes)
{
    __m256 y = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/* n_rows and n_cols are constants where this is inlined. */
INLINE void tile(const struct matmul_args *a, enum qtype type, uint32_t n, uint32_t t,
                 uint32_t n_rows, uint32_t n_cols)
{
    size_t row_bytes = qtype_row_bytes(type, a->n_in);
    const uint8_t *w = (const uint8_t *)a->w + n * row_bytes;
    const float *x = a->x + (size_t)t * a->n_in;
    __m512 acc[TILE_ROWS][TILE_COLS];
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t c = 0; c < n_cols; c++)
            acc[r][c] = _mm512_setzero_ps();
    for (size_t k = 0; k < a->n_in; k += 16) {
        __m512 xs[TILE_COLS];
        for (uint32_t c = 0; c < n_cols; c++)
            xs[c] = _mm512_loadu_ps(x + c * (size_t)a->n_in + k);
        for (uint32_t r = 0; r < n_rows; r++) {
            __m512 ws = load16(type, w + r * row_bytes, k);
            for (uint32_t c = 0; c < n_cols; c++)
                acc[r][c] = _mm512_fmadd_ps(ws, xs[c], acc[r][c]);
        }
    }
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t c = 0; c < n_cols; c++)
            a->y[(size_t)(t + c) * a->y_stride + n + r] = fold16(acc[r][c]) * a->scale;
}

INLINE void tile_of_cols(const struct matmul_args *a, enum qtype type, uint32_t n, uint32_t t,
                         uint32_t n_rows, uint32_t n_cols)
{
    switch (n_cols) {
    case 1:
        tile(a, type, n, t, n_rows, 1);
        break;
    case 2:
        tile(a, type, n, t, n_rows, 2);
        break;
    case 3:
        tile(a, type, n, t, n_rows, 3);
        break;
    case 4:
        tile(a, type, n, t, n_rows, 4);
        break;
    default:
        tile(a, type, n, t, n_rows, TILE_COLS);
        break;
    }
}

INLINE void float_body(const struct matmul_args *a, const struct matmul_part *part, enum qtype type)
{
    for (uint32_t n = part->n_begin; n < part->n_end;) {
        uint32_t n_rows = part->n_end - n >= TILE_ROWS ? TILE_ROWS : 1;
        for (uint32_t t = part->t_begin; t < part->t_end; t += TILE_COLS) {
            uint32_t n_cols = (uint32_t)num_min(part->t_end - t, TILE_COLS);
            if (n_rows == TILE_ROWS)
                tile_of_cols(a, type, n, t, TILE_ROWS, n_cols);
            else
                tile_of_cols(a, type, n, t, 1, n_cols);
        }
        n += n_rows;
    }
}

void matmul_float_avx512(const struct matmul_args *a, const struct matmul_part *part)
{
    if (a->w_type == QTYPE_F32)
        float_body(a, part, QTYPE_F32);
    else if (a->w_type == QTYPE_F16)
        float_body(a, part, QTYPE_F16);
    else
        float_body(a, part, QTYPE_BF16);
}

#endif
