/*
 * wave.h - what the threads of a batch compute together, a wave of whole sequences at a time.
 */
#ifndef GTI_WAVE_H
#define GTI_WAVE_H

#include "session.h"

/*
 * A batch is computed in waves of whole sequences, so many rows a thread, each from the embeddings to the logits: what
 * a wave's rows leave behind themselves is still in the caches when it is read.
 */
#define GTI_WAVE_ROWS 128u

/* One wave, the same for all threads of a batch. Its rows and sequences are counted from its own first. */
typedef struct gti_job {
    const gt_session *session;
    const gt_batch *batch;
    uint32_t threads; /* that are expected */
    uint32_t depth;
    uint32_t first_sequence;
    uint32_t sequences;
    uint32_t first_row;
    uint32_t rows;
    uint32_t last_count; /* rows that the last layer computes to its end */
    bool states;         /* some sequence asks for its rows */
    const uint32_t *last_rows; /* [last_count] */
    const uint32_t *last_at;   /* [sequences + 1]: where each sequence's stand among them */
    const gti_head_row *head_rows[GT_MAX_HEADS];
    uint32_t head_counts[GT_MAX_HEADS];
} gti_job;

/* One thread's part in it. */
typedef struct gti_worker {
    const gti_job *job;
    const gt_model *model;
    const gti_fused *fused;
    uint8_t *scratch;
    uint64_t *nanos; /* [GT_STAGE_COUNT] of this thread; NULL while nothing is measured */
    uint32_t number; /* in the team */
    uint32_t phase;
    uint64_t pieces;
} gti_worker;

/* What a phase does. */
typedef struct gti_step {
    void (*run)(const gti_worker *w, const struct gti_step *step, uint32_t piece);
    uint32_t layer;
    uint32_t rows;   /* in all */
    uint32_t blocks; /* that they are cut into */
    uint32_t stage; /* of weights */
    const gti_packed *weights;
    const gti_operand *operand;
    uint32_t from; /* panels */
    uint32_t to;
    uint32_t unit; /* panels of a piece */
    const gti_packed *next; /* the linear that follows, whatever lies between */
    gti_epilogue epilogue;
    uint32_t head;
} gti_step;

static inline uint32_t gti_ceil_div(uint32_t a, uint32_t b) {
    return (a + b - 1) / b;
}

/* Where block index of count begins, of n rows. */
static inline uint32_t gti_block_start(uint32_t n, uint32_t count, uint32_t index) {
    return (uint32_t)((uint64_t)n * index / count);
}

/* [rows][width]: what layer reads, which is what the layer before it returns; embeddings for 0. */
static inline float *gti_layer_output(const gti_worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const int32_t kept = w->model->kept[layer];
    return kept < 0 ? fused->states[layer % 2] : fused->kept + (uint64_t)kept * fused->row_capacity * fused->width;
}

/* The first row of a sequence of the wave, or of the one behind its last. */
static inline uint32_t gti_sequence_start(const gti_job *job, uint32_t sequence) {
    return (uint32_t)job->batch->starts[job->first_sequence + sequence] - job->first_row;
}

/* Whether the last layer computes only some rows to its end. */
static inline bool gti_compact(const gti_job *job, uint32_t layer) {
    return layer + 1 == job->depth && job->last_count < job->rows;
}

/* Declares first and count: the rows of a piece that is a block. */
#define GTI_BLOCK_OF(s, piece)                                                                                         \
    const uint32_t first = gti_block_start((s)->rows, (s)->blocks, piece);                                             \
    const uint32_t count = gti_block_start((s)->rows, (s)->blocks, (piece) + 1) - first

/* wave.c. Cuts a batch into the session's jobs. */
void gti_plan(gt_session *session, const gt_batch *batch, uint32_t depth);
/* Waves that a batch of so many tokens has at most, and phases that a wave has. */
uint32_t gti_most_waves(uint32_t tokens);
uint32_t gti_phase_count(const gt_model *model);
/* Runs the pieces of the next phase, or as many as others leave, and waits for those. */
void gti_run_phase(gti_worker *w, const gti_step *s, uint32_t pieces);
/* When a stage begins; to be given to gti_ended. */
uint64_t gti_began(const gti_worker *w);
void gti_ended(const gti_worker *w, uint32_t stage, uint64_t start);

/* wave_heads.c. All heads of a wave whose layers were computed, and the scratch that a thread needs for one. */
void gti_answer(gti_worker *w);
uint64_t gti_head_bytes(const gt_model *model, const gti_head *head);

#endif
