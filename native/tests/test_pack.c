/* From a file's types to panels. */
#include "kernel_tests.h"

#include "gatun_ggml.h"
#include "pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 70 /* a whole panel and a part */

/* Packs count linears and hands out what came of it; the model holds the plan, memory the panels. */
static gti_packed pack(gti_compute compute, const gti_linear *linears, uint32_t count, gt_model *model, void **memory) {
    gti_packed packed = {.compute = compute};
    const gti_gguf nowhere = {.base = NULL};
    gti_loader loader = {.gguf = &nowhere, .model = model};
    memset(model, 0, sizeof(*model));
    gti_plan_packing(&loader, compute, linears, count, &packed);
    *memory = aligned_alloc(64, (loader.used + 63) / 64 * 64);
    memset(*memory, 0xff, loader.used);
    loader.memory = *memory;
    loader.used = 0;
    model->packing_count = 0;
    gti_plan_packing(&loader, compute, linears, count, &packed);
    for (uint32_t part = 0; part < gti_part_count(model); part++) {
        gti_pack_part(model, part);
    }
    return packed;
}

static int8_t int8_at(const gti_packed *p, uint32_t feature, uint32_t column) {
    return ((const int8_t *)p->panels)[(uint64_t)(feature / GTI_PANEL) * GTI_PADDED_COLUMNS(p->columns) * GTI_PANEL
                                       + column / 4 * 4 * GTI_PANEL + feature % GTI_PANEL * 4 + column % 4];
}

/* Sums that are those of the weights, and zeros behind the last row and column. */
static void check_frame(const gti_packed *p, uint32_t rows) {
    const uint32_t groups = GTI_GROUPS_OF(p->columns);
    for (uint32_t f = 0; f < p->features; f++) {
        for (uint32_t g = 0; g < groups; g++) {
            int sum = 0;
            for (uint32_t k = g * GTI_GROUP; k < (g + 1) * GTI_GROUP && k < GTI_PADDED_COLUMNS(p->columns); k++) {
                const int8_t w = int8_at(p, f, k);
                CHECK(w == 0 || (f < rows && k < p->columns), "output %u, column %u", f, k);
                sum += w;
            }
            const uint64_t at = ((uint64_t)(f / GTI_PANEL) * groups + g) * GTI_PANEL + f % GTI_PANEL;
            CHECK(p->sums[at] == (float)sum, "sum of output %u, group %u", f, g);
        }
        CHECK(f < rows || (p->scales[f] == 0 && p->bias[f] == 0), "output %u is not there", f);
    }
}

/* A Q8_0 matrix whose rows have one scale each, down to -128. */
static void keeps_the_integers(uint32_t columns) {
    const uint32_t blocks = columns / 32;
    uint8_t *data = malloc((size_t)ROWS * blocks * 34);
    float bias[ROWS];
    uint64_t seed = columns;
    for (uint32_t b = 0; b < ROWS * blocks; b++) {
        const uint16_t scale = (uint16_t)(0x2000 + b / blocks);
        memcpy(data + b * 34, &scale, sizeof(scale));
        for (uint32_t i = 0; i < 32; i++) {
            data[b * 34 + 2 + i] = (uint8_t)gtt_random_below(256, &seed);
        }
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        bias[r] = gtt_random(&seed);
    }
    const gti_linear linear = {{GGML_TYPE_Q8_0, columns, ROWS, data}, {GGML_TYPE_F32, ROWS, 1, bias}};
    gt_model *model = malloc(sizeof(*model));
    void *memory;
    const gti_packed p = pack(GTI_COMPUTE_INT8, &linear, 1, model, &memory);
    for (uint32_t r = 0; r < ROWS; r++) {
        CHECK(p.scales[r] == ggml_fp16_to_fp32((uint16_t)(0x2000 + r)) && p.bias[r] == bias[r], "row %u", r);
        for (uint32_t k = 0; k < columns; k++) {
            const int8_t w = (int8_t)data[(r * blocks + k / 32) * 34 + 2 + k % 32];
            CHECK(int8_at(&p, r, k) == w, "row %u, column %u: %d instead of %d", r, k, int8_at(&p, r, k), w);
        }
    }
    check_frame(&p, ROWS);
    free(memory);
    free(model);
    free(data);
}

