/* Linears of every set against sums in double over the panels, with all that may follow them. */
#include "kernel_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A case: random weights and rows, and what their products come to. */
typedef struct product {
    gti_packed weights;
    gti_operand operand;
    uint32_t rows;
    uint32_t first; /* row of the operand */
    double *sums;   /* [rows][features], with the bias */
    double *sizes;  /* the same of the terms' absolute values: what floats may err by a few millionths of */
} product;

static double weight_at(const gti_packed *w, uint32_t feature, uint32_t column) {
    const uint64_t panel = (uint64_t)(feature / GTI_PANEL) * GTI_PADDED_COLUMNS(w->columns) * GTI_PANEL;
    const uint32_t f = feature % GTI_PANEL;
    switch (w->compute) {
        case GTI_COMPUTE_INT8:
            return (double)w->scales[feature]
                   * ((const int8_t *)w->panels)[panel + column / 4 * 4 * GTI_PANEL + f * 4 + column % 4];
        case GTI_COMPUTE_BF16:
            return (double)gtt_from_bf16(
                ((const uint16_t *)w->panels)[panel + column / 2 * 2 * GTI_PANEL + f * 2 + column % 2]);
        default:
            return (double)((const float *)w->panels)[panel + (uint64_t)column * GTI_PANEL + f];
    }
}

/* Weights of the columns that are there; zero in the padding. */
static void fill_weights(gti_packed *w, uint64_t *seed) {
    const uint32_t padded = GTI_PADDED_COLUMNS(w->columns);
    const uint32_t groups = GTI_GROUPS_OF(w->columns);
    w->panels = gtt_guarded((uint64_t)w->features * padded * gti_element_bytes(w->compute));
    w->bias = gtt_guarded_floats(w->features, 0.5f, seed);
    memset(w->panels, 0, (uint64_t)w->features * padded * gti_element_bytes(w->compute));
    if (w->compute == GTI_COMPUTE_INT8) {
        w->scales = gtt_guarded_floats(w->features, 0.01f, seed);
        w->sums = gtt_guarded((uint64_t)w->features * groups * sizeof(float));
        memset(w->sums, 0, (uint64_t)w->features * groups * sizeof(float));
    }
    for (uint32_t f = 0; f < w->features; f++) {
        const uint64_t panel = (uint64_t)(f / GTI_PANEL) * padded * GTI_PANEL;
        for (uint32_t k = 0; k < w->columns; k++) {
            const float x = gtt_random(seed);
            const uint64_t at4 = panel + k / 4 * 4 * GTI_PANEL + f % GTI_PANEL * 4 + k % 4;
            const uint64_t at2 = panel + k / 2 * 2 * GTI_PANEL + f % GTI_PANEL * 2 + k % 2;
            uint32_t bits;
            memcpy(&bits, &x, sizeof(bits));
            if (w->compute == GTI_COMPUTE_INT8) {
                const int8_t q = (int8_t)floorf(x * 128);
                ((int8_t *)w->panels)[at4] = q;
                w->sums[((uint64_t)(f / GTI_PANEL) * groups + k / GTI_GROUP) * GTI_PANEL + f % GTI_PANEL] += q;
            } else if (w->compute == GTI_COMPUTE_BF16) {
                ((uint16_t *)w->panels)[at2] = (uint16_t)(bits >> 16);
            } else {
                ((float *)w->panels)[panel + (uint64_t)k * GTI_PANEL + f % GTI_PANEL] = x;
            }
        }
    }
}

/* Anything finite, in the padding too. */
static void fill_operand(gti_compute compute, gti_operand *operand, uint64_t rows, uint64_t *seed) {
    const uint64_t padded = GTI_PADDED_COLUMNS(operand->columns);
    for (uint64_t i = 0; i < rows * padded; i++) {
        const float x = gtt_random(seed);
        uint32_t bits;
        memcpy(&bits, &x, sizeof(bits));
        if (compute == GTI_COMPUTE_INT8) {
            ((uint8_t *)operand->rows)[i] = (uint8_t)gtt_random_below(256, seed);
        } else if (compute == GTI_COMPUTE_BF16) {
            ((uint16_t *)operand->rows)[i] = (uint16_t)(bits >> 16);
        } else {
            ((float *)operand->rows)[i] = x;
        }
    }
    for (uint64_t i = 0; compute == GTI_COMPUTE_INT8 && i < rows * GTI_GROUPS_OF(operand->columns); i++) {
        const uint32_t group = (uint32_t)(i % GTI_GROUPS_OF(operand->columns)) * GTI_GROUP;
        const uint32_t left = operand->columns - group;
        gti_scaling *s = operand->scaling + i;
        *s = (gti_scaling){.scale = 0.01f + 0.005f * gtt_random(seed), .shift = -1.2f + gtt_random(seed)};
        /* In most rows the same column, in some another, in some none. */
        s->excess = i % 5 == 3 ? 0 : 30 * gtt_random(seed);
        s->column = i % 7 == 4 ? gtt_random_below(left < GTI_GROUP ? left : GTI_GROUP, seed) : 0;
    }
}

