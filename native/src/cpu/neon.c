/*
 * neon.c - what every arm64 processor has: four floats a vector, int8 by products of 16 bits that are added in pairs.
 */
#include "neon.h"

#include "kernels.h"

INLINE uint8x16_t spread(const uint8_t *p) {
    uint32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return vreinterpretq_u8_u32(vdupq_n_u32(four));
}

/* A product is at most 255 * 255, which 16 bits hold; sums of two columns stay apart until the end. */
INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    uint32x4_t start[GTI_TILE];
    for (uint32_t r = 0; r < rows; r++) {
        start[r] = vdupq_n_u32(turned_bits(a + r * stride, columns));
    }
    for (uint32_t f = 0; f < GTI_PANEL; f += 8) {
        uint32x4_t sums[GTI_TILE][4]; /* of two outputs each, by pairs of columns */
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
            for (uint32_t v = 0; v < 4; v++) {
                sums[r][v] = vdupq_n_u32(0);
            }
        }
        const int8_t *from = w + f * 4;
#pragma GCC unroll 1
        for (uint32_t k = 0; k < columns; k += 4, from += 4 * GTI_PANEL) {
            const uint8x16_t w0 = turned(from);
            const uint8x16_t w1 = turned(from + 16);
#pragma GCC unroll 6
            for (uint32_t r = 0; r < rows; r++) {
                const uint8x16_t x = spread(a + r * stride + k);
                sums[r][0] = vpadalq_u16(sums[r][0], vmull_u8(vget_low_u8(x), vget_low_u8(w0)));
                sums[r][1] = vpadalq_u16(sums[r][1], vmull_high_u8(x, w0));
                sums[r][2] = vpadalq_u16(sums[r][2], vmull_u8(vget_low_u8(x), vget_low_u8(w1)));
                sums[r][3] = vpadalq_u16(sums[r][3], vmull_high_u8(x, w1));
            }
        }
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            const uint32x4_t low = vaddq_u32(vpaddq_u32(sums[r][0], sums[r][1]), start[r]);
            const uint32x4_t high = vaddq_u32(vpaddq_u32(sums[r][2], sums[r][3]), start[r]);
            vst1q_s32(out + r * GTI_PANEL + f, vreinterpretq_s32_u32(low));
            vst1q_s32(out + r * GTI_PANEL + f + 4, vreinterpretq_s32_u32(high));
        }
    }
}

#include "int8_rows.h"
#include "ops.h"

static uint64_t int8_peak(uint64_t rounds) {
    uint32x4_t sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = vdupq_n_u32(0);
    }
    const uint8x16_t x = vdupq_n_u8(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            uint16x8_t product;
            __asm__ volatile("umull %1.8h, %2.8b, %2.8b\n\tuadalp %0.4s, %1.8h"
                             : "+w"(sums[i]), "=&w"(product)
                             : "w"(x));
        }
    }
    return rounds * 12 * 8;
}

const gti_kernels gti_neon = {"neon", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
