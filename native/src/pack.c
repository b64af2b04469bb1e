#include "pack.h"

#include <math.h>
#include <string.h>

#include "ggml.h"

#define Q8_0_BLOCK 32u
#define Q8_0_BYTES 34u
/* Columns that are turned into floats at once: every type's block divides it. */
#define CHUNK 256u

void gti_plan_packing(gti_loader *loader, gti_compute compute, const gti_linear *linears, uint32_t count,
                      gti_packed *packed) {
    gt_model *model = loader->model;
    const gti_matrix *weight = &linears[0].weight;
    const uint64_t panels = (uint64_t)GTI_PANELS_OF(weight->rows) * count;
    const uint64_t groups = GTI_GROUPS_OF(weight->columns);
    packed->compute = compute;
    packed->features = (uint32_t)(panels * GTI_PANEL);
    packed->columns = weight->columns;
    packed->panels = gti_reserve(loader, panels * GTI_PANEL * GTI_PADDED_COLUMNS(weight->columns)
                                             * gti_element_bytes(compute));
    packed->bias = gti_reserve(loader, panels * GTI_PANEL * sizeof(float));
    if (compute == GTI_COMPUTE_INT8) {
        packed->scales = gti_reserve(loader, panels * GTI_PANEL * sizeof(float));
        packed->sums = gti_reserve(loader, panels * groups * GTI_PANEL * sizeof(float));
    }
    gti_packing *packing = &model->packings[model->packing_count++];
    packing->packed = packed;
    packing->count = count;
    for (uint32_t i = 0; i < count; i++) {
        packing->linears[i] = linears[i];
    }
}

uint32_t gti_part_count(const gt_model *model) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->packing_count; i++) {
        count += model->packings[i].packed->features / GTI_PANEL;
    }
    return count;
}

/* One row of a matrix, a piece at a time. */
typedef struct row_reader {
    const uint8_t *data;
    uint32_t type;
    uint32_t block;
    uint32_t block_bytes;
    ggml_to_float_t to_float;
} row_reader;

static row_reader read_row(const gti_matrix *matrix, uint32_t row) {
    row_reader reader = {NULL, matrix->type, 1, sizeof(float), NULL};
    gti_type_block(matrix->type, &reader.block, &reader.block_bytes);
    reader.to_float = ggml_get_type_traits((enum ggml_type)matrix->type)->to_float;
    reader.data =
        (const uint8_t *)matrix->data + (uint64_t)row * (matrix->columns / reader.block) * reader.block_bytes;
    return reader;
}

static void read_floats(const row_reader *reader, uint32_t at, uint32_t count, float *out) {
    const uint8_t *from = reader->data + (uint64_t)(at / reader->block) * reader->block_bytes;
    if (reader->type == GGML_TYPE_F32) {
        memcpy(out, from, count * sizeof(float));
    } else {
        reader->to_float(from, out, count);
    }
}

void gti_read_row(const gti_matrix *matrix, uint32_t row, float *out) {
    const row_reader reader = read_row(matrix, row);
    read_floats(&reader, 0, matrix->columns, out);
}

void gti_ask_for_row(const gti_matrix *matrix, uint32_t row) {
    const row_reader reader = read_row(matrix, row);
    const uint64_t bytes = (uint64_t)(matrix->columns / reader.block) * reader.block_bytes;
    for (uint64_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(reader.data + i);
    }
}

/* The scale that all blocks of a Q8_0 row share; false when they do not. */
static bool shared_scale(const row_reader *reader, uint32_t columns, float *scale) {
    uint16_t first;
    if (reader->type != GGML_TYPE_Q8_0) {
        return false;
    }
    memcpy(&first, reader->data, sizeof(first));
    for (uint32_t b = 1; b < columns / Q8_0_BLOCK; b++) {
        if (memcmp(reader->data + (uint64_t)b * Q8_0_BYTES, &first, sizeof(first)) != 0) {
            return false;
        }
    }
    *scale = ggml_fp16_to_fp32(first);
    return true;
}

/* Output feature of a panel: its int8 weights to [columns/4][64][4], and the sums of its groups. */
static void put_int8(int8_t *panel, uint32_t feature, uint32_t at, const int8_t *weights, uint32_t count, float *sums) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    sums[at / GTI_GROUP * GTI_PANEL + feature] += (float)sum;
    for (uint32_t i = 0; i < count; i += 4) {
        memcpy(panel + (uint64_t)(at + i) * GTI_PANEL + feature * 4, weights + i, count - i < 4 ? count - i : 4);
    }
}

