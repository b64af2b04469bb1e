/*
 * avx512.c - AVX-512 with VNNI: sixteen floats a vector, 64 int8 multiplies an instruction; and the same with BF16.
 *
 * The multiplies are inline assembly: gcc 12 keeps the accumulators of their intrinsics in memory. The compiler never
 * emits BF16 instructions by itself, so that both sets share this file, compiled for VNNI.
 */
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define GTI_LANES 16
#define GTI_TILE_VECTORS 4

typedef __m512 vf;

#define INLINE static inline __attribute__((always_inline))

INLINE __mmask16 some(uint32_t n) {
    return (__mmask16)((1u << n) - 1);
}

INLINE vf vf_load(const float *p) {
    return _mm512_loadu_ps(p);
}
INLINE void vf_store(float *p, vf v) {
    _mm512_storeu_ps(p, v);
}
INLINE vf vf_load_some(const float *p, uint32_t n) {
    return _mm512_maskz_loadu_ps(some(n), p);
}
INLINE void vf_store_some(float *p, vf v, uint32_t n) {
    _mm512_mask_storeu_ps(p, some(n), v);
}
INLINE vf vf_set(float x) {
    return _mm512_set1_ps(x);
}
INLINE vf vf_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}
INLINE vf vf_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}
INLINE vf vf_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}
INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
INLINE vf vf_min(vf a, vf b) {
    return _mm512_min_ps(a, b);
}
INLINE vf vf_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}
INLINE float vf_sum(vf v) {
    return _mm512_reduce_add_ps(v);
}
INLINE float vf_least(vf v) {
    return _mm512_reduce_min_ps(v);
}
INLINE float vf_most(vf v) {
    return _mm512_reduce_max_ps(v);
}
INLINE uint32_t vf_equal(vf a, vf b) {
    return _mm512_cmpeq_ps_mask(a, b);
}
INLINE vf vf_unless_equal(vf a, vf b) {
    return _mm512_maskz_mov_ps(_mm512_cmpneq_ps_mask(a, b), a);
}
INLINE vf vf_exp2i(vf n, vf x) {
    return _mm512_scalef_ps(x, n);
}
INLINE vf vf_round(vf v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE void store_bytes(uint8_t *p, vf v) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

#define GTI_GELU
#define ALIGNED __attribute__((aligned(64)))

/*
 * x Phi(x) for what is rounded to 8 bits next: max(x, 0) - a Phi(-a) with a = |x| cut below 4, and a Phi(-a) by sixteen
 * parabolas, each fitted to a quarter; errs by at most 6.6e-5, and not at 0. Few of its instructions keep a port from
 * the multiplies.
 */
INLINE vf gelu_short(vf x) {
    static const float squares[16] ALIGNED = {
        -0.392321616f, -0.344792813f, -0.263688475f, -0.168078616f, -0.0783578679f, -0.00918914843f,
        0.0334756114f, 0.0516666397f, 0.0522326194f, 0.0432007462f, 0.0311476458f, 0.0201190412f,
        0.0118109668f, 0.00635590032f, 0.00315272133f, 0.00144697714f,
    };
    static const float slopes[16] ALIGNED = {
        0.499297053f, 0.47402671f, 0.391937375f, 0.248376817f, 0.069509469f, -0.102428369f,
        -0.229378939f, -0.292205095f, -0.293939978f, -0.253067255f, -0.192781761f, -0.132212058f,
        -0.0824804828f, -0.0471249782f, -0.0247756392f, -0.0122754537f,
    };
    static const float starts[16] ALIGNED = {
        0.0f, 0.0034099489f, 0.0242822226f, 0.0782945901f, 0.167556599f, 0.274492323f,
        0.368978351f, 0.423238605f, 0.424446076f, 0.378195167f, 0.302797943f, 0.219620883f,
        0.145188004f, 0.0878945813f, 0.0489065833f, 0.0260156319f,
    };
    static const float four = 4.0f;
    static const float below_four = 0x1.fffffcp+1f;
    static const float zero = 0.0f;
    vf a;
    vf quarter;
    vf p;
    vf t;
    /* Of 4 + a, which has one exponent, the first four bits behind the point say which quarter. */
    __asm__("vrangeps $10, %[most]%{1to16%}, %[x], %[a]\n\t" /* the smaller of the absolute values */
            "vaddps %[four]%{1to16%}, %[a], %[quarter]\n\t"
            "vmaxps %[zero]%{1to16%}, %[x], %[x]\n\t"
            "vpsrld $19, %[quarter], %[quarter]\n\t"
            "vpermps %[squares], %[quarter], %[p]\n\t"
            "vpermps %[slopes], %[quarter], %[t]\n\t"
            "vpermps %[starts], %[quarter], %[quarter]\n\t"
            "vfmadd213ps %[t], %[a], %[p]\n\t"
            "vfmadd213ps %[quarter], %[a], %[p]\n\t"
            "vsubps %[p], %[x], %[x]"
            : [x] "+v"(x), [a] "=&v"(a), [quarter] "=&v"(quarter), [p] "=&v"(p), [t] "=&v"(t)
            : [most] "m"(below_four), [four] "m"(four), [zero] "m"(zero), [squares] "m"(*(const vf *)squares),
              [slopes] "m"(*(const vf *)slopes), [starts] "m"(*(const vf *)starts));
    return x;
}

/* sum += u8 x s8, four neighbours a lane. */
#define DOT(sum, a, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(w))
/* sum += bf16 x bf16, two neighbours a lane. */
#define DOT_BF16(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b))

INLINE __m512i spread(const void *p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm512_set1_epi32(four);
}

/*
 * sums[rows][4] = rows of a times a panel's columns; so many bytes of ahead are asked for at each four of them, as
 * int8_product says. What is asked for into the first cache waits in few buffers, which its own misses need too: up to
 * a line a step that is best, and better still if each line has two steps; more goes into the second.
 */
INLINE void multiply_tile(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                          const int8_t *ahead, const uint32_t ahead_step, __m512i sums[6][4]) {
#pragma GCC unroll 6
    for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (uint32_t v = 0; v < 4; v++) {
            sums[r][v] = _mm512_setzero_si512();
        }
    }
    const uint8_t *end = a + columns;
#pragma GCC unroll 1
    for (; a < end; a += 4, w += 256) {
        const __m512i w0 = _mm512_loadu_si512(w);
        const __m512i w1 = _mm512_loadu_si512(w + 64);
        const __m512i w2 = _mm512_loadu_si512(w + 128);
        const __m512i w3 = _mm512_loadu_si512(w + 192);
        if (ahead_step == 32 || ahead_step == 64) {
            _mm_prefetch(ahead, _MM_HINT_T0);
        }
#pragma GCC unroll 4
        for (uint32_t i = 0; ahead_step > 64 && i < ahead_step; i += 64) {
            _mm_prefetch(ahead + i, _MM_HINT_T1);
        }
        ahead += ahead_step;
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            const __m512i x = spread(a + r * stride);
            DOT(sums[r][0], x, w0);
            DOT(sums[r][1], x, w1);
            DOT(sums[r][2], x, w2);
            DOT(sums[r][3], x, w3);
        }
    }
}