/* Any other matrix: one scale a row, and each weight at most half a step away. */
static void quantizes_anew(const gti_linear *linear, const float *values) {
    const uint32_t columns = linear->weight.columns;
    gt_model *model = malloc(sizeof(*model));
    void *memory;
    const gti_packed p = pack(GTI_COMPUTE_INT8, linear, 1, model, &memory);
    for (uint32_t r = 0; r < ROWS; r++) {
        double most = 0;
        for (uint32_t k = 0; k < columns; k++) {
            most = fmax(most, fabs((double)values[(uint64_t)r * columns + k]));
        }
        for (uint32_t k = 0; k < columns; k++) {
            const double x = (double)values[(uint64_t)r * columns + k];
            const double d = fabs((double)p.scales[r] * int8_at(&p, r, k) - x);
            CHECK(d <= most / 254 * 1.0001, "type %u: row %u, column %u errs by %g", linear->weight.type, r, k, d);
        }
    }
    check_frame(&p, ROWS);
    free(memory);
    free(model);
}

static void keeps_floats(gti_compute compute, const gti_linear *linear, const float *values) {
    const uint32_t columns = linear->weight.columns;
    const gti_linear three[3] = {*linear, *linear, *linear};
    gt_model *model = malloc(sizeof(*model));
    void *memory;
    const gti_packed p = pack(compute, three, 3, model, &memory);
    const uint32_t padded = GTI_PADDED_COLUMNS(columns);
    CHECK(p.features == 3 * GTI_PANELS_OF(ROWS) * GTI_PANEL, "%u outputs", p.features);
    for (uint32_t f = 0; f < p.features; f++) {
        const uint32_t r = f % (GTI_PANELS_OF(ROWS) * GTI_PANEL);
        const uint64_t panel = (uint64_t)(f / GTI_PANEL) * padded * GTI_PANEL;
        for (uint32_t k = 0; k < padded; k++) {
            const float x = r < ROWS && k < columns ? values[(uint64_t)r * columns + k] : 0;
            if (compute == GTI_COMPUTE_F32) {
                const float w = ((const float *)p.panels)[panel + (uint64_t)k * GTI_PANEL + f % GTI_PANEL];
                CHECK(w == x, "output %u, column %u: %g instead of %g", f, k, (double)w, (double)x);
            } else {
                const float w = gtt_from_bf16(
                    ((const uint16_t *)p.panels)[panel + k / 2 * 2 * GTI_PANEL + f % GTI_PANEL * 2 + k % 2]);
                CHECK(fabsf(w - x) <= fabsf(x) / 256, "output %u, column %u: %g instead of %g", f, k, (double)w,
                      (double)x);
            }
        }
    }
    free(memory);
    free(model);
}

static void packs(uint32_t type, uint32_t columns) {
    uint64_t seed = type;
    const uint64_t count = (uint64_t)ROWS * columns;
    float *values = malloc(count * sizeof(float));
    void *data = malloc(ggml_row_size((enum ggml_type)type, columns) * ROWS);
    for (uint64_t i = 0; i < count; i++) {
        values[i] = i < columns ? 0 : gtt_random(&seed) * (i % 50 == 3 ? 4 : 1);
    }
    if (type == GGML_TYPE_F32) {
        memcpy(data, values, count * sizeof(float));
    } else {
        ggml_quantize_chunk((enum ggml_type)type, values, data, 0, ROWS, columns, NULL);
        ggml_get_type_traits((enum ggml_type)type)->to_float(data, values, (int64_t)count);
    }
    const gti_linear linear = {{type, columns, ROWS, data}, {GGML_TYPE_F32, ROWS, 1, NULL}};
    quantizes_anew(&linear, values);
    keeps_floats(GTI_COMPUTE_F32, &linear, values);
    keeps_floats(GTI_COMPUTE_BF16, &linear, values);
    free(values);
    free(data);
}

void gtt_pack_tests(void) {
    static const uint32_t types[] = {GGML_TYPE_Q4_0, GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1, GGML_TYPE_Q8_0,
                                     GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ4_NL};
    keeps_the_integers(32);
    keeps_the_integers(768);
    packs(GGML_TYPE_F32, 1);
    packs(GGML_TYPE_F32, 36);
    packs(GGML_TYPE_F16, 312);
    packs(GGML_TYPE_BF16, 100);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        packs(types[i], 512);
    }
}
