/*
 * int8_pairs.h - u8 x s8 where the processor has no such product that is exact: pmaddubsw saturates, as 2 * 255 * 128 is
 * more than 16 bits hold. Here both are widened to 16 bits first, columns 0 and 2 of each four apart from 1 and 3.
 * pmaddwd multiplies 16 bits and adds two neighbours in 32: nothing is lost, and nothing overflows before
 * 65,793 columns.
 *
 * The file that includes it has defined:
 *
 *   PAIR_LANES                    int32 of a vector
 *   vi                            the vector
 *   vi_zero(), vi_store, vi_add
 *   vi_load                       of 4 PAIR_LANES bytes
 *   vi_spread(const uint32_t *)   to every lane
 *   vi_madd                       pmaddwd
 *   vi_even, vi_odd               bytes 0 and 2, 1 and 3 of each lane, to signed 16 bits
 */
#include <stdint.h>
#include <string.h>

#include <emmintrin.h>

#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))

/* Bytes 0 and 2 of each four, and 1 and 3, to 16 bits; columns is a multiple of 8, and at most GTI_GROUP. */
INLINE void widen_row(const uint8_t *a, uint32_t columns, uint32_t *even, uint32_t *odd) {
    const __m128i low = _mm_set1_epi16(0xff);
    uint32_t i = 0;
    for (; i + 16 <= columns; i += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(a + i));
        _mm_storeu_si128((__m128i *)(even + i / 4), _mm_and_si128(x, low));
        _mm_storeu_si128((__m128i *)(odd + i / 4), _mm_srli_epi16(x, 8));
    }
    if (i < columns) {
        const __m128i x = _mm_loadl_epi64((const __m128i *)(a + i));
        _mm_storel_epi64((__m128i *)(even + i / 4), _mm_and_si128(x, low));
        _mm_storel_epi64((__m128i *)(odd + i / 4), _mm_srli_epi16(x, 8));
    }
}

INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    uint32_t even[GTI_TILE][GTI_GROUP / 4];
    uint32_t odd[GTI_TILE][GTI_GROUP / 4];
    for (uint32_t r = 0; r < rows; r++) {
        widen_row(a + r * stride, columns, even[r], odd[r]);
    }
    for (uint32_t f = 0; f < GTI_PANEL; f += PAIR_LANES) {
        vi sums[GTI_TILE];
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            sums[r] = vi_zero();
        }
#pragma GCC unroll 1
        for (uint32_t k = 0; k < columns / 4; k++) {
            const vi four = vi_load(w + k * 4 * GTI_PANEL + f * 4);
            const vi w_even = vi_even(four);
            const vi w_odd = vi_odd(four);
#pragma GCC unroll 6
            for (uint32_t r = 0; r < rows; r++) {
                sums[r] = vi_add(sums[r], vi_madd(vi_spread(&even[r][k]), w_even));
                sums[r] = vi_add(sums[r], vi_madd(vi_spread(&odd[r][k]), w_odd));
            }
        }
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            vi_store(out + r * GTI_PANEL + f, sums[r]);
        }
    }
}

#include "int8_rows.h"
