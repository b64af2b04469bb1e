/* Attention and norms of every set against references in double, and against each other. */
#include "kernel_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An element of queries, keys or values. */
static double element(const gti_attention *at, const void *rows, uint64_t index) {
    if (!at->bf16) {
        return (double)((const float *)rows)[index];
    }
    const uint32_t bits = (uint32_t)((const uint16_t *)rows)[index] << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

static void reference_attention(const gti_attention *at, double *out) {
    double *scores = malloc(at->key_count * sizeof(double));
    for (uint32_t q = 0; q < at->query_count; q++) {
        double most = -INFINITY;
        double total = 0;
        for (uint32_t k = 0; k < at->key_count; k++) {
            scores[k] = 0;
            for (uint32_t i = 0; i < at->width; i++) {
                scores[k] += element(at, at->queries, q * at->query_stride + i) * element(at, at->keys, k * at->stride + i);
            }
            scores[k] *= (double)at->scale;
            most = fmax(most, scores[k]);
        }
        for (uint32_t k = 0; k < at->key_count; k++) {
            scores[k] = exp(scores[k] - most);
            total += scores[k];
        }
        double *row = out + (uint64_t)q * at->width;
        memset(row, 0, at->width * sizeof(double));
        for (uint32_t k = 0; k < at->key_count; k++) {
            for (uint32_t i = 0; i < at->width; i++) {
                row[i] += scores[k] / total * element(at, at->values, k * at->stride + i);
            }
        }
    }
    free(scores);
}

/* Random elements of up to scale between guard pages, and behind them some that only may be read. */
static const void *random_rows(const gti_attention *at, uint64_t count, uint32_t beyond, float scale, uint64_t *seed) {
    const uint64_t bytes = at->bf16 ? sizeof(uint16_t) : sizeof(float);
    void *rows = gtt_guarded((count + beyond) * bytes);
    for (uint64_t i = 0; i < count; i++) {
        const float value = scale * gtt_random(seed);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        if (at->bf16) {
            ((uint16_t *)rows)[i] = (uint16_t)(bits >> 16);
        } else {
            ((float *)rows)[i] = value;
        }
    }
    return rows;
}

/* sharp: scores so far apart that all but a few keys weigh nothing. */
static void attention_agrees(bool bf16, uint32_t length, uint32_t width, uint32_t queries, bool sharp) {
    uint64_t seed = length * 1000ull + width;
    const uint64_t stride = width + gtt_random_below(2, &seed) * 40;
    const uint64_t rows = (uint64_t)(length - 1) * stride + width;
    gti_attention at = {.bf16 = bf16, .stride = stride, .query_count = queries, .key_count = length};
    gtt_guarded_in_front = length % 2 == 1;
    at.query_stride = width + (bf16 ? 6 : 5);
    at.width = width;
    at.scale = 1.0f / sqrtf((float)width);
    at.out_stride = width + 3;
    at.queries = random_rows(&at, (queries - 1) * at.query_stride + width, 0, sharp ? 60 : 2, &seed);
    at.keys = random_rows(&at, rows, 0, 2, &seed);
    at.values = random_rows(&at, rows, GTI_OVERREAD, 1, &seed);
    double *expected = malloc((uint64_t)queries * width * sizeof(double));
    const uint64_t floats = (queries - 1) * at.out_stride + width;
    float *first = malloc(floats * sizeof(float));
    bool any = false;
    reference_attention(&at, expected);
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        const gti_kernels *set = gtt_sets[s];
        if (bf16 && !set->bf16) {
            continue;
        }
        at.out = gtt_guarded(floats * sizeof(float));
        at.scratch = gtt_guarded(gti_attention_bytes(length, width));
        set->attend(&at);
        /* Values are up to 1. Of bf16 the weights alone are rounded here, to 8 bits. */
        const double tolerance = bf16 ? 4e-3 : sharp ? 1e-4 : 5e-6;
        double worst = 0;
        for (uint64_t i = 0; i < (uint64_t)queries * width; i++) {
            const double d = fabs((double)at.out[i / width * at.out_stride + i % width] - expected[i]);
            worst = d <= worst ? worst : d;
        }
        CHECK(worst <= tolerance, "%s%s: %u queries, %u keys, width %u: %g", set->name, bf16 ? ", bf16" : "", queries,
              length, width, worst);
        for (uint64_t i = 0; i < floats && any; i++) {
            CHECK(i % at.out_stride >= width || fabsf(at.out[i] - first[i]) <= 1e-4f, "%s and %s differ",
                  gtt_sets[0]->name, set->name);
        }
        memcpy(first, at.out, floats * sizeof(float));
        any = true;
    }
    free(expected);
    free(first);
    gtt_free_guarded();
    gtt_guarded_in_front = 0;
}

static void every_attention_agrees(bool bf16) {
    static const uint32_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 128, 512};
    static const uint32_t widths[] = {26, 32, 40, 64, 128, 33};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < sizeof(widths) / sizeof(widths[0]) && !(bf16 && widths[j] % 2 == 1); j++) {
            attention_agrees(bf16, lengths[i], widths[j], 1, false);
            if (lengths[i] <= 128 || widths[j] == 64) {
                attention_agrees(bf16, lengths[i], widths[j], lengths[i], false);
            }
        }
        attention_agrees(bf16, lengths[i], 64, 7, true);
    }
}

/* ---- norms ---- */

#define EPSILON 1e-12f
#define ROWS 6