INLINE void int8_sums_of(const uint32_t rows, const uint8_t *a, uint64_t stride, const int8_t *w, uint32_t columns,
                         int32_t *out) {
    __m512i sums[6][4];
    multiply_tile(rows, a, stride, w, columns, w, 0, sums);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t v = 0; v < 4; v++) {
            _mm512_storeu_si512(out + r * 64 + v * 16, sums[r][v]);
        }
    }
}

#include "int8_rows.h"

#define GTI_INT8_TILE
#define GTI_BF16

/* Two vectors of floats to one of bf16, to nearest even, the first in the lower half. */
INLINE __m512i to_bf16(vf low, vf high) {
    __m512i out;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(out) : "v"(low), "v"(high));
    return out;
}

INLINE void bf16_round(const float *x, uint32_t count, uint16_t *out) {
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        _mm512_storeu_si512(out + i, to_bf16(vf_load(x + i), vf_load(x + i + 16)));
    }
    if (i < count) {
        const uint32_t left = count - i;
        const vf low = left >= 16 ? vf_load(x + i) : vf_load_some(x + i, left);
        const vf high = left > 16 ? vf_load_some(x + i + 16, left - 16) : _mm512_setzero_ps();
        _mm512_mask_storeu_epi16(out + i, (__mmask32)((1ull << left) - 1), to_bf16(low, high));
    }
}

