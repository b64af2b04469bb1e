/* Each instruction set against scalar references and against the others; here int8 sums and the making of operands. */
#include "kernel_tests.h"

#include <math.h>
#include <string.h>

const gti_kernels *gtt_sets[GTT_MAX_SETS];
uint32_t gtt_set_count;

float *gtt_guarded_floats(uint64_t count, float scale, uint64_t *seed) {
    float *values = gtt_guarded(count * sizeof(float));
    for (uint64_t i = 0; i < count; i++) {
        values[i] = scale * gtt_random(seed);
    }
    return values;
}

uint32_t gtt_random_below(uint32_t n, uint64_t *seed) {
    const uint32_t number = (uint32_t)((gtt_random(seed) + 1) / 2 * (float)n);
    return number < n ? number : n - 1;
}

float gtt_from_bf16(uint16_t bits) {
    const uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof(x));
    return x;
}

double gtt_activated(gti_activation activation, double x) {
    switch (activation) {
        case GTI_ACTIVATION_RELU:
            return x > 0 ? x : 0;
        case GTI_ACTIVATION_TANH:
            return tanh(x);
        case GTI_ACTIVATION_GELU_ERF:
            return 0.5 * x * erfc(-x / sqrt(2));
        case GTI_ACTIVATION_GELU_TANH:
            return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
        default:
            return x;
    }
}

double gtt_operand_at(gti_compute compute, const gti_operand *operand, uint64_t row, uint32_t column) {
    const uint8_t *data = (const uint8_t *)operand->rows + row * operand->stride;
    if (compute == GTI_COMPUTE_INT8) {
        const uint64_t group = row * GTI_GROUPS_OF(operand->columns) + column / GTI_GROUP;
        const gti_scaling *s = operand->scaling + group;
        return (double)s->scale * data[column] + (double)s->shift
               + (column % GTI_GROUP == s->column ? (double)s->excess : 0);
    }
    return compute == GTI_COMPUTE_BF16 ? (double)gtt_from_bf16(((const uint16_t *)data)[column])
                                       : (double)((const float *)data)[column];
}

gti_operand gtt_guarded_operand(gti_compute compute, uint64_t rows, uint32_t columns) {
    gti_operand operand = {.columns = columns, .stride = GTI_PADDED_COLUMNS(columns) * gti_element_bytes(compute)};
    operand.rows = gtt_guarded(rows * operand.stride);
    if (compute == GTI_COMPUTE_INT8) {
        operand.scaling = gtt_guarded(rows * GTI_GROUPS_OF(columns) * sizeof(gti_scaling));
        operand.apart = true;
    }
    return operand;
}

/* ---- int8 sums ---- */

static void scalar_sums(const uint8_t *a, uint64_t stride, uint32_t rows, const int8_t *panel, uint32_t columns,
                        int32_t *sums) {
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t f = 0; f < GTI_PANEL; f++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < columns; k++) {
                sum += a[r * stride + k] * panel[k / 4 * 4 * GTI_PANEL + f * 4 + k % 4];
            }
            sums[r * GTI_PANEL + f] = sum;
        }
    }
}

/* extreme 0: random; others: the numbers whose products and sums are the largest. */
static void sums_agree(uint32_t rows, uint32_t columns, uint32_t gap, int extreme, uint64_t *seed) {
    static const int8_t ends[] = {0, -128, 127};
    const uint64_t stride = columns + gap;
    uint8_t *a = gtt_guarded((rows - 1) * stride + columns);
    int8_t *panel = gtt_guarded((size_t)columns * GTI_PANEL);
    int32_t *actual = gtt_guarded((size_t)rows * GTI_PANEL * sizeof(int32_t));
    int32_t expected[GTI_TILE * GTI_PANEL];
    for (uint64_t i = 0; i < (rows - 1) * stride + columns; i++) {
        a[i] = extreme ? 255 : (uint8_t)gtt_random_below(256, seed);
    }
    for (uint32_t i = 0; i < columns * GTI_PANEL; i++) {
        panel[i] = (int8_t)((int)gtt_random_below(256, seed) - 128);
        if (extreme) {
            panel[i] = extreme < 3 ? ends[extreme] : panel[i] < 0 ? -128 : 127;
        }
    }
    scalar_sums(a, stride, rows, panel, columns, expected);
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        memset(actual, 0xff, (size_t)rows * GTI_PANEL * sizeof(int32_t));
        gtt_sets[s]->int8_sums(a, stride, rows, panel, columns, actual);
        CHECK(memcmp(actual, expected, (size_t)rows * GTI_PANEL * sizeof(int32_t)) == 0,
              "%s: %u rows of %u columns, gap %u, extreme %d", gtt_sets[s]->name, rows, columns, gap, extreme);
    }
    gtt_free_guarded();
}

