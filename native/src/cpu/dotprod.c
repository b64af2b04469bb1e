/*
 * dotprod.c - NEON with its dot products: sixteen int8 multiplies an instruction.
 */
#include "neon.h"

#include "kernels.h"

/* sums[rows][4] += four columns of a, in lane quad of eight, times those of a panel's sixteen outputs. */
#define FOUR_COLUMNS(w, quad)                                                                                          \
    do {                                                                                                               \
        const uint8x16_t w0 = turned(w);                                                                               \
        const uint8x16_t w1 = turned((w) + 16);                                                                        \
        const uint8x16_t w2 = turned((w) + 32);                                                                        \
        const uint8x16_t w3 = turned((w) + 48);                                                                        \
        _Pragma("GCC unroll 6") for (uint32_t r = 0; r < rows; r++) {                                                  \
            const uint8x8_t x = vld1_u8(a + r * stride + k);                                                           \
            sums[r][0] = vdotq_lane_u32(sums[r][0], w0, x, quad);                                                      \
            sums[r][1] = vdotq_lane_u32(sums[r][1], w1, x, quad);                                                      \
            sums[r][2] = vdotq_lane_u32(sums[r][2], w2, x, quad);                                                      \
            sums[r][3] = vdotq_lane_u32(sums[r][3], w3, x, quad);                                                      \
        }                                                                                                              \
    } while (0)

INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    uint32_t start[GTI_TILE];
    for (uint32_t r = 0; r < rows; r++) {
        start[r] = turned_bits(a + r * stride, columns);
    }
    for (uint32_t f = 0; f < GTI_PANEL; f += 16) {
        uint32x4_t sums[GTI_TILE][4];
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
            for (uint32_t v = 0; v < 4; v++) {
                sums[r][v] = vdupq_n_u32(start[r]);
            }
        }
        const int8_t *from = w + f * 4;
#pragma GCC unroll 1
        for (uint32_t k = 0; k < columns; k += 8, from += 8 * GTI_PANEL) {
            FOUR_COLUMNS(from, 0);
            /* Rows are read once more: held in registers, they would leave no room for sums. */
            __asm__ volatile("" ::: "memory");
            FOUR_COLUMNS(from + 4 * GTI_PANEL, 1);
        }
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
            for (uint32_t v = 0; v < 4; v++) {
                vst1q_s32(out + r * GTI_PANEL + f + v * 4, vreinterpretq_s32_u32(sums[r][v]));
            }
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
            __asm__ volatile("udot %0.4s, %1.16b, %1.16b" : "+w"(sums[i]) : "w"(x));
        }
    }
    return rounds * 12 * 16;
}

const gti_kernels gti_dotprod = {"dotprod", false, int8_sums, prepare, linear, norm, attend, add, int8_peak};
