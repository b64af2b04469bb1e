#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Formats a name and finds that weight; NULL when the model has none. */
static const gtt_weight *weight(const gtt_model *model, const char *prefix, const char *part) {
    char name[64];
    snprintf(name, sizeof(name), "%s.%s", prefix, part);
    return gtt_weight_named(model, name);
}

static double apply(const char *activation, double x) {
    if (strcmp(activation, "relu") == 0) {
        return x > 0 ? x : 0;
    }
    if (strcmp(activation, "tanh") == 0) {
        return tanh(x);
    }
    if (strcmp(activation, "gelu_tanh") == 0) {
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    }
    if (strcmp(activation, "none") == 0) {
        return x;
    }
    return 0.5 * x * (1 + erf(x / sqrt(2.0)));
}

/* y = x W^T + b, for rows first.. of W; x: [in], y: [out] */
static void linear(const gtt_model *model, const char *name, uint64_t first, uint64_t out, const double *x, double *y) {
    const gtt_weight *w = weight(model, name, "weight");
    const gtt_weight *b = weight(model, name, "bias");
    for (uint64_t o = 0; o < out; o++) {
        double sum = b == NULL ? 0 : (double)b->values[first + o];
        for (uint64_t i = 0; i < w->columns; i++) {
            sum += (double)w->values[(first + o) * w->columns + i] * x[i];
        }
        y[o] = sum;
    }
}

static void normalize(const gtt_model *model, const char *name, double *x) {
    const uint32_t d = model->shape.width;
    const gtt_weight *w = weight(model, name, "weight");
    const gtt_weight *b = weight(model, name, "bias");
    double mean = 0, variance = 0;
    for (uint32_t i = 0; i < d; i++) {
        mean += x[i] / d;
    }
    for (uint32_t i = 0; i < d; i++) {
        variance += (x[i] - mean) * (x[i] - mean) / d;
    }
    for (uint32_t i = 0; i < d; i++) {
        x[i] = (x[i] - mean) / sqrt(variance + 1e-12) * (double)w->values[i] + (double)b->values[i];
    }
}

static void embed(const gtt_model *model, const int32_t *ids, const int32_t *types, uint32_t length, double *x) {
    const uint32_t d = model->shape.width;
    const float *tokens = gtt_weight_named(model, "token_embd.weight")->values;
    const float *positions = gtt_weight_named(model, "position_embd.weight")->values;
    const gtt_weight *table = gtt_weight_named(model, "token_types.weight");
    for (uint32_t t = 0; t < length; t++) {
        const uint32_t type = types == NULL ? 0 : (uint32_t)types[t];
        for (uint32_t i = 0; i < d; i++) {
            x[t * d + i] = (double)tokens[(uint32_t)ids[t] * d + i] + (double)positions[t * d + i]
                           + (table == NULL ? 0 : (double)table->values[type * d + i]);
        }
        normalize(model, "token_embd_norm", x + t * d);
    }
}

/* out = attention of query row t over all rows. q, k, v: [length][d] */
static void attend(const gtt_model *model, const double *q, const double *k, const double *v, uint32_t length,
                   uint32_t t, double *out) {
    const uint32_t d = model->shape.width;
    const uint32_t width = d / model->shape.attention_heads;
    double *scores = malloc(length * sizeof(double));
    for (uint32_t h = 0; h < d; h += width) {
        double most = -INFINITY, sum = 0;
        for (uint32_t j = 0; j < length; j++) {
            scores[j] = 0;
            for (uint32_t i = h; i < h + width; i++) {
                scores[j] += q[t * d + i] * k[j * d + i];
            }
            scores[j] /= sqrt((double)width);
            most = scores[j] > most ? scores[j] : most;
        }
        for (uint32_t j = 0; j < length; j++) {
            scores[j] = exp(scores[j] - most);
            sum += scores[j];
        }
        for (uint32_t i = h; i < h + width; i++) {
            out[i] = 0;
            for (uint32_t j = 0; j < length; j++) {
                out[i] += scores[j] / sum * v[j * d + i];
            }
        }
    }
    free(scores);
}

static void project(const gtt_model *model, uint32_t index, const double *x, double *q, double *k, double *v) {
    const uint32_t d = model->shape.width;
    double *const outs[] = {q, k, v};
    static const char *const parts[] = {"attn_q", "attn_k", "attn_v"};
    char name[48];
    for (uint32_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "blk.%u.%s", index, model->shape.fused ? "attn_qkv" : parts[i]);
        linear(model, name, model->shape.fused ? i * d : 0, d, x, outs[i]);
    }
}

