/*
 * avxvnni.c - AVX-VNNI: 32 int8 multiplies an instruction in vectors of 256 bits, on processors without AVX-512.
 *
 * The multiplies are inline assembly: gcc 12 keeps the accumulators of their intrinsics in memory. {vex}: as AVX-VNNI
 * encodes them, and not as AVX-512 does.
 */
#include "avx256.h"

#include "kernels.h"

/* sum += u8 x s8, four neighbours a lane. */
#define DOT(sum, a, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(w))

INLINE __m256i spread(const void *p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm256_set1_epi32(four);
}

INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    for (uint32_t f = 0; f < GTI_PANEL; f += 16) {
        __m256i sums[GTI_TILE][2];
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            sums[r][0] = _mm256_setzero_si256();
            sums[r][1] = _mm256_setzero_si256();
        }
        const uint8_t *x = a;
        const int8_t *from = w + f * 4;
#pragma GCC unroll 1
        for (; x < a + columns; x += 4, from += 4 * GTI_PANEL) {
            const __m256i w0 = _mm256_loadu_si256((const __m256i *)from);
            const __m256i w1 = _mm256_loadu_si256((const __m256i *)(from + 32));
#pragma GCC unroll 6
            for (uint32_t r = 0; r < rows; r++) {
                const __m256i four = spread(x + r * stride);
                DOT(sums[r][0], four, w0);
                DOT(sums[r][1], four, w1);
            }
        }
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            _mm256_storeu_si256((__m256i *)(out + r * GTI_PANEL + f), sums[r][0]);
            _mm256_storeu_si256((__m256i *)(out + r * GTI_PANEL + f + 8), sums[r][1]);
        }
    }
}

#include "int8_rows.h"
#include "ops.h"

static uint64_t int8_peak(uint64_t rounds) {
    __m256i sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = _mm256_setzero_si256();
    }
    const __m256i x = _mm256_set1_epi8(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(sums[i]) : "x"(x));
        }
    }
    return rounds * 12 * 32;
}

const gti_kernels gti_avx_vnni = {"avx-vnni", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