static void sums_are_exact(void) {
    uint64_t seed = 1;
    for (uint32_t columns = GTI_COLUMN_STEP; columns <= GTI_GROUP; columns += GTI_COLUMN_STEP) {
        for (uint32_t rows = 1; rows <= GTI_TILE; rows++) {
            gtt_guarded_in_front = (rows + columns / GTI_COLUMN_STEP) % 2 == 0;
            sums_agree(rows, columns, rows % 3 == 0 ? gtt_random_below(1000, &seed) : rows % 3 == 1 ? 0 : 8, 0, &seed);
        }
    }
    for (int extreme = 1; extreme <= 3; extreme++) {
        for (uint32_t rows = 1; rows <= GTI_TILE; rows++) {
            sums_agree(rows, GTI_GROUP, 0, extreme, &seed);
            sums_agree(rows, 56, 8, extreme, &seed);
        }
    }
    gtt_guarded_in_front = 0;
}

/* ---- operands ---- */

#define PREPARED_ROWS 11

/* Rows of every kind that could trouble a quantizer. */
static float value_of(uint32_t kind, uint32_t column, uint64_t *seed) {
    const float x = gtt_random(seed);
    switch (kind) {
        case 0:
            return x;
        case 1:
            return 0;
        case 2:
            return -3.25f;
        case 3:
            return 1e38f * x;
        case 4:
            return 1e-40f * x;
        case 5:
            return column % 97 == 5 ? 1000 * x : x;
        case 6:
            return 1000 + 1e-3f * x;
        case 7:
            return column == 0 ? -1e38f : 1e-30f * x;
        case 8:
            return column % GTI_GROUP == 11 ? -1000.0f : x;
        case 9:
            return column % GTI_GROUP == GTI_GROUP - 1 ? 1000.0f : x;
        default:
            return column % 100 == 3 ? 1000.0f : x; /* several alike: none stands apart */
    }
}

/* Whether a row of the kind has one value that dwarfs the others of its group. */
static bool stands_apart(uint32_t kind, float x) {
    return kind > 6 && kind < 10 && fabsf(x) >= 1000;
}

static void check_int8_row(const char *name, const gti_operand *operand, uint32_t row, const float *x) {
    for (uint32_t at = 0; at < operand->columns; at += GTI_GROUP) {
        const uint32_t end = at + GTI_GROUP < operand->columns ? at + GTI_GROUP : operand->columns;
        double low = INFINITY;
        double high = -INFINITY;
        for (uint32_t i = at; i < end; i++) {
            if (!stands_apart(row, x[i]) || end - at == 1) {
                low = fmin(low, (double)x[i]);
                high = fmax(high, (double)x[i]);
            }
        }
        /* Half a step, and what floats round; ranges below 1e-32 are one value. */
        const double half = (high - low) / 510 * 1.0001 + 1e-7 * fmax(fabs(low), fabs(high)) + 1e-32;
        for (uint32_t i = at; i < end; i++) {
            const double tolerance = half + (stands_apart(row, x[i]) ? 1e-7 * fabs((double)x[i]) : 0);
            const double d = fabs(gtt_operand_at(GTI_COMPUTE_INT8, operand, row, i) - (double)x[i]);
            CHECK(d <= tolerance, "%s: %u columns, row %u, column %u: %g instead of %g", name, operand->columns, row, i,
                  gtt_operand_at(GTI_COMPUTE_INT8, operand, row, i), (double)x[i]);
        }
    }
}

