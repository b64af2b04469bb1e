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

/*
 * One wave, the same for all threads of a batch. Its rows and sequences are counted from its own first, in the session's
 * order: the deepest sequences first, so that those which a layer computes, and their rows, come before all others.
 *
 * The last layer of a sequence ends only the rows that are read, its picked ones. They lie in that layer's output behind
 * the rows of the sequences that go deeper, whose own are where they always were.
 */
typedef struct gti_job {
    const gt_session *session;
    const gt_batch *batch;
    uint32_t threads; /* that are expected */
    uint32_t depth; /* of the deepest sequence */
    uint32_t first_sequence;
    uint32_t sequences;
    uint32_t first_row;
    uint32_t rows;
    bool states; /* some sequence asks for its rows */
    uint32_t active[GTI_MAX_LAYERS + 2]; /* sequences that a layer computes */
    const uint32_t *picked;              /* rows, sequence by sequence */
    const uint32_t *picked_at;           /* [sequences + 1]: where each sequence's stand among them */
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
    return job->session->row_starts[job->first_sequence + sequence] - job->first_row;
}

/* Which one of the batch it is. */
static inline uint32_t gti_sequence(const gti_job *job, uint32_t sequence) {
    return job->session->order[job->first_sequence + sequence];
}

/* Rows that a layer computes keys and values of; none behind the deepest. */
static inline uint32_t gti_layer_rows_of(const gti_job *job, uint32_t layer) {
    return gti_sequence_start(job, job->active[layer]);
}

/* Where a sequence's picked rows lie in the output of the layer that is its last. */
static inline uint32_t gti_picked_start(const gti_job *job, uint32_t layer, uint32_t sequence) {
    return gti_layer_rows_of(job, layer + 1) + job->picked_at[sequence] - job->picked_at[job->active[layer + 1]];
}

/* Rows that a layer computes to its end: all of the deeper sequences, and those that are picked. */
static inline uint32_t gti_ended_rows(const gti_job *job, uint32_t layer) {
    return gti_picked_start(job, layer, job->active[layer]);
}

/* Whether these are not all. */
static inline bool gti_compact(const gti_job *job, uint32_t layer) {
    return gti_ended_rows(job, layer) < gti_layer_rows_of(job, layer);
}

/* Which row of the layer's input the rowth of its output is. */
static inline uint32_t gti_input_row(const gti_job *job, uint32_t layer, uint32_t row) {
    const uint32_t deeper = gti_layer_rows_of(job, layer + 1);
    return row < deeper ? row : job->picked[job->picked_at[job->active[layer + 1]] + row - deeper];
}

/* Declares first and count: the rows of a piece that is a block. */
#define GTI_BLOCK_OF(s, piece)                                                                                         \
    const uint32_t first = gti_block_start((s)->rows, (s)->blocks, piece);                                             \
    const uint32_t count = gti_block_start((s)->rows, (s)->blocks, (piece) + 1) - first

/* wave.c. Cuts a batch into the session's jobs. */
void gti_plan(gt_session *session, const gt_batch *batch);
/* Waves that a batch of so many tokens has at most, and phases that a wave has. */
uint32_t gti_most_waves(uint32_t tokens);
uint32_t gti_phase_count(const gt_model *model);
/* Runs the pieces of the next phase, or as many as others leave, and waits for those. */
void gti_run_phase(gti_worker *w, const gti_step *s, uint32_t pieces);
/* When a stage begins; to be given to gti_ended. */
uint64_t gti_began(const gti_worker *w);
void gti_ended(const gti_worker *w, uint32_t stage, uint64_t start);

/* fused.c. A linear over so many rows, whose outputs the threads share. */
void gti_shared_linear(gti_worker *w, gti_step s, uint32_t rows);

/* wave_heads.c. All heads of a wave whose layers were computed, and the scratch that a thread needs for one. */
void gti_answer(gti_worker *w);
uint64_t gti_head_bytes(const gt_model *model, const gti_head *head);

/* wave_masks.c. The same for a head that fills masks. */
void gti_fill_masks(gti_worker *w, uint32_t head);
uint64_t gti_mask_bytes(void);

#endif
