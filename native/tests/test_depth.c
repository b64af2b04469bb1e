/*
 * Only what is asked for is computed. The session's kernels are exchanged for some that count: rows times panels of each
 * linear say what was multiplied, whoever else is in the batch.
 */
#include "batches.h"
#include "check.h"

#include "session.h"

#include <stdlib.h>
#include <string.h>

#define LAYERS 6
#define LENGTH 20

/* What gtt_build's heads read, of six layers. */
enum { SENTIMENT = 1, EMOTION = 2, TAGS = 4, EARLY = 8, ANSWERS = 16, WORDS = 32 };

static void (*linear)(const gti_packed *weights, const gti_operand *operand, uint64_t first, uint32_t count,
                      uint32_t from, uint32_t to, const gti_epilogue *epilogue, const void *next, void *scratch);
static const gt_model *counted;
static uint64_t up_rows[LAYERS];
static uint64_t qkv_panels[LAYERS]; /* times rows */

static void count_linear(const gti_packed *weights, const gti_operand *operand, uint64_t first, uint32_t count,
                         uint32_t from, uint32_t to, const gti_epilogue *epilogue, const void *next, void *scratch) {
    for (uint32_t l = 0; l < LAYERS; l++) {
        if (weights == &counted->layers[l].packed_up) {
            up_rows[l] += from == 0 ? count : 0;
        }
        if (weights == &counted->layers[l].packed_qkv) {
            qkv_panels[l] += (uint64_t)count * (to - from);
        }
    }
    linear(weights, operand, first, count, from, to, epilogue, next, scratch);
}

/* Runs the batch and expects so many rows behind each layer's attention, and before it. */
static void expect(const char *what, gtt_opened *opened, const gtt_model *model, gtt_batch *batch,
                   const uint32_t ended[LAYERS], const uint32_t entered[LAYERS]) {
    const uint32_t panels = opened->model->layers[0].packed_qkv.features / GTI_PANEL;
    memset(up_rows, 0, sizeof(up_rows));
    memset(qkv_panels, 0, sizeof(qkv_panels));
    counted = opened->model;
    CHECK(gtt_run(opened, model, batch) == GT_OK, "%s", opened->error.message);
    for (uint32_t l = 0; l < LAYERS; l++) {
        /* Keys and values of all that enter; queries of those that are ended. */
        const uint64_t products = (uint64_t)panels / 3 * (2 * entered[l] + ended[l]);
        CHECK(up_rows[l] == ended[l], "%s: layer %u ends %llu rows, expected %u", what, l,
              (unsigned long long)up_rows[l], ended[l]);
        CHECK(qkv_panels[l] == products, "%s: layer %u multiplies %llu panels for attention, expected %llu", what, l,
              (unsigned long long)qkv_panels[l], (unsigned long long)products);
    }
}

static void begin(gtt_batch *batch) {
    memset(batch, 0, sizeof(*batch));
}

/* 20 tokens, of which two are masks: the fourth and the last. */
static void add(gtt_batch *batch, const gtt_model *model, uint32_t outputs) {
    const int32_t start = batch->starts[batch->sequences];
    gtt_add_random(batch, model, batch->sequences, LENGTH, outputs);
    for (int32_t t = start; t < start + LENGTH; t++) {
        batch->ids[t] = t == start + 3 || t == start + LENGTH - 1 ? GTT_MASK : 7 + (t - start);
    }
}

static void one_sequence(gtt_opened *opened, const gtt_model *model, gtt_batch *batch) {
    begin(batch);
    add(batch, model, SENTIMENT);
    expect("text", opened, model, batch, (uint32_t[]){20, 20, 20, 20, 20, 1}, (uint32_t[]){20, 20, 20, 20, 20, 20});
    begin(batch);
    add(batch, model, EARLY);
    expect("early", opened, model, batch, (uint32_t[]){20, 20, 20, 0, 0, 0}, (uint32_t[]){20, 20, 20, 0, 0, 0});
    begin(batch);
    add(batch, model, EMOTION);
    expect("early text", opened, model, batch, (uint32_t[]){20, 20, 20, 1, 0, 0}, (uint32_t[]){20, 20, 20, 20, 0, 0});
    begin(batch);
    add(batch, model, WORDS);
    expect("masks", opened, model, batch, (uint32_t[]){20, 20, 20, 20, 20, 2}, (uint32_t[]){20, 20, 20, 20, 20, 20});
    begin(batch);
    add(batch, model, WORDS | SENTIMENT | EARLY);
    expect("masks and text", opened, model, batch, (uint32_t[]){20, 20, 20, 20, 20, 3},
           (uint32_t[]){20, 20, 20, 20, 20, 20});
    begin(batch);
    add(batch, model, ANSWERS | SENTIMENT);
    expect("all rows", opened, model, batch, (uint32_t[]){20, 20, 20, 20, 20, 20},
           (uint32_t[]){20, 20, 20, 20, 20, 20});
    begin(batch);
    add(batch, model, WORDS);
    batch->ids[3] = batch->ids[LENGTH - 1] = 7;
    expect("no masks", opened, model, batch, (uint32_t[LAYERS]){0}, (uint32_t[LAYERS]){0});
}

static void mixed_sequences(gtt_opened *opened, const gtt_model *model, gtt_batch *batch) {
    for (batch->threads = 1; batch->threads < 3; batch->threads++) {
        const uint32_t threads = batch->threads;
        begin(batch);
        add(batch, model, EARLY);
        add(batch, model, SENTIMENT);
        add(batch, model, EMOTION);
        add(batch, model, TAGS);
        add(batch, model, EMOTION | WORDS);
        batch->threads = threads;
        expect("mixed", opened, model, batch, (uint32_t[]){100, 100, 100, 61, 60, 23},
               (uint32_t[]){100, 100, 100, 80, 60, 60});
    }
}

/* Deep sequences among many that are not: waves are cut from the deepest down. */
static void many_sequences(gtt_opened *opened, const gtt_model *model, gtt_batch *batch) {
    begin(batch);
    for (uint32_t s = 0; s < 40; s++) {
        add(batch, model, s % 10 == 9 ? TAGS : EARLY);
    }
    expect("many", opened, model, batch, (uint32_t[]){800, 800, 800, 80, 80, 80},
           (uint32_t[]){800, 800, 800, 80, 80, 80});
}

void gtt_depth_suite(void) {
    gtt_shape shape = gtt_small_shape();
    shape.layers = LAYERS;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 1024, 64) == GT_OK, "%s", opened.error.message);
    gti_kernels counting = *opened.session->fused.kernels;
    linear = counting.linear;
    counting.linear = count_linear;
    opened.session->fused.kernels = &counting;
    one_sequence(&opened, model, batch);
    mixed_sequences(&opened, model, batch);
    many_sequences(&opened, model, batch);
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}