static void run_layer(const gtt_model *model, uint32_t index, const double *in, uint32_t length, double *out) {
    const uint32_t d = model->shape.width;
    const uint32_t f = model->shape.feed_forward;
    double *buffer = malloc((3ull * length * d + 2 * d + f) * sizeof(double));
    double *q = buffer, *k = q + length * d, *v = k + length * d, *mixed = v + length * d, *a = mixed + d, *h = a + d;
    char name[48];
    for (uint32_t t = 0; t < length; t++) {
        project(model, index, in + t * d, q + t * d, k + t * d, v + t * d);
    }
    for (uint32_t t = 0; t < length; t++) {
        attend(model, q, k, v, length, t, mixed);
        snprintf(name, sizeof(name), "blk.%u.attn_output", index);
        linear(model, name, 0, d, mixed, a);
        for (uint32_t i = 0; i < d; i++) {
            a[i] += in[t * d + i];
        }
        snprintf(name, sizeof(name), "blk.%u.attn_output_norm", index);
        normalize(model, name, a);
        snprintf(name, sizeof(name), "blk.%u.ffn_up", index);
        linear(model, name, 0, f, a, h);
        for (uint32_t i = 0; i < f; i++) {
            h[i] = apply(model->shape.activation, h[i]);
        }
        snprintf(name, sizeof(name), "blk.%u.ffn_down", index);
        linear(model, name, 0, d, h, out + t * d);
        for (uint32_t i = 0; i < d; i++) {
            out[t * d + i] += a[i];
        }
        snprintf(name, sizeof(name), "blk.%u.layer_output_norm", index);
        normalize(model, name, out + t * d);
    }
    free(buffer);
}

void gtt_reference_states(const gtt_model *model, const int32_t *ids, const int32_t *types, uint32_t length,
                          double *states) {
    const uint64_t step = (uint64_t)length * model->shape.width;
    embed(model, ids, types, length, states);
    for (uint32_t l = 0; l < model->shape.layers; l++) {
        run_layer(model, l, states + l * step, length, states + (l + 1) * step);
    }
}

/* The head's row for its input x, [layers d] and room for the dense layer's behind it. */
static void answer(const gtt_model *model, uint32_t index, double *x, double *logits) {
    const gtt_head *head = &model->heads[index];
    double *dense = x + head->layer_count * model->shape.width;
    char name[48];
    if (head->dense != 0) {
        snprintf(name, sizeof(name), index == 0 ? "cls" : "gatun.head.%u.dense", index);
        linear(model, name, 0, head->dense, x, dense);
        for (uint32_t i = 0; i < head->dense; i++) {
            dense[i] = apply(head->activation, dense[i]);
        }
    }
    if (head->task == GT_TASK_FILL_MASK) {
        snprintf(name, sizeof(name), "gatun.head.%u.norm", index);
        normalize(model, name, dense);
        snprintf(name, sizeof(name), "gatun.head.%u.output", index);
        linear(model, "token_embd", 0, head->labels, dense, logits);
        for (uint32_t i = 0; i < head->labels; i++) {
            logits[i] += (double)weight(model, name, "bias")->values[i];
        }
        return;
    }
    snprintf(name, sizeof(name), index == 0 ? "cls.output" : "gatun.head.%u.output", index);
    linear(model, name, 0, head->labels, head->dense != 0 ? dense : x, logits);
}

void gtt_reference_head(const gtt_model *model, uint32_t index, const int32_t *ids, const double *states,
                        uint32_t length, double *logits) {
    const gtt_head *head = &model->heads[index];
    const uint32_t d = model->shape.width;
    double *x = malloc((head->layer_count * d + head->dense) * sizeof(double));
    for (uint32_t t = 0; t < length; t++) {
        if (!gtt_reads(head, (int32_t)t, ids[t])) {
            continue;
        }
        for (uint32_t i = 0; i < head->layer_count; i++) {
            memcpy(x + i * d, states + ((uint64_t)head->layers[i] * length + t) * d, d * sizeof(double));
        }
        answer(model, index, x, logits);
        logits += head->labels;
    }
    free(x);
}
