/* The kernel's numbers against the reference's, for every shape and type of model. */
#include "batches.h"
#include "check.h"
#include "reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* What a tolerance for exact products becomes when they are rounded to fewer bits: zero stays zero. */
static double rounded(double tolerance) {
    static const double least[] = {0.15, 0, 0.06, 0};
    return tolerance == 0 || tolerance > least[gtt_compute] ? tolerance : least[gtt_compute];
}

/* The larger of worst and how far actual is away, or how far by its size; NaN once either is. */
static double larger(double worst, double expected, float actual, bool by_size) {
    const double d = fabs(expected - (double)actual) / (by_size ? 1 + fabs(expected) : 1);
    return d <= worst || isnan(worst) ? worst : d;
}

/* The largest difference over all outputs of sequence s. */
static double difference(const gtt_model *model, const gtt_batch *batch, uint32_t s, bool by_size) {
    const uint32_t length = (uint32_t)(batch->starts[s + 1] - batch->starts[s]);
    const uint64_t size = (uint64_t)length * model->shape.width;
    double *states = malloc((model->shape.layers + 1) * size * sizeof(double));
    double *expected = malloc((size + 64 * length) * sizeof(double));
    const float *actual = batch->logits + batch->logits_at[s];
    double worst = 0;
    gtt_reference_states(model, batch->ids + batch->starts[s], batch->types + batch->starts[s], length, states);
    for (uint32_t h = 0; h < model->head_count; h++) {
        if (batch->outputs[s] >> h & 1) {
            const uint64_t count = gtt_logit_count(model, batch, s, 1u << h);
            gtt_reference_head(model, h, batch->ids + batch->starts[s], states, length, expected);
            for (uint64_t i = 0; i < count; i++) {
                worst = larger(worst, expected[i], *actual++, by_size);
            }
        }
    }
    for (uint64_t i = 0; i < size && batch->outputs[s] & GT_OUTPUT_STATES; i++) {
        worst = larger(worst, states[model->shape.layers * size + i], *actual++, by_size);
    }
    free(states);
    free(expected);
    return worst;
}

static void agrees(const char *what, const gtt_shape *shape, double tolerance) {
    gtt_model *model = gtt_build(shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    const uint32_t lengths[] = {1, 7, shape->context, 2, 16, 33};
    const uint32_t heads = (1u << model->head_count) - 1;
    const uint32_t outputs[] = {heads, GT_OUTPUT_STATES, heads | GT_OUTPUT_STATES, 1, heads & 6, heads & 40};
    CHECK(gtt_open(&opened, &model->file, 256, 8) == GT_OK, "%s: %s", what, opened.error.message);
    for (uint32_t s = 0; s < 6 && opened.session != NULL; s++) {
        gtt_add_random(batch, model, s, lengths[s], outputs[s]);
    }
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s: %s", what, opened.error.message);
    for (uint32_t s = 0; s < batch->sequences; s++) {
        const double worst = difference(model, batch, s, false);
        CHECK(worst <= rounded(tolerance), "%s: sequence %u differs by %g", what, s, worst);
    }
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

static void agrees_in_every_shape(void) {
    gtt_shape shape = gtt_small_shape();
    agrees("bert", &shape, 2e-5);
    shape.fused = 1;
    agrees("fused", &shape, 2e-5);
    shape.foreign = 1;
    agrees("foreign bert", &shape, 2e-5);
    shape.token_types = 0;
    agrees("foreign distilbert", &shape, 2e-5);
    shape = gtt_small_shape();
    shape.token_types = 0;
    agrees("distilbert", &shape, 2e-5);
    shape.no_biases = 1;
    agrees("no biases", &shape, 2e-5);
    shape.activation = "relu";
    agrees("relu", &shape, 2e-5);
    shape.activation = "gelu_tanh";
    agrees("gelu_tanh", &shape, 2e-5);
    shape = gtt_small_shape();
    shape.layers = 5;
    shape.width = 96;
    shape.attention_heads = 3;
    shape.feed_forward = 100;
    agrees("odd sizes", &shape, 5e-5);
    shape.width = 36;
    shape.attention_heads = 1;
    shape.feed_forward = 1;
    agrees("smallest", &shape, 5e-5);
    shape.layers = 1;
    shape.width = 832;
    shape.attention_heads = 13;
    shape.feed_forward = 1600;
    shape.scale = 0.05f;
    agrees("several groups", &shape, 5e-5);
}

static void agrees_in_every_type(void) {
    gtt_shape shape = gtt_small_shape();
    shape.type = 1;
    agrees("F16", &shape, 1e-2);
    shape.type = 30;
    agrees("BF16", &shape, 0.1);
    shape.type = 8;
    agrees("Q8_0", &shape, 0.1);
    shape.type = 2;
    agrees("Q4_0", &shape, 0.1);
    shape.type = 3;
    agrees("Q4_1", &shape, 0.1);
    shape.type = 6;
    agrees("Q5_0", &shape, 0.1);
    shape.type = 7;
    agrees("Q5_1", &shape, 0.1);
    shape.type = 20;
    agrees("IQ4_NL", &shape, 0.1);
    shape.fused = 1;
    agrees("IQ4_NL, fused", &shape, 0.1);
    shape.fused = 0;
    shape.width = 256;
    shape.feed_forward = 512;
    shape.scale = 0.1f;
    for (shape.type = 10; shape.type <= 14; shape.type++) {
        agrees("K-quant", &shape, 0.15);
    }
}

/* Nothing to divide by anywhere: every answer is exactly zero. */
static void answers_zero_weights_with_zeros(void) {
    static const uint32_t types[] = {0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 30};
    gtt_shape shape = gtt_small_shape();
    shape.zeros = 1;
    shape.width = 256;
    shape.feed_forward = 256;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        shape.type = types[i];
        agrees("zeros", &shape, 0);
    }
}

/* As many tokens as the longest texts have, all of one id: rows that differ by their positions alone. */
static void agrees_on_one_id(void) {
    gtt_shape shape = gtt_small_shape();
    shape.context = 512;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 512, 1) == GT_OK, "%s", opened.error.message);
    gtt_add_random(batch, model, 1, 512, GTT_ALL_HEADS | GT_OUTPUT_STATES);
    for (uint32_t i = 0; i < 512; i++) {
        batch->ids[i] = 7;
    }
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    CHECK(difference(model, batch, 0, false) < rounded(2e-5), "%g", difference(model, batch, 0, false));
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