static product make_product(gti_compute compute, uint32_t features, uint32_t columns, uint32_t rows, uint64_t *seed) {
    product p = {.rows = rows, .first = gtt_random_below(3, seed)};
    p.weights = (gti_packed){.compute = compute, .features = GTI_PANELS_OF(features) * GTI_PANEL, .columns = columns};
    fill_weights(&p.weights, seed);
    p.operand = gtt_guarded_operand(compute, p.first + rows, columns);
    fill_operand(compute, &p.operand, p.first + rows, seed);
    p.sums = malloc((uint64_t)rows * p.weights.features * sizeof(double));
    p.sizes = malloc((uint64_t)rows * p.weights.features * sizeof(double));
    double *row = malloc(columns * sizeof(double));
    double *weights = malloc((uint64_t)p.weights.features * columns * sizeof(double));
    for (uint64_t i = 0; i < (uint64_t)p.weights.features * columns; i++) {
        weights[i] = weight_at(&p.weights, (uint32_t)(i / columns), (uint32_t)(i % columns));
    }
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t k = 0; k < columns; k++) {
            row[k] = gtt_operand_at(compute, &p.operand, p.first + r, k);
        }
        for (uint32_t f = 0; f < p.weights.features; f++) {
            double sum = (double)p.weights.bias[f];
            double size = fabs(sum);
            for (uint32_t k = 0; k < columns; k++) {
                sum += row[k] * weights[(uint64_t)f * columns + k];
                size += fabs(row[k] * weights[(uint64_t)f * columns + k]);
            }
            p.sums[(uint64_t)r * p.weights.features + f] = sum;
            p.sizes[(uint64_t)r * p.weights.features + f] = size;
        }
    }
    free(row);
    free(weights);
    return p;
}

static void free_product(product *p) {
    free(p->sums);
    free(p->sizes);
    gtt_free_guarded();
}

static double expected_at(const product *p, const gti_epilogue *e, uint32_t r, uint32_t f) {
    double x = p->sums[(uint64_t)r * p->weights.features + f];
    if (e->residual != NULL) {
        x += (double)e->residual[(p->first + r) * e->residual_stride + f];
    }
    return gtt_activated(e->activation, x);
}

/* What a sum of floats may be away. int8 adds rounded scales and shifts, and has a GELU that is right to 6.6e-5. */
static double tolerance_at(const product *p, const gti_epilogue *e, uint32_t r, uint32_t f) {
    const bool rough = p->weights.compute == GTI_COMPUTE_INT8 && e->activation == GTI_ACTIVATION_GELU_ERF;
    return 2e-6 * p->sizes[(uint64_t)r * p->weights.features + f] + (rough ? 7e-5 : 3e-6);
}

/* Some panels, to floats: what lies beside them stays as it was. */
static void runs_to_floats(const product *p, gti_activation activation, bool residual, uint64_t *seed) {
    const uint64_t stride = p->weights.features + gtt_random_below(2, seed) * 24;
    const uint64_t floats = (p->first + p->rows - 1) * stride + p->weights.features;
    const uint32_t panels = p->weights.features / GTI_PANEL;
    const uint32_t from = gtt_random_below(panels, seed);
    const uint32_t to = from + 1 + gtt_random_below(panels - from, seed);
    float *before = gtt_guarded_floats(floats, 3, seed);
    float *best = malloc(floats * sizeof(float));
    const gti_kernels *first = NULL;
    gti_epilogue e = {.activation = activation, .out_stride = stride, .residual_stride = stride};
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        const gti_kernels *set = gtt_sets[s];
        if (p->weights.compute == GTI_COMPUTE_BF16 && !set->bf16) {
            continue;
        }
        float *out = gtt_guarded(floats * sizeof(float));
        memcpy(out, before, floats * sizeof(float));
        e.out = out;
        e.residual = residual ? (s % 2 == 0 ? out : before) : NULL; /* out itself, or another */
        set->linear(&p->weights, &p->operand, p->first, p->rows, from, to, &e, NULL, gtt_guarded(GTI_LINEAR_BYTES));
        e.residual = residual ? before : NULL;
        for (uint64_t i = 0; i < floats; i++) {
            const uint32_t f = (uint32_t)(i % stride);
            if (i / stride < p->first || f < from * GTI_PANEL || f >= to * GTI_PANEL) {
                CHECK(memcmp(&out[i], &before[i], sizeof(float)) == 0, "%s wrote beside its panels", set->name);
                continue;
            }
            const uint32_t r = (uint32_t)(i / stride) - p->first;
            const double expected = expected_at(p, &e, r, f);
            const double tolerance = tolerance_at(p, &e, r, f);
            CHECK(fabs((double)out[i] - expected) <= tolerance,
                  "%s: compute %d, %u columns, %u rows, activation %d: row %u, output %u is %g instead of %g", set->name,
                  p->weights.compute, p->weights.columns, p->rows, activation, r, f, (double)out[i], expected);
            CHECK(first == NULL || fabsf(out[i] - best[i]) <= 1e-4f * fmaxf(1, fabsf(best[i])), "%s and %s differ",
                  first->name, set->name);
        }
        if (first == NULL) {
            first = set;
            memcpy(best, out, floats * sizeof(float));
        }
    }
    free(best);
}

