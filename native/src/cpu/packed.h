/*
 * packed.h - the layout of weights and of the rows that they are multiplied with: one for all instruction sets.
 *
 * Weights lie in panels of GTI_PANEL outputs, zero beyond the last. A panel holds all input columns of its outputs:
 * int8 as [columns/4][64][4], bf16 as [columns/2][64][2], f32 as [columns][64]; the columns are padded with zeros to a
 * multiple of GTI_COLUMN_STEP. An int8 weight, -128 to 127, counts as many times the scale of its output.
 * GTI_GROUP input columns form a group: sums[group][64] holds, for each, the sum of an output's int8 weights.
 *
 * Rows are made ready first, and padded alike with anything finite. int8: each group of a row has a scale and a shift
 * of its own, and x = scale q + shift, q from 0 to 255. Encoders have channels that dwarf all others: one column of a
 * group may stand apart, with q = 0 and an excess, x = shift + excess, so that the others keep their precision.
 * bf16: rounded to nearest even. f32: as they are.
 *
 * int8: y = scale_w * sum over the groups, in their order, of (excess_x * w + scale_x * dot + shift_x * sum_w) + bias,
 * w that of the column that stands apart. dot is an exact int32, 255 * 128 * 768 at most, rounded once to a float.
 * Nothing of it depends on the other rows.
 */
#ifndef GTI_PACKED_H
#define GTI_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#define GTI_PANEL 64u
#define GTI_GROUP 768u
#define GTI_COLUMN_STEP 8u

#define GTI_PANELS_OF(features) (((features) + GTI_PANEL - 1) / GTI_PANEL)
#define GTI_GROUPS_OF(columns) (((columns) + GTI_GROUP - 1) / GTI_GROUP)
#define GTI_PADDED_COLUMNS(columns) (((columns) + GTI_COLUMN_STEP - 1) / GTI_COLUMN_STEP * GTI_COLUMN_STEP)

/* How linears are multiplied; the numbers are gatun.h's GT_COMPUTE_... */
typedef enum gti_compute { GTI_COMPUTE_INT8, GTI_COMPUTE_F32, GTI_COMPUTE_BF16, GTI_COMPUTE_GGML } gti_compute;

/* Weights. All pointers are to the model's memory. */
typedef struct gti_packed {
    gti_compute compute;
    uint32_t features; /* outputs */
    uint32_t columns;  /* inputs */
    void *panels;      /* [panels], see above */
    float *scales;     /* [panels][64]; int8 only */
    float *sums;       /* [panels][groups][64]; int8 only */
    float *bias;       /* [panels][64]; zero where the file has none */
} gti_packed;

/* What the integers of a group stand for. */
typedef struct gti_scaling {
    float scale;
    float shift;
    float excess; /* 0 where no column stands apart */
    uint32_t column; /* that does, in its group */
} gti_scaling;

/* Rows that are ready to be multiplied. */
typedef struct gti_operand {
    void *rows;           /* [n][stride] */
    uint64_t stride;      /* bytes from a row to the next */
    gti_scaling *scaling; /* [n][groups]; int8 only */
    uint32_t columns;
    bool apart; /* whether columns may stand apart */
} gti_operand;

/* Bytes of one element in panels and operands. */
static inline uint64_t gti_element_bytes(gti_compute compute) {
    return compute == GTI_COMPUTE_INT8 ? 1 : compute == GTI_COMPUTE_BF16 ? 2 : 4;
}

static inline void *gti_panel(const gti_packed *packed, uint32_t panel) {
    const uint64_t elements = (uint64_t)GTI_PADDED_COLUMNS(packed->columns) * GTI_PANEL;
    return (uint8_t *)packed->panels + panel * elements * gti_element_bytes(packed->compute);
}

#endif