INLINE void bf16_store(uint16_t *out, vf v) {
    __m256i rounded;
    __asm__("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(v));
    _mm256_storeu_si256((__m256i *)out, rounded);
}

/* 2^x by a cubic for the fraction, relative error 8e-5: for what is rounded to bf16, which errs by 2e-3, next. */
INLINE vf exp2_short(vf x) {
    const vf f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    vf p = vf_set(0.0780245222f);
    p = vf_fma(p, f, vf_set(0.226067171f));
    p = vf_fma(p, f, vf_set(0.695833527f));
    p = vf_fma(p, f, vf_set(0.999925221f));
    return _mm512_scalef_ps(p, x);
}

/* The first n lanes; the others are 0. */
INLINE vf bf16_keep(vf v, uint32_t n) {
    return _mm512_maskz_mov_ps(some(n), v);
}

/* out[i] = the pair even[i], odd[i]; odd NULL is zero. Whole vectors are read and written. */
INLINE void bf16_interleave(const uint16_t *even, const uint16_t *odd, uint32_t count, uint32_t *out) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                           5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (uint32_t i = 0; i < count; i += 16) {
        const __m256i low = _mm256_loadu_si256((const __m256i *)(even + i));
        const __m256i high = odd == NULL ? _mm256_setzero_si256() : _mm256_loadu_si256((const __m256i *)(odd + i));
        const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
        _mm512_storeu_si512(out + i, _mm512_permutexvar_epi16(order, both));
    }
}

INLINE void bf16_tile_of(const uint32_t rows, const uint32_t vectors, const uint32_t *a, uint64_t a_stride,
                         const uint32_t *b, uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first,
                         const float *factors) {
    __m512 sums[6][4];
#pragma GCC unroll 6
    for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (uint32_t v = 0; v < vectors; v++) {
            sums[r][v] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(c + r * c_stride + v * 16);
        }
    }
#pragma GCC unroll 1
    for (uint32_t k = 0; k < depth; k++, b += b_stride) {
        __m512i columns[4];
#pragma GCC unroll 4
        for (uint32_t v = 0; v < vectors; v++) {
            columns[v] = _mm512_loadu_si512(b + v * 16);
        }
#pragma GCC unroll 6
        for (uint32_t r = 0; r < rows; r++) {
            const __m512i x = spread(a + r * a_stride + k);
#pragma GCC unroll 4
            for (uint32_t v = 0; v < vectors; v++) {
                DOT_BF16(sums[r][v], x, columns[v]);
            }
        }
    }
#pragma GCC unroll 6
    for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (uint32_t v = 0; v < vectors; v++) {
            const vf sum = factors == NULL ? sums[r][v] : vf_mul(sums[r][v], vf_set(factors[r]));
            vf_store(c + r * c_stride + v * 16, sum);
        }
    }
}

/* Like f32_tile; then each row is multiplied with its factor, unless factors is NULL. */
static void bf16_tile(uint32_t rows, uint32_t columns, const uint32_t *a, uint64_t a_stride, const uint32_t *b,
                      uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first, const float *factors);

#define GTI_TRANSPOSE

INLINE void transpose_block(const uint32_t *from, uint64_t from_stride, uint32_t *to, uint64_t to_stride) {
    __m512i a[16];
    __m512i b[16];
#pragma GCC unroll 16
    for (uint32_t i = 0; i < 16; i++) {
        a[i] = _mm512_loadu_si512(from + i * from_stride);
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 16; i += 4) {
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    /* a[4q + j] holds column 4l + j of rows 4q to 4q+3 in its 128-bit lane l. */
#pragma GCC unroll 4
    for (uint32_t j = 0; j < 4; j++) {
        const __m512i low01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x44);
        const __m512i high01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xee);
        const __m512i low23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x44);
        const __m512i high23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xee);
        _mm512_storeu_si512(to + j * to_stride, _mm512_shuffle_i32x4(low01, low23, 0x88));
        _mm512_storeu_si512(to + (4 + j) * to_stride, _mm512_shuffle_i32x4(low01, low23, 0xdd));
        _mm512_storeu_si512(to + (8 + j) * to_stride, _mm512_shuffle_i32x4(high01, high23, 0x88));
        _mm512_storeu_si512(to + (12 + j) * to_stride, _mm512_shuffle_i32x4(high01, high23, 0xdd));
    }
}