/* To bf16: what goes to floats, rounded. */
static void runs_to_bf16(const product *p) {
    const uint64_t stride = p->weights.features;
    const uint64_t count = (p->first + p->rows) * stride;
    const uint32_t panels = p->weights.features / GTI_PANEL;
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        const gti_kernels *set = gtt_sets[s];
        gti_epilogue e = {.out_stride = stride};
        void *scratch = gtt_guarded(GTI_LINEAR_BYTES);
        if (!set->bf16) {
            continue;
        }
        e.out = gtt_guarded(count * sizeof(float));
        set->linear(&p->weights, &p->operand, p->first, p->rows, 0, panels, &e, NULL, scratch);
        const float *floats = e.out;
        uint16_t *rounded = gtt_guarded(count * sizeof(uint16_t));
        e.out = NULL;
        e.out_bf16 = rounded;
        set->linear(&p->weights, &p->operand, p->first, p->rows, 0, panels, &e, NULL, scratch);
        for (uint64_t i = p->first * stride; i < count; i++) {
            uint32_t bits;
            memcpy(&bits, &floats[i], sizeof(bits));
            const uint16_t expected = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
            CHECK(rounded[i] == expected, "%s: %g became %04x", set->name, (double)floats[i], rounded[i]);
        }
    }
}

/* All panels, to the next linear's operand, whose columns may be fewer than the panels hold. */
static void runs_to_an_operand(const product *p, uint32_t features, gti_activation activation) {
    const gti_compute compute = p->weights.compute;
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        const gti_kernels *set = gtt_sets[s];
        if (compute == GTI_COMPUTE_BF16 && !set->bf16) {
            continue;
        }
        const gti_operand next = gtt_guarded_operand(compute, p->first + p->rows, features);
        const gti_epilogue e = {.activation = activation, .operand = &next};
        const uint32_t panels = p->weights.features / GTI_PANEL;
        const uint32_t half = panels > GTI_GROUP / GTI_PANEL ? GTI_GROUP / GTI_PANEL : panels;
        void *scratch = gtt_guarded(GTI_LINEAR_BYTES);
        set->linear(&p->weights, &p->operand, p->first, p->rows, 0, half, &e, NULL, scratch);
        if (half < panels) {
            set->linear(&p->weights, &p->operand, p->first, p->rows, half, panels, &e, NULL, scratch);
        }
        for (uint32_t r = 0; r < p->rows; r++) {
            for (uint32_t f = 0; f < features; f++) {
                const double expected = expected_at(p, &e, r, f);
                double tolerance = tolerance_at(p, &e, r, f);
                if (compute == GTI_COMPUTE_INT8) {
                    const uint64_t group = (p->first + r) * GTI_GROUPS_OF(features) + f / GTI_GROUP;
                    tolerance += 0.501 * (double)next.scaling[group].scale;
                } else if (compute == GTI_COMPUTE_BF16) {
                    tolerance += fabs(expected) / 256;
                }
                const double actual = gtt_operand_at(compute, &next, p->first + r, f);
                CHECK(fabs(actual - expected) <= tolerance,
                      "%s: compute %d, %u of %u columns, activation %d: row %u, column %u is %g instead of %g",
                      set->name, compute, f, features, activation, r, f, actual, expected);
            }
        }
    }
}