static float value_of(uint32_t kind, float x) {
    static const float scales[ROWS] = {1, 1000, 1e-3f, 1, 0, 1};
    static const float offsets[ROWS] = {0, 500, 0, -4, 2.5f, 0};
    return offsets[kind] + scales[kind] * x;
}

static void reference_norm(const gti_norm *norm, const float *x, double *out) {
    const uint32_t columns = norm->weight.columns;
    double mean = 0;
    double variance = 0;
    for (uint32_t i = 0; i < columns; i++) {
        mean += (double)x[i] / columns;
    }
    for (uint32_t i = 0; i < columns; i++) {
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / columns;
    }
    for (uint32_t i = 0; i < columns; i++) {
        out[i] = ((double)x[i] - mean) / sqrt(variance + (double)EPSILON) * (double)((const float *)norm->weight.data)[i]
                 + (double)((const float *)norm->bias.data)[i];
    }
}

static void norms_agree(gti_compute compute, uint32_t columns) {
    uint64_t seed = columns;
    const uint64_t stride = columns + 5;
    const uint64_t floats = (ROWS - 1) * stride + columns;
    float *x = gtt_guarded_floats(floats, 1, &seed);
    gti_norm norm = {.weight = {.columns = columns}, .bias = {.columns = columns}};
    norm.weight.data = gtt_guarded_floats(columns, 2, &seed);
    norm.bias.data = gtt_guarded_floats(columns, 1, &seed);
    double *expected = malloc(ROWS * columns * sizeof(double));
    float *first = malloc(floats * sizeof(float));
    bool any = false;
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t i = 0; i < columns; i++) {
            x[r * stride + i] = value_of(r, x[r * stride + i]);
        }
        reference_norm(&norm, x + r * stride, expected + r * columns);
    }
    for (uint32_t s = 0; s < gtt_set_count; s++) {
        const gti_kernels *set = gtt_sets[s];
        if (compute == GTI_COMPUTE_BF16 && !set->bf16) {
            continue;
        }
        const gti_operand operand = gtt_guarded_operand(compute, ROWS + 1, columns);
        float *y = gtt_guarded(floats * sizeof(float));
        memcpy(y, x, floats * sizeof(float));
        set->norm(compute, &norm, EPSILON, y, stride, 1, ROWS, &operand);
        for (uint64_t i = 0; i < floats; i++) {
            const uint32_t r = (uint32_t)(i / stride);
            const uint32_t c = (uint32_t)(i % stride);
            if (c >= columns) {
                CHECK(y[i] == x[i], "%s wrote beside its rows", set->name);
                continue;
            }
            const double wanted = expected[r * columns + c];
            CHECK(fabs((double)y[i] - wanted) <= 2e-5 * (1 + fabs(wanted)), "%s: row %u, column %u of %u: %g instead of %g",
                  set->name, r, c, columns, (double)y[i], wanted);
            CHECK(!any || fabsf(y[i] - first[i]) <= 1e-4f * fmaxf(1, fabsf(first[i])), "%s differs", set->name);
            double tolerance = 0;
            if (compute == GTI_COMPUTE_INT8) {
                const uint64_t group = (r + 1) * GTI_GROUPS_OF(columns) + c / GTI_GROUP;
                tolerance = 0.501 * (double)operand.scaling[group].scale + 1e-6;
            } else if (compute == GTI_COMPUTE_BF16) {
                tolerance = (double)fabsf(y[i]) / 256;
            }
            CHECK(fabs(gtt_operand_at(compute, &operand, r + 1, c) - (double)y[i]) <= tolerance,
                  "%s: operand of row %u, column %u of %u", set->name, r, c, columns);
        }
        if (!any) {
            memcpy(first, y, floats * sizeof(float));
            any = true;
        }
        memcpy(y, x, floats * sizeof(float));
        set->norm(compute, &norm, EPSILON, y, stride, 0, ROWS, NULL);
        CHECK(set != gtt_sets[0] || memcmp(y, first, floats * sizeof(float)) == 0, "%s: without operand", set->name);
    }
    free(expected);
    free(first);
    gtt_free_guarded();
}

static void all_norms_agree(void) {
    static const uint32_t columns[] = {2, 8, 36, 64, 100, 255, 312, 384, 768, 1024};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        gtt_guarded_in_front = i % 2 == 1;
        norms_agree(GTI_COMPUTE_INT8, columns[i]);
        norms_agree(GTI_COMPUTE_F32, columns[i]);
        norms_agree(GTI_COMPUTE_BF16, columns[i]);
    }
    gtt_guarded_in_front = 0;
}

/* x += y, of any length. */
static void adds(void) {
    uint64_t seed = 3;
    for (uint32_t count = 1; count < 70; count++) {
        const float *x = gtt_guarded_floats(count, 1, &seed);
        const float *y = gtt_guarded_floats(count, 1, &seed);
        for (uint32_t s = 0; s < gtt_set_count; s++) {
            float *sum = gtt_guarded(count * sizeof(float));
            memcpy(sum, x, count * sizeof(float));
            gtt_sets[s]->add(sum, y, count);
            for (uint32_t i = 0; i < count; i++) {
                CHECK(sum[i] == x[i] + y[i], "%s: %u of %u", gtt_sets[s]->name, i, count);
            }
        }
        gtt_free_guarded();
    }
}

void gtt_attention_tests(void) {
    every_attention_agrees(false);
    every_attention_agrees(true);
    all_norms_agree();
    adds();
}
