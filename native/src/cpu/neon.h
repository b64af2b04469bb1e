/*
 * neon.h - ops.h's vector of floats in NEON's 128 bits, for all sets of arm64.
 */
#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>

#define GTI_LANES 4
#define GTI_TILE_VECTORS 4

typedef float32x4_t vf;

#define INLINE static inline __attribute__((always_inline))

INLINE vf vf_load(const float *p) {
    return vld1q_f32(p);
}
INLINE void vf_store(float *p, vf v) {
    vst1q_f32(p, v);
}
INLINE vf vf_load_some(const float *p, uint32_t n) {
    const float lanes[4] = {n > 0 ? p[0] : 0.0f, n > 1 ? p[1] : 0.0f, n > 2 ? p[2] : 0.0f, 0.0f};
    return vld1q_f32(lanes);
}
INLINE void vf_store_some(float *p, vf v, uint32_t n) {
    float lanes[4];
    vst1q_f32(lanes, v);
    for (uint32_t i = 0; i < n; i++) {
        p[i] = lanes[i];
    }
}
INLINE vf vf_set(float x) {
    return vdupq_n_f32(x);
}
INLINE vf vf_add(vf a, vf b) {
    return vaddq_f32(a, b);
}
INLINE vf vf_sub(vf a, vf b) {
    return vsubq_f32(a, b);
}
INLINE vf vf_mul(vf a, vf b) {
    return vmulq_f32(a, b);
}
INLINE vf vf_fma(vf a, vf b, vf c) {
    return vfmaq_f32(c, a, b);
}
INLINE vf vf_min(vf a, vf b) {
    return vminq_f32(a, b);
}
INLINE vf vf_max(vf a, vf b) {
    return vmaxq_f32(a, b);
}
INLINE float vf_sum(vf v) {
    return vaddvq_f32(v);
}
INLINE float vf_least(vf v) {
    return vminvq_f32(v);
}
INLINE float vf_most(vf v) {
    return vmaxvq_f32(v);
}
INLINE uint32_t vf_equal(vf a, vf b) {
    static const uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vceqq_f32(a, b), vld1q_u32(bits)));
}
INLINE vf vf_unless_equal(vf a, vf b) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a), vceqq_f32(a, b)));
}
INLINE vf vf_exp2i(vf n, vf x) {
    const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
}
INLINE vf vf_round(vf v) {
    return vrndnq_f32(v);
}
INLINE vf vf_from_int(const int32_t *p) {
    return vcvtq_f32_s32(vld1q_s32(p));
}
INLINE void store_bytes(uint8_t *p, vf v) {
    const uint16x4_t words = vqmovn_u32(vcvtnq_u32_f32(v));
    const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    __builtin_memcpy(p, &four, sizeof(four));
}

#define GTI_TRANSPOSE

INLINE void transpose_block(const uint32_t *from, uint64_t from_stride, uint32_t *to, uint64_t to_stride) {
    for (uint32_t r = 0; r < 16; r += 4) {
        for (uint32_t c = 0; c < 16; c += 4) {
            const uint32_t *block = from + r * from_stride + c;
            const uint32x4_t a = vld1q_u32(block);
            const uint32x4_t b = vld1q_u32(block + from_stride);
            const uint32x4_t d = vld1q_u32(block + 2 * from_stride);
            const uint32x4_t e = vld1q_u32(block + 3 * from_stride);
            const uint64x2_t ab_even = vreinterpretq_u64_u32(vtrn1q_u32(a, b));
            const uint64x2_t ab_odd = vreinterpretq_u64_u32(vtrn2q_u32(a, b));
            const uint64x2_t de_even = vreinterpretq_u64_u32(vtrn1q_u32(d, e));
            const uint64x2_t de_odd = vreinterpretq_u64_u32(vtrn2q_u32(d, e));
            uint32_t *column = to + c * to_stride + r;
            vst1q_u32(column, vreinterpretq_u32_u64(vtrn1q_u64(ab_even, de_even)));
            vst1q_u32(column + to_stride, vreinterpretq_u32_u64(vtrn1q_u64(ab_odd, de_odd)));
            vst1q_u32(column + 2 * to_stride, vreinterpretq_u32_u64(vtrn2q_u64(ab_even, de_even)));
            vst1q_u32(column + 3 * to_stride, vreinterpretq_u32_u64(vtrn2q_u64(ab_odd, de_odd)));
        }
    }
}

/*
 * For sets that multiply only u8 x u8 or s8 x s8: a w = a (w + 128) - 128 a, and w + 128 is w with its upper bit
 * turned. -128 times a row's sum, modulo 2^32 like all sums here.
 */
INLINE uint32_t turned_bits(const uint8_t *a, uint32_t columns) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < columns; i++) {
        sum += a[i];
    }
    return 0u - 128u * sum;
}

/* Sixteen weights of one column quad, plus 128. */
INLINE uint8x16_t turned(const int8_t *w) {
    return veorq_u8(vreinterpretq_u8_s8(vld1q_s8(w)), vdupq_n_u8(0x80));
}
