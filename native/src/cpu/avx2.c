/*
 * avx2.c - AVX2 and FMA: eight floats a vector, int8 by products of 16 bits.
 */
#include "avx256.h"

#define PAIR_LANES 8

typedef __m256i vi;

INLINE vi vi_zero(void) {
    return _mm256_setzero_si256();
}
INLINE vi vi_load(const int8_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}
INLINE void vi_store(int32_t *p, vi v) {
    _mm256_storeu_si256((__m256i *)p, v);
}
INLINE vi vi_spread(const uint32_t *p) {
    return _mm256_set1_epi32((int32_t)*p);
}
INLINE vi vi_add(vi a, vi b) {
    return _mm256_add_epi32(a, b);
}
INLINE vi vi_madd(vi a, vi b) {
    return _mm256_madd_epi16(a, b);
}
INLINE vi vi_even(vi v) {
    return _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8);
}
INLINE vi vi_odd(vi v) {
    return _mm256_srai_epi16(v, 8);
}

#include "int8_pairs.h"
#include "ops.h"

static uint64_t int8_peak(uint64_t rounds) {
    __m256i sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = _mm256_setzero_si256();
    }
    const __m256i x = _mm256_set1_epi16(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            __m256i product;
            __asm__ volatile("vpmaddwd %2, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sums[i]), "=&x"(product) : "x"(x));
        }
    }
    return rounds * 12 * 16;
}

const gti_kernels gti_avx2 = {"avx2", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
