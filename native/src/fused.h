/*
 * fused.h - the encoder and its heads on packed weights: what a processor runs.
 *
 * It computes what encoder.c and heads.c compute with ggml's graph. A batch's rows go through the linears in blocks,
 * each block from one attention to the next while it lies in the caches; or, where there are too few rows for the
 * threads at hand, the threads share the outputs of each linear. Which of both changes no bit of the result.
 */
#ifndef GTI_FUSED_H
#define GTI_FUSED_H

#include "carver.h"
#include "cpu/kernels.h"
#include "team.h"

/* A row that a head reads. */
typedef struct gti_head_row {
    uint32_t row;      /* of the wave */
    uint32_t depth;    /* the deepest layer of its sequence */
    uint32_t last_row; /* where that layer put it */
    uint64_t logits_at;
} gti_head_row;

typedef struct gti_fused {
    const gti_kernels *kernels;
    gti_team team;
    uint64_t width;      /* floats of a row, its d columns padded to whole panels */
    uint64_t row_capacity; /* of a wave: what "rows" means below */
    float *kept;         /* [model->kept_count][rows][width]: outputs of layers that heads read */
    float *states[2];    /* [rows][width]: outputs of the other layers, even and odd */
    float *attended;     /* [rows][width]: a layer's rows behind its attention */
    void *qkv;           /* [rows][3 width], float or bf16 */
    bool bf16;           /* qkv is, and attention multiplies it */
    float *gathered;     /* [rows][width]: what attention gathers, heads side by side */
    gti_operand input;   /* d columns: a layer's rows, for q, k and v */
    gti_operand between; /* d columns: what the other linears of a layer read */
    gti_operand inner;   /* f columns */
    struct gti_job *jobs;    /* [job_count]: the waves of the batch that runs */
    uint32_t job_count;
    uint32_t *picked;        /* [max_tokens]: what the jobs point into */
    uint32_t *picked_at;     /* [max_sequences + jobs] */
    gti_head_row *head_rows; /* [heads][max_tokens] */
    uint64_t *nanos;         /* [max_threads][GT_STAGE_COUNT], once measured */
    bool measured;
    uint8_t *scratch;        /* [max_threads][scratch_bytes] */
    uint64_t scratch_bytes;
} gti_fused;

/* Lays out the buffers for batches of up to rows rows. */
void gti_fused_carve(gti_fused *fused, const gt_model *model, const gt_session_params *params, gti_carver *carver);

/* Runs a batch that was checked, whose outputs are planned and whose sequences are in order. */
void gti_fused_run(gt_session *session, const gt_batch *batch);

/* Joins the batch that runs. Returns how many pieces this thread computed. */
uint64_t gti_fused_join(gt_session *session);

/* gt_session_profile, of all threads. */
void gti_fused_profile(gti_fused *fused, uint64_t nanos[GT_STAGE_COUNT]);

/* gt_session_run_stage, of such a batch. */
void gti_fused_run_stage(gt_session *session, const gt_batch *batch, uint32_t stage, uint32_t layer);

#endif
