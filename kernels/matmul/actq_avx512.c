/* actq on AVX-512: two vectors of 16 per block.   See matmul.h */
#include "kernels/matmul/matmul_isa.h"

#if defined(__x86_64__)

#include <immintrin.h>

static void put_block(const struct actq_args *a, uint64_t block)
{
    const float *x = a->x + 32 * block;
    int8_t *q = a->out.q + 32 * block;
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    __m512 x0 = _mm512_loadu_ps(x), x1 = _mm512_loadu_ps(x + 16);
    __m512i bits = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(x0), magnitude),
                                    _mm512_and_si512(_mm512_castps_si512(x1), magnitude));
    uint32_t amax_bits = _mm512_reduce_max_epu32(bits);
    float amax = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)amax_bits)));
    float scale = amax / 127;
    bool is_finite = amax_bits < 0x7f800000, is_normal = is_finite && scale >= 0x1p-126f;
    a->out.d[block] = is_normal ? scale : is_finite ? 0 : __builtin_nanf("");
    __mmask16 live = is_normal ? 0xffff : 0;
    __m512 inverse = _mm512_set1_ps(1 / scale);
    __m512i q0 = _mm512_maskz_cvtps_epi32(live, _mm512_mul_ps(x0, inverse));
    __m512i q1 = _mm512_maskz_cvtps_epi32(live, _mm512_mul_ps(x1, inverse));
    _mm_storeu_si128((__m128i *)(void *)q, _mm512_cvtepi32_epi8(q0));
    _mm_storeu_si128((__m128i *)(void *)(q + 16), _mm512_cvtepi32_epi8(q1));
    actq_put_sums(a, block, _mm512_reduce_add_epi32(q0), _mm512_reduce_add_epi32(q1));
}

void actq_avx512(const struct actq_args *a, uint64_t block_begin, uint64_t block_end)
{
    for (uint64_t block = block_begin; block < block_end; block++)
        put_block(a, block);
}

#endif
