/*
 * sse42.c - SSE4.2, the lowest of x86-64 that the kernel runs on: four floats a vector, int8 by products of 16 bits.
 */
#include <smmintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define GTI_LANES 4
#define GTI_TILE_VECTORS 2

typedef __m128 vf;

#define INLINE static inline __attribute__((always_inline))

INLINE vf vf_load(const float *p) {
    return _mm_loadu_ps(p);
}
INLINE void vf_store(float *p, vf v) {
    _mm_storeu_ps(p, v);
}
INLINE vf vf_load_some(const float *p, uint32_t n) {
    return _mm_setr_ps(n > 0 ? p[0] : 0.0f, n > 1 ? p[1] : 0.0f, n > 2 ? p[2] : 0.0f, 0.0f);
}
INLINE void vf_store_some(float *p, vf v, uint32_t n) {
    float lanes[4];
    _mm_storeu_ps(lanes, v);
    for (uint32_t i = 0; i < n; i++) {
        p[i] = lanes[i];
    }
}
INLINE vf vf_set(float x) {
    return _mm_set1_ps(x);
}
INLINE vf vf_add(vf a, vf b) {
    return _mm_add_ps(a, b);
}
INLINE vf vf_sub(vf a, vf b) {
    return _mm_sub_ps(a, b);
}
INLINE vf vf_mul(vf a, vf b) {
    return _mm_mul_ps(a, b);
}
INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
INLINE vf vf_min(vf a, vf b) {
    return _mm_min_ps(a, b);
}
INLINE vf vf_max(vf a, vf b) {
    return _mm_max_ps(a, b);
}

/* The lanes of v by op, at first the upper half with the lower. */
#define ACROSS(op, v)                                                                                                  \
    const __m128 x = op##_ps(v, _mm_movehl_ps(v, v));                                                                  \
    return _mm_cvtss_f32(op##_ss(x, _mm_shuffle_ps(x, x, 1)))

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
    return (uint32_t)_mm_movemask_ps(_mm_cmpeq_ps(a, b));
}
INLINE vf vf_unless_equal(vf a, vf b) {
    return _mm_andnot_ps(_mm_cmpeq_ps(a, b), a);
}
INLINE vf vf_exp2i(vf n, vf x) {
    const __m128i exponent = _mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127));
    return _mm_mul_ps(x, _mm_castsi128_ps(_mm_slli_epi32(exponent, 23)));
}
INLINE vf vf_round(vf v) {
    return _mm_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vf vf_from_int(const int32_t *p) {
    return _mm_cvtepi32_ps(_mm_loadu_si128((const __m128i *)p));
}
INLINE void store_bytes(uint8_t *p, vf v) {
    const __m128i n = _mm_cvtps_epi32(v);
    const __m128i words = _mm_packs_epi32(n, n);
    const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    __builtin_memcpy(p, &four, sizeof(four));
}

#define PAIR_LANES 4

typedef __m128i vi;

INLINE vi vi_zero(void) {
    return _mm_setzero_si128();
}
INLINE vi vi_load(const int8_t *p) {
    return _mm_loadu_si128((const __m128i *)p);
}
INLINE void vi_store(int32_t *p, vi v) {
    _mm_storeu_si128((__m128i *)p, v);
}
INLINE vi vi_spread(const uint32_t *p) {
    return _mm_set1_epi32((int32_t)*p);
}
INLINE vi vi_add(vi a, vi b) {
    return _mm_add_epi32(a, b);
}
INLINE vi vi_madd(vi a, vi b) {
    return _mm_madd_epi16(a, b);
}
INLINE vi vi_even(vi v) {
    return _mm_srai_epi16(_mm_slli_epi16(v, 8), 8);
}
INLINE vi vi_odd(vi v) {
    return _mm_srai_epi16(v, 8);
}

#include "int8_pairs.h"
#include "ops.h"

static uint64_t int8_peak(uint64_t rounds) {
    __m128i sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = _mm_setzero_si128();
    }
    const __m128i x = _mm_set1_epi16(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            __m128i product = x;
            __asm__ volatile("pmaddwd %2, %1\n\tpaddd %1, %0" : "+x"(sums[i]), "+x"(product) : "x"(x));
        }
    }
    return rounds * 12 * 8;
}

const gti_kernels gti_sse42 = {"sse4.2", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
