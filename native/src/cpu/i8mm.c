/*
 * i8mm.c - NEON with its matrix products: two rows of eight u8 times two of eight s8 an instruction.
 */
#include "neon.h"

#include "kernels.h"

/* Eight columns of a row and of the next. */
INLINE uint8x16_t two_rows(const uint8_t *upper, const uint8_t *lower) {
    return vcombine_u8(vld1_u8(upper), vld1_u8(lower));
}

/*
 * An odd row is multiplied with itself. sums[p][v] is of rows 2p and 2p+1 and outputs 2v and 2v+1: 00 01 10 11.
 */
INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    const uint32_t pairs = (rows + 1) / 2;
    for (uint32_t f = 0; f < GTI_PANEL; f += 16) {
        int32x4_t sums[GTI_TILE / 2][8];
#pragma GCC unroll 3
        for (uint32_t p = 0; p < pairs; p++) {
#pragma GCC unroll 8
            for (uint32_t v = 0; v < 8; v++) {
                sums[p][v] = vdupq_n_s32(0);
            }
        }
        const int8_t *from = w + f * 4;
#pragma GCC unroll 1
        for (uint32_t k = 0; k < columns; k += 8, from += 8 * GTI_PANEL) {
            uint8x16_t x[GTI_TILE / 2];
#pragma GCC unroll 3
            for (uint32_t p = 0; p < pairs; p++) {
                x[p] = two_rows(a + 2 * p * stride + k, a + (2 * p + 1 < rows ? 2 * p + 1 : 2 * p) * stride + k);
            }
#pragma GCC unroll 4
            for (uint32_t v = 0; v < 4; v++) {
                /* Four outputs by four columns, and by the next four: two outputs by eight, and the next two. */
                const int32x4_t q0 = vreinterpretq_s32_s8(vld1q_s8(from + v * 16));
                const int32x4_t q1 = vreinterpretq_s32_s8(vld1q_s8(from + v * 16 + 4 * GTI_PANEL));
                const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(q0, q1));
                const int8x16_t high = vreinterpretq_s8_s32(vzip2q_s32(q0, q1));
#pragma GCC unroll 3
                for (uint32_t p = 0; p < pairs; p++) {
                    sums[p][2 * v] = vusmmlaq_s32(sums[p][2 * v], x[p], low);
                    sums[p][2 * v + 1] = vusmmlaq_s32(sums[p][2 * v + 1], x[p], high);
                }
            }
        }
#pragma GCC unroll 3
        for (uint32_t p = 0; p < pairs; p++) {
            int32_t *to = out + 2 * p * GTI_PANEL + f;
#pragma GCC unroll 4
            for (uint32_t v = 0; v < 4; v++) {
                const int64x2_t low = vreinterpretq_s64_s32(sums[p][2 * v]);
                const int64x2_t high = vreinterpretq_s64_s32(sums[p][2 * v + 1]);
                vst1q_s32(to + v * 4, vreinterpretq_s32_s64(vzip1q_s64(low, high)));
                if (2 * p + 1 < rows) {
                    vst1q_s32(to + GTI_PANEL + v * 4, vreinterpretq_s32_s64(vzip2q_s64(low, high)));
                }
            }
        }
    }
}

#include "int8_rows.h"
#include "ops.h"

static uint64_t int8_peak(uint64_t rounds) {
    int32x4_t sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = vdupq_n_s32(0);
    }
    const uint8x16_t x = vdupq_n_u8(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            __asm__ volatile("usmmla %0.4s, %1.16b, %1.16b" : "+w"(sums[i]) : "w"(x));
        }
    }
    return rounds * 12 * 32;
}

const gti_kernels gti_i8mm = {"i8mm", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
