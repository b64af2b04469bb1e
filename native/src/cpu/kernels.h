/*
 * kernels.h - what each instruction set computes, on the layouts of packed.h. One file an instruction set fills one
 * gti_kernels (or two that share it). Nothing is allocated; any thread may call anything on rows that nobody else
 * writes at that time.
 */
#ifndef GTI_KERNELS_H
#define GTI_KERNELS_H

#include "model.h"

/* Most rows that a linear is given at once. */
#define GTI_BLOCK 132u
/* And that are computed at once where an operand is made of them: a group of theirs is staged in the second cache. */
#define GTI_STAGED 66u
/* Rows of a tile, whose sums stay in registers. */
#define GTI_TILE 6u
/* Calls tile(n), n being rows as a constant, so that what it inlines is compiled for each number of rows. */
#define GTI_EACH_ROWS(rows, tile)                                                                                      \
    switch (rows) {                                                                                                    \
        case 1:                                                                                                        \
            tile(1);                                                                                                   \
            break;                                                                                                     \
        case 2:                                                                                                        \
            tile(2);                                                                                                   \
            break;                                                                                                     \
        case 3:                                                                                                        \
            tile(3);                                                                                                   \
            break;                                                                                                     \
        case 4:                                                                                                        \
            tile(4);                                                                                                   \
            break;                                                                                                     \
        case 5:                                                                                                        \
            tile(5);                                                                                                   \
            break;                                                                                                     \
        case 6:                                                                                                        \
            tile(6);                                                                                                   \
            break;                                                                                                     \
    }
/* Elements behind the last value of attention that may be read: three vectors are multiplied like four. */
#define GTI_OVERREAD 31u

/* What becomes of a linear's result, in this order. */
typedef struct gti_epilogue {
    const float *residual;      /* added, [n][residual_stride], or NULL; may be out itself */
    uint64_t residual_stride;   /* floats */
    gti_activation activation;  /* NONE where there is a residual */
    float *out;                 /* [n][out_stride], whole panels; or NULL: then one of those below */
    uint16_t *out_bf16;         /* the same, rounded to bf16; with neither residual nor activation */
    uint64_t out_stride;        /* elements */
    const gti_operand *operand; /* the next linear's; panels then come in whole groups */
} gti_epilogue;

/* One head of one sequence. Queries, keys and values are float or, with bf16, uint16_t in strides that are even. */
typedef struct gti_attention {
    const void *queries; /* [query_count][query_stride] */
    const void *keys;    /* [key_count][stride] */
    const void *values;  /* [key_count][stride]; may be read up to GTI_OVERREAD elements beyond width */
    uint64_t query_stride; /* elements */
    uint64_t stride;
    uint32_t query_count;
    uint32_t key_count;
    uint32_t width; /* of the head; even with bf16 */
    float scale;    /* of the scores, before their softmax */
    bool bf16;
    float *out; /* [query_count][out_stride] */
    uint64_t out_stride;
    void *scratch; /* gti_attention_bytes */
} gti_attention;

typedef struct gti_kernels {
    const char *name;
    bool bf16; /* multiplies bf16 */
    /* Exact sums of u8 x s8: sums[rows][64] = a [rows][columns] times a panel's columns. Up to GTI_TILE rows. */
    void (*int8_sums)(const uint8_t *a, uint64_t stride, uint32_t rows, const int8_t *panel, uint32_t columns,
                      int32_t *sums);
    /* Makes rows first to first+count of operand from x [count][stride]. */
    void (*prepare)(gti_compute compute, const float *x, uint64_t stride, uint64_t first, uint32_t count,
                    const gti_operand *operand);
    /*
     * Rows first to first+count (at most GTI_BLOCK) of operand times panels from to to. What the epilogue names is
     * addressed by the same rows and, but for its operand, by the same panels. next: the panel that this thread will
     * multiply then, which is asked for meanwhile; or NULL. scratch: GTI_LINEAR_BYTES.
     */
    void (*linear)(const gti_packed *weights, const gti_operand *operand, uint64_t first, uint32_t count, uint32_t from,
                   uint32_t to, const gti_epilogue *epilogue, const void *next, void *scratch);
    /* x [count][stride] = its norm, in place; then made into rows first to first+count of operand, unless NULL. */
    void (*norm)(gti_compute compute, const gti_norm *norm, float epsilon, float *x, uint64_t stride, uint64_t first,
                 uint32_t count, const gti_operand *operand);
    void (*attend)(const gti_attention *attention);
    /* x += y */
    void (*add)(float *x, const float *y, uint64_t count);
    /* Multiplies int8 in registers and does nothing else; returns how many. The most that this core can do. */
    uint64_t (*int8_peak)(uint64_t rounds);
} gti_kernels;

#define GTI_LINEAR_BYTES ((uint64_t)(GTI_BLOCK * GTI_PANEL + GTI_STAGED * GTI_GROUP) * sizeof(float))

/* Scratch of one attention, for every instruction set. */
static inline uint64_t gti_attention_bytes(uint64_t keys, uint64_t width) {
    const uint64_t padded = GTI_PANELS_OF(keys) * GTI_PANEL;
    const uint64_t wide = GTI_PANELS_OF(width) * GTI_PANEL;
    return ((2 * padded + GTI_TILE) * (wide + 2) + (padded / 2 + 1) * wide + GTI_TILE * (2 * padded + wide))
           * sizeof(float);
}

#endif
