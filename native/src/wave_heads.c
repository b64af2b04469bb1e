#include "wave.h"

#include <string.h>

/* Rows that a head computes at once. */
#define HEAD_ROWS 48u

/* What a head needs for a block of rows. */
typedef struct head_frame {
    gti_operand input; /* its layers side by side */
    gti_operand dense;
    float *logits; /* [HEAD_ROWS][stride] */
    uint64_t stride;
    void *scratch;
} head_frame;

static uint64_t lay_out_head(const gt_model *model, const gti_head *head, uint8_t *memory, head_frame *frame) {
    gti_carver carver = {memory, 0};
    const uint32_t columns = head->info.layer_count * model->info.embedding_length;
    frame->scratch = gti_carve(&carver, GTI_LINEAR_BYTES);
    frame->input.columns = columns;
    frame->input.stride = GTI_PADDED_COLUMNS(columns) * sizeof(float);
    frame->input.rows = gti_carve(&carver, HEAD_ROWS * frame->input.stride);
    frame->dense.columns = head->dense.weight.rows;
    frame->dense.stride = GTI_PANELS_OF(head->dense.weight.rows) * GTI_PANEL * sizeof(float);
    frame->dense.rows = gti_carve(&carver, HEAD_ROWS * frame->dense.stride);
    frame->stride = GTI_PANELS_OF(head->info.label_count) * GTI_PANEL;
    frame->logits = gti_carve(&carver, HEAD_ROWS * frame->stride * sizeof(float));
    return carver.used;
}

/* The head's input for count rows from first on. */
static void gather(const gti_worker *w, const gti_head *head, const head_frame *frame, const gti_head_row *rows,
                   uint32_t count) {
    const uint32_t d = w->model->info.embedding_length;
    for (uint32_t r = 0; r < count; r++) {
        float *to = (float *)((uint8_t *)frame->input.rows + r * frame->input.stride);
        memset(to, 0, frame->input.stride);
        for (uint32_t i = 0; i < head->info.layer_count; i++) {
            const uint32_t layer = head->info.layers[i];
            const uint64_t row = layer == rows[r].depth ? rows[r].last_row : rows[r].row;
            memcpy(to + (uint64_t)i * d, gti_layer_output(w, layer) + row * w->fused->width, d * sizeof(float));
        }
    }
}

static void dense(const gti_worker *w, const gti_head *head, const head_frame *frame, uint32_t count, uint32_t from,
                  uint32_t to, void *scratch) {
    const gti_epilogue epilogue = {.activation = head->activation,
                                   .out = frame->dense.rows,
                                   .out_stride = frame->dense.stride / sizeof(float)};
    w->fused->kernels->linear(&head->packed_dense, &frame->input, 0, count, from, to, &epilogue, NULL, scratch);
}

static void output(const gti_worker *w, const gti_head *head, const head_frame *frame, const gti_head_row *rows,
                   uint32_t count) {
    const gti_epilogue epilogue = {.out = frame->logits, .out_stride = frame->stride};
    const gti_operand *operand = head->packed_dense.panels != NULL ? &frame->dense : &frame->input;
    w->fused->kernels->linear(&head->packed_output, operand, 0, count, 0, head->packed_output.features / GTI_PANEL,
                              &epilogue, NULL, frame->scratch);
    for (uint32_t r = 0; r < count; r++) {
        memcpy(w->job->batch->logits + rows[r].logits_at, frame->logits + r * frame->stride,
               head->info.label_count * sizeof(float));
    }
}

/* A block of rows, all of the head. */
static void run_head(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    const gti_head_row *rows = w->job->head_rows[s->head] + first;
    head_frame frame;
    lay_out_head(w->model, head, w->scratch, &frame);
    gather(w, head, &frame, rows, count);
    if (head->packed_dense.panels != NULL) {
        dense(w, head, &frame, count, 0, head->packed_dense.features / GTI_PANEL, frame.scratch);
    }
    output(w, head, &frame, rows, count);
    gti_ended(w, GT_STAGE_HEAD, start);
}

/* Few rows: the threads share the dense layer's outputs, in the leader's scratch. */
static void run_head_input(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    (void)piece;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    gather(w, head, &frame, w->job->head_rows[s->head], s->rows);
    gti_ended(w, GT_STAGE_HEAD, start);
}

static void run_head_dense(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    head_frame own;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    lay_out_head(w->model, head, w->scratch, &own);
    dense(w, head, &frame, s->rows, piece, piece + 1, own.scratch);
    gti_ended(w, GT_STAGE_HEAD, start);
}

static void run_head_output(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    (void)piece;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    output(w, head, &frame, w->job->head_rows[s->head], s->rows);
    gti_ended(w, GT_STAGE_HEAD, start);
}

void gti_answer(gti_worker *w) {
    const gti_job *job = w->job;
    for (uint32_t h = 0; h < w->model->info.head_count; h++) {
        const uint32_t rows = job->head_counts[h];
        gti_step s = {.run = run_head, .rows = rows, .blocks = gti_ceil_div(rows, HEAD_ROWS), .head = h};
        if (rows == 0) {
            continue;
        }
        if (w->model->heads[h].info.task == GT_TASK_FILL_MASK) {
            gti_fill_masks(w, h);
            continue;
        }
        const gti_packed *packed = &w->model->heads[h].packed_dense;
        if (job->threads == 1 || packed->panels == NULL || rows > HEAD_ROWS) {
            gti_run_phase(w, &s, s.blocks);
            continue;
        }
        s.run = run_head_input;
        gti_run_phase(w, &s, 1);
        s.run = run_head_dense;
        gti_run_phase(w, &s, packed->features / GTI_PANEL);
        s.run = run_head_output;
        gti_run_phase(w, &s, 1);
    }
}

uint64_t gti_head_bytes(const gt_model *model, const gti_head *head) {
    head_frame frame;
    return head->info.task == GT_TASK_FILL_MASK ? gti_mask_bytes() : lay_out_head(model, head, NULL, &frame);
}