static void linears_agree(gti_compute compute, uint32_t features, uint32_t columns, uint32_t rows, bool everything) {
    uint64_t seed = features * 7919ull + columns * 31 + rows;
    gtt_guarded_in_front = rows % 2 == 0;
    product p = make_product(compute, features, columns, rows, &seed);
    runs_to_floats(&p, GTI_ACTIVATION_NONE, false, &seed);
    runs_to_floats(&p, GTI_ACTIVATION_NONE, true, &seed);
    runs_to_bf16(&p);
    if (everything) {
        runs_to_floats(&p, GTI_ACTIVATION_RELU, false, &seed);
        runs_to_floats(&p, GTI_ACTIVATION_TANH, false, &seed);
        runs_to_floats(&p, GTI_ACTIVATION_GELU_TANH, false, &seed);
        runs_to_an_operand(&p, features, GTI_ACTIVATION_RELU);
    }
    runs_to_floats(&p, GTI_ACTIVATION_GELU_ERF, false, &seed);
    runs_to_an_operand(&p, features, GTI_ACTIVATION_GELU_ERF);
    free_product(&p);
    gtt_guarded_in_front = 0;
}

static void all_linears_agree(gti_compute compute) {
    static const struct {
        uint32_t features;
        uint32_t columns;
        uint32_t rows;
    } shapes[] = {{64, 1, 5},   {36, 8, 13},    {100, 36, 6},    {312, 100, 7}, {130, 255, 9},
                  {300, 312, 11}, {64, 520, 48}, {192, 768, 8}, {64, 769, 3},  {100, 1200, 5},
                  {70, 3072, 2}, {768, 40, 3}, {1600, 64, 3}, {840, 8, GTI_BLOCK}};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        linears_agree(compute, shapes[i].features, shapes[i].columns, shapes[i].rows, true);
    }
    for (uint32_t rows = 1; rows <= GTI_BLOCK; rows++) {
        linears_agree(compute, 36, 100, rows, false);
    }
}

/* ---- GELU alone: weights of zero, and the bias is x ---- */

#define SWEEP 48064
#define HUGE_VALUES 6

static void sweeps_gelu(const gti_kernels *set, const float *x, float *y) {
    const float zero[GTI_COLUMN_STEP] = {0};
    const gti_operand operand = {.rows = (void *)zero, .stride = sizeof(zero), .columns = 1};
    gti_packed weights = {.compute = GTI_COMPUTE_F32, .features = SWEEP, .columns = 1, .bias = (float *)x};
    const gti_epilogue e = {.activation = GTI_ACTIVATION_GELU_ERF, .out = y, .out_stride = SWEEP};
    float *scratch = malloc(GTI_LINEAR_BYTES);
    weights.panels = calloc((uint64_t)SWEEP * GTI_COLUMN_STEP, sizeof(float));
    set->linear(&weights, &operand, 0, 1, 0, SWEEP / GTI_PANEL, &e, NULL, scratch);
    free(weights.panels);
    free(scratch);
}

static void gelu_is_accurate(void) {
    static const float huge[HUGE_VALUES] = {-3e38f, -1e10f, -50, 50, 1e10f, 3e38f};
    float *x = malloc(SWEEP * sizeof(float));
    float *y = malloc(SWEEP * sizeof(float));
    for (uint32_t i = 0; i < SWEEP; i++) {
        x[i] = -12 + 24.0f * (float)i / (SWEEP - 1);
    }
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        double worst = 0;
        double where = 0;
        sweeps_gelu(gtt_sets[s], x, y);
        for (uint32_t i = 0; i < SWEEP; i++) {
            const double d = fabs((double)y[i] - gtt_activated(GTI_ACTIVATION_GELU_ERF, (double)x[i]));
            where = d > worst ? (double)x[i] : where;
            worst = d > worst || isnan(d) ? d : worst;
            CHECK(i == 0 || x[i - 1] < 0 || y[i] >= y[i - 1], "%s falls at %g", gtt_sets[s]->name, (double)x[i]);
            CHECK(x[i] < 6 || fabsf(y[i] - x[i]) <= 1e-6f * x[i], "%s at %g", gtt_sets[s]->name, (double)x[i]);
            CHECK(x[i] > -6 || fabsf(y[i]) <= 1e-6f, "%s at %g", gtt_sets[s]->name, (double)x[i]);
        }
        CHECK(worst < 1e-6, "%s errs by %g at %g", gtt_sets[s]->name, worst, where);
        memcpy(x, huge, sizeof(huge));
        sweeps_gelu(gtt_sets[s], x, y);
        for (uint32_t i = 0; i < HUGE_VALUES; i++) {
            CHECK(i < 3 ? fabsf(y[i]) <= 1e-6f : fabsf(y[i] / x[i] - 1) < 1e-6f, "%s: %g of %g", gtt_sets[s]->name,
                  (double)y[i], (double)x[i]);
            x[i] = -12 + 24.0f * (float)i / (SWEEP - 1);
        }
    }
    free(x);
    free(y);
}

void gtt_linear_tests(void) {
    all_linears_agree(GTI_COMPUTE_INT8);
    all_linears_agree(GTI_COMPUTE_F32);
    all_linears_agree(GTI_COMPUTE_BF16);
    gelu_is_accurate();
}