static void pack_int8(const gti_matrix *matrix, uint32_t row, uint32_t feature, int8_t *panel, float *scale,
                      float *sums) {
    const row_reader reader = read_row(matrix, row);
    const uint32_t columns = matrix->columns;
    if (shared_scale(&reader, columns, scale)) {
        for (uint32_t b = 0; b < columns / Q8_0_BLOCK; b++) {
            const int8_t *weights = (const int8_t *)reader.data + (uint64_t)b * Q8_0_BYTES + sizeof(uint16_t);
            put_int8(panel, feature, b * Q8_0_BLOCK, weights, Q8_0_BLOCK, sums);
        }
        return;
    }
    float values[CHUNK];
    int8_t weights[CHUNK];
    float most = 0.0f;
    for (uint32_t at = 0; at < columns; at += CHUNK) {
        const uint32_t count = columns - at < CHUNK ? columns - at : CHUNK;
        read_floats(&reader, at, count, values);
        for (uint32_t i = 0; i < count; i++) {
            const float size = fabsf(values[i]);
            most = size > most ? size : most;
        }
    }
    *scale = most / 127.0f;
    const float inverse = *scale > 1e-35f ? 1.0f / *scale : 0.0f;
    for (uint32_t at = 0; at < columns; at += CHUNK) {
        const uint32_t count = columns - at < CHUNK ? columns - at : CHUNK;
        read_floats(&reader, at, count, values);
        for (uint32_t i = 0; i < count; i++) {
            const float q = rintf(values[i] * inverse);
            weights[i] = (int8_t)(q >= 127.0f ? 127 : q > -127.0f ? (int)q : -127);
        }
        put_int8(panel, feature, at, weights, count, sums);
    }
}

/* To nearest even; NaN stays NaN. */
static uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)(bits >> 16 | 64u);
    }
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static void pack_floats(gti_compute compute, const gti_matrix *matrix, uint32_t row, uint32_t feature, void *panel) {
    const row_reader reader = read_row(matrix, row);
    float values[CHUNK];
    for (uint32_t at = 0; at < matrix->columns; at += CHUNK) {
        const uint32_t count = matrix->columns - at < CHUNK ? matrix->columns - at : CHUNK;
        read_floats(&reader, at, count, values);
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t column = at + i;
            if (compute == GTI_COMPUTE_F32) {
                ((float *)panel)[column * GTI_PANEL + feature] = values[i];
            } else {
                ((uint16_t *)panel)[column / 2 * 2 * GTI_PANEL + feature * 2 + column % 2] = to_bf16(values[i]);
            }
        }
    }
}

static void pack_panel(const gti_packing *packing, uint32_t panel) {
    const gti_packed *packed = packing->packed;
    const uint32_t per_linear = packed->features / GTI_PANEL / packing->count;
    const gti_linear *linear = &packing->linears[panel / per_linear];
    const uint32_t first = panel % per_linear * GTI_PANEL;
    const uint64_t elements = (uint64_t)GTI_PADDED_COLUMNS(packed->columns) * GTI_PANEL;
    const uint64_t bytes = elements * gti_element_bytes(packed->compute);
    uint8_t *at = (uint8_t *)packed->panels + panel * bytes;
    float *bias = packed->bias + (uint64_t)panel * GTI_PANEL;
    float *scales = packed->scales == NULL ? NULL : packed->scales + (uint64_t)panel * GTI_PANEL;
    const uint64_t group_sums = (uint64_t)GTI_GROUPS_OF(packed->columns) * GTI_PANEL;
    float *sums = packed->sums == NULL ? NULL : packed->sums + panel * group_sums;
    memset(at, 0, bytes);
    memset(bias, 0, GTI_PANEL * sizeof(float));
    if (packed->compute == GTI_COMPUTE_INT8) {
        memset(scales, 0, GTI_PANEL * sizeof(float));
        memset(sums, 0, group_sums * sizeof(float));
    }
    for (uint32_t i = 0; i < GTI_PANEL && first + i < linear->weight.rows; i++) {
        const uint32_t row = first + i;
        if (packed->compute == GTI_COMPUTE_INT8) {
            pack_int8(&linear->weight, row, i, (int8_t *)at, &scales[i], sums);
        } else {
            pack_floats(packed->compute, &linear->weight, row, i, at);
        }
        if (linear->bias.data != NULL) {
            memcpy(&bias[i], (const uint8_t *)linear->bias.data + row * sizeof(float), sizeof(float));
        }
    }
}

void gti_pack_part(const gt_model *model, uint32_t part) {
    for (uint32_t i = 0; i < model->packing_count; i++) {
        const uint32_t panels = model->packings[i].packed->features / GTI_PANEL;
        if (part < panels) {
            pack_panel(&model->packings[i], part);
            return;
        }
        part -= panels;
    }
}