static void check_row(const gti_kernels *set, gti_compute compute, const gti_operand *operand, uint32_t row,
                      const float *x) {
    const uint8_t *data = (const uint8_t *)operand->rows + row * operand->stride;
    if (compute == GTI_COMPUTE_INT8) {
        check_int8_row(set->name, operand, row, x);
        return;
    }
    for (uint32_t i = 0; i < GTI_PADDED_COLUMNS(operand->columns); i++) {
        const double value = gtt_operand_at(compute, operand, row, i);
        CHECK(isfinite(value), "%s: column %u of %u", set->name, i, operand->columns);
        if (i < operand->columns && compute == GTI_COMPUTE_F32) {
            CHECK(memcmp(data + i * sizeof(float), x + i, sizeof(float)) == 0, "%s: column %u", set->name, i);
        } else if (i < operand->columns) {
            /* Numbers too small for a float's exponent may become zero. */
            CHECK(fabs(value - (double)x[i]) <= fabs((double)x[i]) / 256 + 1.2e-38, "%s: column %u", set->name, i);
        }
    }
}

static void prepares(gti_compute compute, uint32_t columns) {
    uint64_t seed = columns;
    const uint64_t stride = columns + 3;
    float *x = gtt_guarded(((PREPARED_ROWS - 1) * stride + columns) * sizeof(float));
    gti_operand first = {.rows = NULL};
    for (uint32_t r = 0; r < PREPARED_ROWS; r++) {
        for (uint32_t i = 0; i < columns; i++) {
            x[r * stride + i] = value_of(r, i, &seed);
        }
    }
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        if (compute == GTI_COMPUTE_BF16 && !gtt_sets[s]->bf16) {
            continue;
        }
        const gti_operand operand = gtt_guarded_operand(compute, PREPARED_ROWS, columns);
        gtt_sets[s]->prepare(compute, x, stride, 0, 3, &operand);
        gtt_sets[s]->prepare(compute, x + 3 * stride, stride, 3, PREPARED_ROWS - 3, &operand);
        for (uint32_t r = 0; r < PREPARED_ROWS; r++) {
            check_row(gtt_sets[s], compute, &operand, r, x + r * stride);
        }
        if (first.rows == NULL) {
            first = operand;
            continue;
        }
        const size_t scaling = PREPARED_ROWS * GTI_GROUPS_OF(columns) * sizeof(gti_scaling);
        CHECK(memcmp(first.rows, operand.rows, PREPARED_ROWS * operand.stride) == 0
                  && (compute != GTI_COMPUTE_INT8
                      || memcmp(first.scaling, operand.scaling, scaling) == 0),
              "%s and %s differ", gtt_sets[0]->name, gtt_sets[s]->name);
    }
    gtt_free_guarded();
}

static void operands_are_close(void) {
    static const uint32_t columns[] = {1, 7, 8, 9, 15, 16, 31, 36, 64, 100, 255, 256, 257, 312, 768, 1200, 3072};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        gtt_guarded_in_front = i % 2 == 1;
        prepares(GTI_COMPUTE_INT8, columns[i]);
        prepares(GTI_COMPUTE_F32, columns[i]);
        prepares(GTI_COMPUTE_BF16, columns[i]);
    }
    gtt_guarded_in_front = 0;
}

void gtt_kernels_suite(void) {
    const gti_cpu_set *set;
    gtt_set_count = 0;
    gti_cpu();
    for (uint32_t i = 0; (set = gti_cpu_at(i)) != NULL; i++) {
        if (set->supported()) {
            gtt_sets[gtt_set_count++] = set->kernels;
            printf("run: %s\n", set->kernels->name);
        } else {
            printf("not run: %s (this processor lacks it)\n", set->kernels->name);
        }
    }
    sums_are_exact();
    operands_are_close();
    gtt_linear_tests();
    gtt_attention_tests();
    gtt_pack_tests();
}