#include "ops.h"

INLINE void end_tile(const uint32_t rows, const end_kind kind, const bool apart, int8_product p, tile_end e,
                     __m512i sums[6][4]) {
#pragma GCC unroll 6
    for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (uint32_t v = 0; v < 4; v++) {
            end_sums(kind, apart, &p, &e, v * 16, _mm512_cvtepi32_ps(sums[r][v]));
        }
        next_product_row(&p, &e);
    }
}

/* The sums never leave their registers before they are scaled, nor the last group's before all is done. */
INLINE void int8_tile_of(const uint32_t rows, const int8_product *p, const tile_end *e) {
    __m512i sums[6][4];
    switch (p->ahead_step) {
#define CASE(step)                                                                                                     \
    case step:                                                                                                         \
        multiply_tile(rows, p->a, p->stride, p->w, p->columns, p->ahead, step, sums);                                  \
        break
        CASE(0);
        CASE(32);
        CASE(64);
        CASE(128);
        default:
            multiply_tile(rows, p->a, p->stride, p->w, p->columns, p->ahead, 256, sums);
#undef CASE
    }
#define END(kind) end_tile(rows, kind, false, *p, *e, sums)
#define END_APART(kind) end_tile(rows, kind, true, *p, *e, sums)
    if (p->apart) {
        EACH_KIND(e->kind, END_APART)
    } else {
        EACH_KIND(e->kind, END)
    }
#undef END_APART
#undef END
}

ALWAYS void int8_tile(uint32_t rows, const int8_product *p, const tile_end *e) {
#define TILE_OF(n) int8_tile_of(n, p, e)
    GTI_EACH_ROWS(rows, TILE_OF)
#undef TILE_OF
}

static void bf16_tile(uint32_t rows, uint32_t columns, const uint32_t *a, uint64_t a_stride, const uint32_t *b,
                      uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first, const float *factors) {
#define FOUR(n) bf16_tile_of(n, 4, a, a_stride, b, b_stride, depth, c, c_stride, first, factors)
#define TWO(n) bf16_tile_of(n, 2, a, a_stride, b, b_stride, depth, c, c_stride, first, factors)
#define ONE(n) bf16_tile_of(n, 1, a, a_stride, b, b_stride, depth, c, c_stride, first, factors)
    for (uint32_t left = (columns + 15) / 16; left > 0;) {
        const uint32_t vectors = left >= 3 ? 4 : left;
        if (vectors == 4) {
            GTI_EACH_ROWS(rows, FOUR)
        } else if (vectors == 2) {
            GTI_EACH_ROWS(rows, TWO)
        } else {
            GTI_EACH_ROWS(rows, ONE)
        }
        left = left > vectors ? left - vectors : 0;
        b += vectors * 16;
        c += vectors * 16;
    }
#undef FOUR
#undef TWO
#undef ONE
}

static uint64_t int8_peak(uint64_t rounds) {
    __m512i sums[12];
#pragma GCC unroll 12
    for (uint32_t i = 0; i < 12; i++) {
        sums[i] = _mm512_setzero_si512();
    }
    const __m512i x = _mm512_set1_epi8(1);
    for (uint64_t n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (uint32_t i = 0; i < 12; i++) {
            __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sums[i]) : "v"(x));
        }
    }
    return rounds * 12 * 64;
}

#define KERNELS(title, multiplies_bf16)                                                                                \
    {title, multiplies_bf16, int8_sums, prepare, linear, norm, attend, add, int8_peak}

const gti_kernels gti_avx512_vnni = KERNELS("avx512-vnni", false);
const gti_kernels gti_avx512_bf16 = KERNELS("avx512-bf16", true);
