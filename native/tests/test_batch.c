/* A row alone, in any company, first or last gives the same bits; sessions on several threads give them too. */
#include "batches.h"
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KINDS 12
#define OUTPUTS (GTT_ALL_HEADS | GT_OUTPUT_STATES)

static uint32_t length_of(uint32_t kind) {
    static const uint32_t lengths[KINDS] = {1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 40};
    return lengths[kind];
}

/* What each kind of sequence gives when it is alone. */
static void run_alone(gtt_opened *opened, const gtt_model *model, gtt_batch *alone) {
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        gtt_add_random(&alone[kind], model, kind, length_of(kind), OUTPUTS);
        CHECK(gtt_run(opened, model, &alone[kind]) == GT_OK, "%s", opened->error.message);
    }
}

static void compare(const gtt_batch *batch, const uint32_t *kinds, const gtt_batch *alone, uint32_t type) {
    for (uint32_t s = 0; s < batch->sequences; s++) {
        const gtt_batch *expected = &alone[kinds[s]];
        const uint64_t count = expected->logits_at[1];
        CHECK(batch->logits_at[s + 1] - batch->logits_at[s] == count, "count");
        CHECK(memcmp(batch->logits + batch->logits_at[s], expected->logits, count * sizeof(float)) == 0,
              "type %u: length %u in place %u of %u differs from itself alone", type, length_of(kinds[s]), s,
              batch->sequences);
    }
}

static void run_in_company(gtt_opened *opened, const gtt_model *model, const gtt_batch *alone) {
    gtt_batch *batch = malloc(sizeof(*batch));
    uint64_t seed = 5;
    for (int round = 0; round < 12; round++) {
        uint32_t kinds[GTT_MAX_SEQUENCES];
        memset(batch, 0, sizeof(*batch));
        const uint32_t count = round == 0 ? 1 : (uint32_t)((gtt_random(&seed) + 1) * 16) + 1;
        for (uint32_t s = 0; s < count; s++) {
            kinds[s] = (uint32_t)((gtt_random(&seed) + 1) / 2 * (KINDS - 0.01f));
            gtt_add_random(batch, model, kinds[s], length_of(kinds[s]), OUTPUTS);
        }
        batch->threads = 1 + (uint32_t)round % 4;
        CHECK(gtt_run(opened, model, batch) == GT_OK, "%s", opened->error.message);
        compare(batch, kinds, alone, model->shape.type);
    }
    free(batch);
}

typedef struct worker {
    const gtt_model *model;
    const gtt_bytes *file;
    gt_model *opened;
    const gtt_batch *alone;
} worker;

static void *work(void *data) {
    const worker *w = data;
    const gt_session_params params = {sizeof(params), 1024, 64, 1};
    gtt_opened opened = {.model = w->opened, .error = {.struct_size = sizeof(gt_error)}};
    uint64_t bytes = 0;
    gt_session_measure(w->opened, &params, &bytes, NULL);
    opened.session_memory = aligned_alloc(64, bytes);
    gt_session_open(w->opened, &params, opened.session_memory, bytes, &opened.session, &opened.error);
    run_in_company(&opened, w->model, w->alone);
    gt_session_close(opened.session);
    free(opened.session_memory);
    return NULL;
}

static void same_bits(uint32_t type, int threads) {
    gtt_shape shape = gtt_small_shape();
    shape.type = type;
    if (type >= 10 && type <= 14) { /* K-quants have blocks of 256 */
        shape.width = 256;
        shape.feed_forward = 512;
    }
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *alone = calloc(KINDS, sizeof(*alone));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 1024, 64) == GT_OK, "%s", opened.error.message);
    run_alone(&opened, model, alone);
    run_in_company(&opened, model, alone);
    pthread_t ids[4];
    worker w = {model, &model->file, opened.model, alone};
    for (int i = 0; i < threads; i++) {
        pthread_create(&ids[i], NULL, work, &w);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    gtt_close(&opened);
    free(alone);
    gtt_model_free(model);
}

/* As many sequences as there is room for: heads take their rows in several blocks, attention in several graphs. */
static void runs_many_short_sequences(void) {
    enum { COUNT = 1000, DIFFERENT = 10 };
    const gtt_shape shape = gtt_small_shape();
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *alone = calloc(DIFFERENT, sizeof(*alone));
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, COUNT, COUNT) == GT_OK, "%s", opened.error.message);
    for (uint32_t i = 0; i < DIFFERENT; i++) {
        gtt_add_random(&alone[i], model, i, 1, OUTPUTS);
        CHECK(gtt_run(&opened, model, &alone[i]) == GT_OK, "%s", opened.error.message);
    }
    for (uint32_t s = 0; s < COUNT; s++) {
        gtt_add_random(batch, model, s % DIFFERENT, 1, OUTPUTS);
    }
    CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
    for (uint32_t s = 0; s < COUNT; s++) {
        const gtt_batch *expected = &alone[s % DIFFERENT];
        const size_t size = expected->logits_at[1] * sizeof(float);
        CHECK(memcmp(batch->logits + batch->logits_at[s], expected->logits, size) == 0,
              "sequence %u differs from itself alone", s);
    }
    gtt_close(&opened);
    free(alone);
    free(batch);
    gtt_model_free(model);
}