/* A sequence long enough that attention takes its queries in several blocks. */
static void agrees_on_long_sequences(void) {
    gtt_shape shape = gtt_small_shape();
    shape.layers = 1;
    shape.context = 600;
    shape.attention_heads = 4;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 700, 2) == GT_OK, "%s", opened.error.message);
    gtt_add_random(batch, model, 1, 600, GT_OUTPUT_STATES);
    gtt_add_random(batch, model, 2, 100, GTT_ALL_HEADS);
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    CHECK(difference(model, batch, 0, false) < rounded(2e-5), "600 tokens: %g", difference(model, batch, 0, false));
    CHECK(difference(model, batch, 1, false) < rounded(2e-5), "100 tokens: %g", difference(model, batch, 1, false));
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

/* The scores of a vocabulary of a real one's width and size: what a caller sees of logits that are rounded. */
static void scores_masks(void) {
    gtt_shape shape = gtt_small_shape();
    shape.layers = 1;
    shape.width = 768;
    shape.attention_heads = 12;
    shape.feed_forward = 128;
    shape.vocabulary = 4000;
    shape.scale = 0.05f;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    double *states = malloc(2ull * 40 * shape.width * sizeof(double));
    double *expected = malloc(40ull * shape.vocabulary * sizeof(double));
    CHECK(gtt_open(&opened, &model->file, 40, 1) == GT_OK, "%s", opened.error.message);
    gtt_add_random(batch, model, 3, 40, 1u << 5);
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    gtt_reference_states(model, batch->ids, batch->types, 40, states);
    gtt_reference_head(model, 5, batch->ids, states, 40, expected);
    for (uint64_t row = 0; row < batch->logits_at[1]; row += shape.vocabulary) {
        double all = 0, actual = 0, worst = 0;
        for (uint32_t i = 0; i < shape.vocabulary; i++) {
            all += exp(expected[row + i]);
            actual += exp((double)batch->logits[row + i]);
        }
        for (uint32_t i = 0; i < shape.vocabulary; i++) {
            worst = larger(worst, exp(expected[row + i]) / all, (float)(exp((double)batch->logits[row + i]) / actual), false);
        }
        CHECK(worst < (gtt_compute == GT_COMPUTE_F32 ? 1e-4 : 5e-3), "row %llu: a score differs by %g",
              (unsigned long long)(row / shape.vocabulary), worst);
    }
    gtt_close(&opened);
    free(states);
    free(expected);
    free(batch);
    gtt_model_free(model);
}

/* Weights so large that every score and every activation is at its limit. */
static void stays_finite(void) {
    gtt_shape shape = gtt_small_shape();
    shape.scale = 1000;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 64, 4) == GT_OK, "%s", opened.error.message);
    gtt_add_random(batch, model, 1, 1, GTT_ALL_HEADS | GT_OUTPUT_STATES);
    gtt_add_random(batch, model, 2, 40, GTT_ALL_HEADS | GT_OUTPUT_STATES);
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    for (uint64_t i = 0; i < batch->logits_at[2]; i++) {
        CHECK(isfinite(batch->logits[i]), "logit %llu", (unsigned long long)i);
    }
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

/* One channel a thousand times the others, behind every norm: it costs the others none of their precision. */
static void agrees_on_a_loud_channel(void) {
    static const double tolerances[] = {0.01, 1e-5, 0.006, 1e-5};
    gtt_shape shape = gtt_small_shape();
    shape.loud = 1;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 64, 4) == GT_OK, "%s", opened.error.message);
    gtt_add_random(batch, model, 1, 1, GT_OUTPUT_STATES);
    gtt_add_random(batch, model, 2, 40, GT_OUTPUT_STATES);
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    for (uint32_t s = 0; s < 2; s++) {
        const double worst = difference(model, batch, s, true);
        CHECK(worst <= tolerances[gtt_compute], "sequence %u differs by %g of its size", s, worst);
    }
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

void gtt_encoder_suite(void) {
    agrees_in_every_shape();
    agrees_in_every_type();
    answers_zero_weights_with_zeros();
    agrees_on_one_id();
    agrees_on_long_sequences();
    scores_masks();
    stays_finite();
    agrees_on_a_loud_channel();
}
