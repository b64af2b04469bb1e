/*
 * avx256.h - ops.h's vector of floats in 256 bits, for the instruction sets of x86-64-v3: AVX2 and FMA.
 */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define GTI_LANES 8
#define GTI_TILE_VECTORS 2

typedef __m256 vf;

#define INLINE static inline __attribute__((always_inline))

/* All bits of the first n lanes, n < 8. */
INLINE __m256i some(uint32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vf vf_load(const float *p) {
    return _mm256_loadu_ps(p);
}
INLINE void vf_store(float *p, vf v) {
    _mm256_storeu_ps(p, v);
}
INLINE vf vf_load_some(const float *p, uint32_t n) {
    return _mm256_maskload_ps(p, some(n));
}
INLINE void vf_store_some(float *p, vf v, uint32_t n) {
    _mm256_maskstore_ps(p, some(n), v);
}
INLINE vf vf_set(float x) {
    return _mm256_set1_ps(x);
}
INLINE vf vf_add(vf a, vf b) {
    return _mm256_add_ps(a, b);
}
INLINE vf vf_sub(vf a, vf b) {
    return _mm256_sub_ps(a, b);
}
INLINE vf vf_mul(vf a, vf b) {
    return _mm256_mul_ps(a, b);
}
INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}
INLINE vf vf_min(vf a, vf b) {
    return _mm256_min_ps(a, b);
}
INLINE vf vf_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}

/* The lanes of v by op, at first the upper half with the lower. */
#define ACROSS(op, v)                                                                                                  \
    __m128 x = op##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));                                        \
    x = op##_ps(x, _mm_movehl_ps(x, x));                                                                               \
    return _mm_cvtss_f32(op##_ss(x, _mm_movehdup_ps(x)))

INLINE float vf_sum(vf v) {
    ACROSS(_mm_add, v);
}
INLINE float vf_least(vf v) {
    ACROSS(_mm_min, v);
}
INLINE float vf_most(vf v) {
    ACROSS(_mm_max, v);
}
#undef ACROSS

INLINE uint32_t vf_equal(vf a, vf b) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}
INLINE vf vf_unless_equal(vf a, vf b) {
    return _mm256_andnot_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ), a);
}
INLINE vf vf_exp2i(vf n, vf x) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}
INLINE vf vf_round(vf v) {
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vf vf_from_int(const int32_t *p) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)p));
}
INLINE void store_bytes(uint8_t *p, vf v) {
    const __m256i n = _mm256_cvtps_epi32(v);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
}

#define GTI_TRANSPOSE

/* Eight rows of eight: to[c][r] = from[r][c]. */
INLINE void transpose_8x8(const float *from, uint64_t from_stride, float *to, uint64_t to_stride) {
    __m256 a[8];
    __m256 b[8];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) {
        /* Rows i and i + 4 side by side: columns 0 to 3, then 4 to 7. */
        const float *row = from + i * from_stride;
        const float *lower = row + 4 * from_stride;
        a[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row)), _mm_loadu_ps(lower), 1);
        a[4 + i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row + 4)), _mm_loadu_ps(lower + 4), 1);
    }
#pragma GCC unroll 2
    for (uint32_t half = 0; half < 8; half += 4) {
        b[half] = _mm256_unpacklo_ps(a[half], a[half + 1]);
        b[half + 1] = _mm256_unpackhi_ps(a[half], a[half + 1]);
        b[half + 2] = _mm256_unpacklo_ps(a[half + 2], a[half + 3]);
        b[half + 3] = _mm256_unpackhi_ps(a[half + 2], a[half + 3]);
        float *column = to + half * to_stride;
        _mm256_storeu_ps(column, _mm256_shuffle_ps(b[half], b[half + 2], 0x44));
        _mm256_storeu_ps(column + to_stride, _mm256_shuffle_ps(b[half], b[half + 2], 0xee));
        _mm256_storeu_ps(column + 2 * to_stride, _mm256_shuffle_ps(b[half + 1], b[half + 3], 0x44));
        _mm256_storeu_ps(column + 3 * to_stride, _mm256_shuffle_ps(b[half + 1], b[half + 3], 0xee));
    }
}

INLINE void transpose_block(const uint32_t *from, uint64_t from_stride, uint32_t *to, uint64_t to_stride) {
    for (uint32_t r = 0; r < 16; r += 8) {
        for (uint32_t c = 0; c < 16; c += 8) {
            transpose_8x8((const float *)from + r * from_stride + c, from_stride, (float *)to + c * to_stride + r,
                          to_stride);
        }
    }
}