/* Logits stand by sequence, and within it by head, whatever each sequence asks for. */
static void answers_what_is_asked(void) {
    const gtt_shape shape = gtt_small_shape();
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *whole = calloc(1, sizeof(*whole));
    gtt_batch *some = calloc(1, sizeof(*some));
    gtt_opened opened;
    CHECK(gtt_open(&opened, &model->file, 128, 16) == GT_OK, "%s", opened.error.message);
    gtt_add_random(whole, model, 3, 9, GTT_ALL_HEADS);
    CHECK(gtt_run(&opened, model, whole) == GT_OK, "%s", opened.error.message);
    for (uint32_t outputs = 0; outputs <= GTT_ALL_HEADS; outputs++) {
        memset(some, 0, sizeof(*some));
        gtt_add_random(some, model, 77, 4, (outputs * 7) & GTT_ALL_HEADS);
        gtt_add_random(some, model, 3, 9, outputs);
        CHECK(gtt_run(&opened, model, some) == GT_OK, "%s", opened.error.message);
        const float *actual = some->logits + some->logits_at[1];
        const float *expected = whole->logits;
        for (uint32_t h = 0; h < GTT_HEADS; h++) {
            const uint64_t count = gtt_logit_count(model, whole, 0, 1u << h);
            if (outputs >> h & 1) {
                CHECK(memcmp(actual, expected, count * sizeof(float)) == 0, "outputs %u, head %u", outputs, h);
                actual += count;
            }
            expected += count;
        }
    }
    gtt_close(&opened);
    free(whole);
    free(some);
    gtt_model_free(model);
}

/* Sequences of different depths keep each other company: each the same bits as alone. */
static void mixes_depths(void) {
    enum { COUNT = 24, ROUNDS = 40 };
    gtt_shape shape = gtt_small_shape();
    shape.layers = 5;
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *alone = calloc(1, sizeof(*alone));
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    uint64_t seed = 11;
    CHECK(gtt_open(&opened, &model->file, 1024, COUNT) == GT_OK, "%s", opened.error.message);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const uint32_t count = 1 + round % COUNT;
        memset(batch, 0, sizeof(*batch));
        for (uint32_t s = 0; s < count; s++) {
            const uint32_t kind = (uint32_t)((gtt_random(&seed) + 1) / 2 * (KINDS - 0.01f));
            const uint32_t one = 1u << (uint32_t)((gtt_random(&seed) + 1) / 2 * 6.99f);
            const uint32_t outputs = s % 3 == 2 ? one | 1u << s % GTT_HEADS : one;
            gtt_add_random(batch, model, kind, length_of(kind),
                           outputs > GTT_ALL_HEADS ? outputs % 64 | GT_OUTPUT_STATES : outputs);
        }
        batch->threads = 1 + round % 4;
        CHECK(gtt_run(&opened, model, batch) == GT_OK, "%s", opened.error.message);
        for (uint32_t s = 0; s < count; s++) {
            const size_t bytes = (batch->logits_at[s + 1] - batch->logits_at[s]) * sizeof(float);
            const size_t length = (size_t)(batch->starts[s + 1] - batch->starts[s]);
            memset(alone, 0, sizeof(*alone));
            memcpy(alone->ids, batch->ids + batch->starts[s], length * sizeof(int32_t));
            memcpy(alone->types, batch->types + batch->starts[s], length * sizeof(int32_t));
            alone->starts[1] = (int32_t)length;
            alone->outputs[0] = batch->outputs[s];
            alone->sequences = 1;
            CHECK(gtt_run(&opened, model, alone) == GT_OK, "%s", opened.error.message);
            CHECK(memcmp(batch->logits + batch->logits_at[s], alone->logits, bytes) == 0,
                  "round %u: sequence %u of %u, outputs 0x%x, differs from itself alone", round, s, count,
                  batch->outputs[s]);
        }
    }
    gtt_close(&opened);
    free(alone);
    free(batch);
    gtt_model_free(model);
}

/* ggml's own threads: the same bits from two as from one. */
static void agrees_on_ggmls_threads(void) {
    const gtt_shape shape = gtt_small_shape();
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batches = calloc(2, sizeof(*batches));
    for (uint32_t i = 0; i < 2; i++) {
        gtt_opened opened;
        gtt_threads = i + 1;
        batches[i].threads = i + 1;
        CHECK(gtt_open(&opened, &model->file, 128, 16) == GT_OK, "%s", opened.error.message);
        gtt_add_random(&batches[i], model, 5, 33, OUTPUTS);
        gtt_add_random(&batches[i], model, 6, 2, OUTPUTS);
        CHECK(gtt_run(&opened, model, &batches[i]) == GT_OK, "%s", opened.error.message);
        gtt_close(&opened);
    }
    gtt_threads = 1;
    CHECK(memcmp(batches[0].logits, batches[1].logits, batches[0].logits_at[2] * sizeof(float)) == 0, "differ");
    free(batches);
    gtt_model_free(model);
}

void gtt_batch_suite(void) {
    static const uint32_t types[] = {1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 20, 30};
    same_bits(0, 2);
    same_bits(8, 2);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        same_bits(types[i], 0);
    }
    runs_many_short_sequences();
    answers_what_is_asked();
    mixes_depths();
    if (gtt_compute == GT_COMPUTE_GGML) {
        agrees_on_ggmls_threads();
    }
}
