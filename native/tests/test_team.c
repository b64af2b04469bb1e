/* Threads that join a batch, whenever they come and however many: the same bits as from one thread alone. */
#include "batches.h"
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KINDS 9
#define OUTPUTS (GTT_ALL_HEADS | GT_OUTPUT_STATES)
/* Twice as many as a session of gtt_open has room for. */
#define JOINERS 6
#define ROUNDS 80
/* Where threads run one at a time it may take long until another gets to join. */
#define MOST_ROUNDS 5000

typedef struct joiner {
    gt_session *session;
    atomic_bool *stop;
    uint32_t number;
    uint64_t pieces;
} joiner;

/* Odd ones ask all the time, the others come late and at odd times. */
static void *join(void *data) {
    joiner *j = data;
    uint64_t seed = j->number;
    while (!atomic_load_explicit(j->stop, memory_order_relaxed)) {
        j->pieces += gt_session_join(j->session);
        if (j->number % 2 == 0) {
            const struct timespec pause = {0, (long)((gtt_random(&seed) + 1) * 200000)};
            nanosleep(&pause, NULL);
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static uint32_t length_of(uint32_t kind) {
    static const uint32_t lengths[KINDS] = {1, 2, 3, 7, 15, 16, 17, 31, 40};
    return lengths[kind];
}

/* Batches of one token up to as many as there is room for, asked to be computed by 1 to 7 threads. */
static void run_one(gtt_opened *opened, const gtt_model *model, const gtt_batch *alone, gtt_batch *batch,
                    uint32_t round) {
    static const uint32_t counts[] = {1, 2, 40, 5, 1, 12, 24, 3};
    uint32_t kinds[GTT_MAX_SEQUENCES];
    uint64_t seed = round;
    memset(batch, 0, sizeof(*batch));
    for (uint32_t s = 0; s < counts[round % 8]; s++) {
        kinds[s] = (uint32_t)((gtt_random(&seed) + 1) / 2 * (KINDS - 0.01f));
        gtt_add_random(batch, model, kinds[s], length_of(kinds[s]), s % 3 == 2 ? 1 : OUTPUTS);
    }
    batch->threads = 1 + round % 7;
    CHECK(gtt_run(opened, model, batch) == GT_OK, "%s", opened->error.message);
    for (uint32_t s = 0; s < batch->sequences; s++) {
        const uint64_t count = batch->logits_at[s + 1] - batch->logits_at[s];
        CHECK(memcmp(batch->logits + batch->logits_at[s], alone[kinds[s]].logits, count * sizeof(float)) == 0,
              "round %u: sequence %u of %u differs from itself alone", round, s, batch->sequences);
    }
}

static uint64_t pieces_of(pthread_t *threads, joiner *joiners) {
    uint64_t pieces = 0;
    for (uint32_t i = 0; i < JOINERS; i++) {
        pthread_join(threads[i], NULL);
        pieces += joiners[i].pieces;
    }
    return pieces;
}

/* rounds with joiners around; returns how many pieces they computed. */
static uint64_t run_with_joiners(gtt_opened *opened, const gtt_model *model, const gtt_batch *alone, gtt_batch *batch,
                                 uint32_t rounds) {
    pthread_t threads[JOINERS];
    joiner joiners[JOINERS];
    atomic_bool stop = false;
    for (uint32_t i = 0; i < JOINERS; i++) {
        joiners[i] = (joiner){opened->session, &stop, i, 0};
        pthread_create(&threads[i], NULL, join, &joiners[i]);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        run_one(opened, model, alone, batch, round);
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    return pieces_of(threads, joiners);
}

void gtt_team_suite(void) {
    gtt_shape shape = gtt_small_shape();
    shape.feed_forward = 1600; /* more than one group, and not whole panels */
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *alone = calloc(KINDS, sizeof(*alone));
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    uint64_t pieces = 0;
    CHECK(gtt_open(&opened, &model->file, 1024, 64) == GT_OK, "%s", opened.error.message);
    CHECK(gt_session_join(opened.session) == 0, "nothing runs yet");
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        gtt_add_random(&alone[kind], model, kind, length_of(kind), OUTPUTS);
        CHECK(gtt_run(&opened, model, &alone[kind]) == GT_OK, "%s", opened.error.message);
    }
    for (uint32_t rounds = 0; rounds < MOST_ROUNDS && pieces == 0; rounds += ROUNDS) {
        pieces = run_with_joiners(&opened, model, alone, batch, ROUNDS);
    }
    CHECK(pieces > 0, "nobody ever joined");
    CHECK(gt_session_join(opened.session) == 0, "nothing runs any more");
    gtt_close(&opened);
    free(alone);
    free(batch);
    gtt_model_free(model);
}
