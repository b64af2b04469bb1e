/*
 * session.h - what a session holds, and how its memory is laid out. One thread at a time.
 *
 * Buffers of rows have room for row_capacity rows: max_tokens, but never fewer than GTI_MIN_ROWS. A batch of fewer
 * rows is filled up to GTI_MIN_ROWS with rows that belong to no sequence: ggml computes products of very few rows by
 * another code path, whose sums round differently, and a row must not depend on how many stand beside it.
 */
#ifndef GTI_SESSION_H
#define GTI_SESSION_H

#include "frame.h"
#include "fused.h"

#ifdef __aarch64__
#define GTI_MIN_ROWS 8
#else
#define GTI_MIN_ROWS 4
#endif
/* Most rows that a head computes at once; fewer where each is as wide as the vocabulary. */
#define GTI_HEAD_ROWS 256
#define GTI_MASK_ROWS 16
/* Attention takes as many queries at once as keep their scores within so many floats, but at least GTI_MIN_QUERIES. */
#define GTI_SCORES (1u << 20)
#define GTI_MIN_QUERIES 16

struct gt_session {
    const gt_model *model;
    uint32_t max_tokens;
    uint32_t max_sequences;
    uint32_t max_threads;
    uint64_t row_capacity;
    int32_t *ids;        /* [row_capacity], as are types and positions: in the order in which sequences are computed */
    int32_t *types;
    int32_t *positions;
    uint64_t *logits_at; /* [max_sequences]: where a sequence's outputs start */
    uint32_t *depths;    /* [max_sequences]: the deepest layer that a sequence's outputs read */
    uint32_t *masks;     /* [max_sequences]: its mask tokens */
    uint32_t *order;     /* [max_sequences]: the deepest first; with ggml's graph, which computes all alike, as they come */
    uint32_t *row_starts; /* [max_sequences + 1]: of the first row of each in that order */
    gti_fused fused;     /* this, or what follows: ggml's graph */
    uint64_t scratch_floats;
    uint64_t work_bytes;
    gti_frame frame;
    void *frame_memory;
    void *work;
    int32_t *head_rows;  /* [GTI_HEAD_ROWS] */
    uint64_t *head_at;   /* [GTI_HEAD_ROWS]: where a row's logits go */
    float *kept;         /* [model->kept_count][row_capacity][d]: outputs of layers that heads read */
    float *states[2];    /* [row_capacity][d]: outputs of the other layers, even and odd */
    float *attended;     /* [row_capacity][d]: a layer's rows behind its attention */
    float *scratch;      /* [scratch_floats]: a layer's or a head's frame, used again by the next */
};

/* Where the output of a layer lies; 0 is the embeddings'. float[row_capacity][d] */
float *gti_layer_rows(const gt_session *session, uint32_t layer);

/* heads.c. How many rows of a sequence a head reads, and whether a token at a position is one of them. */
uint64_t gti_head_rows(const gt_session *session, const gt_batch *batch, uint32_t sequence, const gt_head_info *info);
bool gti_reads_token(const gt_session *session, const gt_head_info *info, int32_t position, int32_t id);
/* Where head index of a sequence writes, behind the heads below it; the rows themselves come behind all. */
uint64_t gti_logits_at(const gt_session *session, const gt_batch *batch, uint32_t sequence, uint32_t index);

/* encoder.c. Computes layers 0 to depth for rows rows of ids, types and positions. Status: OK, INTERNAL. */
int32_t gti_encode(gt_session *session, const gt_batch *batch, uint64_t rows, uint32_t depth, gt_error *error);
/* Floats of scratch that the encoder needs for row_capacity rows. */
uint64_t gti_encoder_scratch(const gt_model *model, uint64_t row_capacity, uint64_t longest);

/* heads.c. Writes the logits of every head that the batch asks for, and states. Status: OK, INTERNAL. */
int32_t gti_run_heads(gt_session *session, const gt_batch *batch, uint64_t rows, gt_error *error);
/* Floats of scratch that the heads need. */
uint64_t gti_heads_scratch(const gt_model *model);

#endif
