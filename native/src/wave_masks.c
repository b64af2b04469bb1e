/*
 * wave_masks.c - heads that fill masks: dense and norm for few rows, and then a linear as wide as the vocabulary, which
 * takes longer than all before. The threads share both. The rows lie in buffers that the layers need no more; logits
 * come through a thread's scratch, a few panels at a time, since a row of theirs need not be whole panels.
 */
#include "wave.h"

#include <string.h>

/* Panels of the vocabulary that a piece multiplies. */
#define UNIT 4u
#define UNIT_COLUMNS (UNIT * GTI_PANEL)

/* [rows][width], floats: what the dense layer reads. */
static gti_operand input_of(const gti_worker *w) {
    return (gti_operand){.rows = w->fused->gathered,
                         .stride = w->fused->width * sizeof(float),
                         .columns = w->model->info.embedding_length};
}

static void run_gather(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    const gti_head_row *rows = w->job->head_rows[s->head];
    const uint64_t width = w->fused->width;
    const uint32_t d = w->model->info.embedding_length;
    const uint32_t layer = head->info.layers[0];
    for (uint32_t r = first; r < first + count; r++) {
        const uint64_t row = layer == rows[r].depth ? rows[r].last_row : rows[r].row;
        float *to = w->fused->gathered + r * width;
        memcpy(to, gti_layer_output(w, layer) + row * width, d * sizeof(float));
        memset(to + d, 0, (width - d) * sizeof(float));
    }
    gti_ended(w, GT_STAGE_HEAD, start);
}

static void run_norm(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const uint64_t start = gti_began(w);
    const gti_fused *fused = w->fused;
    fused->kernels->norm(w->model->compute, &w->model->heads[s->head].norm, w->model->epsilon,
                         fused->attended + first * fused->width, fused->width, first, count, &fused->between);
    gti_ended(w, GT_STAGE_HEAD, start);
}

/* Panels from to to of a linear, as one of its own. */
static gti_packed panels_of(const gti_packed *packed, uint32_t from, uint32_t to) {
    gti_packed part = *packed;
    part.features = (to - from) * GTI_PANEL;
    part.panels = gti_panel(packed, from);
    part.bias = packed->bias + (uint64_t)from * GTI_PANEL;
    if (packed->compute == GTI_COMPUTE_INT8) {
        part.scales = packed->scales + (uint64_t)from * GTI_PANEL;
        part.sums = packed->sums + (uint64_t)from * GTI_GROUPS_OF(packed->columns) * GTI_PANEL;
    }
    return part;
}

/* A block of rows, a few panels: pieces go through the blocks before they go to the next panels. */
static void run_decode(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const uint64_t start = gti_began(w);
    const gti_head *head = &w->model->heads[s->head];
    const uint32_t from = piece / s->blocks * UNIT;
    const uint32_t to = from + UNIT < s->to ? from + UNIT : s->to;
    const uint32_t first = gti_block_start(s->rows, s->blocks, piece % s->blocks);
    const uint32_t count = gti_block_start(s->rows, s->blocks, piece % s->blocks + 1) - first;
    const gti_packed part = panels_of(&head->packed_output, from, to);
    const uint32_t column = from * GTI_PANEL;
    const uint32_t columns = head->info.label_count - column < UNIT_COLUMNS ? head->info.label_count - column
                                                                          : UNIT_COLUMNS;
    gti_operand operand = w->fused->between;
    float *logits = (float *)(w->scratch + GTI_LINEAR_BYTES);
    const gti_epilogue epilogue = {.out = logits, .out_stride = UNIT_COLUMNS};
    operand.rows = (uint8_t *)operand.rows + first * operand.stride;
    if (part.compute == GTI_COMPUTE_INT8) {
        operand.scaling += (uint64_t)first * GTI_GROUPS_OF(operand.columns);
    }
    w->fused->kernels->linear(&part, &operand, 0, count, 0, to - from, &epilogue, NULL, w->scratch);
    for (uint32_t r = 0; r < count; r++) {
        memcpy(w->job->batch->logits + w->job->head_rows[s->head][first + r].logits_at + column,
               logits + (uint64_t)r * UNIT_COLUMNS, columns * sizeof(float));
    }
    gti_ended(w, GT_STAGE_HEAD, start);
}

void gti_fill_masks(gti_worker *w, uint32_t index) {
    const gti_head *head = &w->model->heads[index];
    const gti_operand input = input_of(w);
    const uint32_t rows = w->job->head_counts[index];
    const uint32_t panels = head->packed_output.features / GTI_PANEL;
    gti_step s = {.run = run_gather, .head = index, .rows = rows, .blocks = rows < 8 ? rows : 8};
    gti_run_phase(w, &s, s.blocks);
    gti_step dense = {.stage = GT_STAGE_HEAD, .weights = &head->packed_dense, .operand = &input, .unit = 1};
    dense.to = head->packed_dense.features / GTI_PANEL;
    dense.next = &head->packed_output;
    dense.epilogue = (gti_epilogue){
        .activation = head->activation, .out = w->fused->attended, .out_stride = w->fused->width};
    gti_shared_linear(w, dense, rows);
    s.run = run_norm;
    gti_run_phase(w, &s, s.blocks);
    s.run = run_decode;
    s.to = panels;
    s.blocks = gti_ceil_div(rows, GTI_BLOCK);
    gti_run_phase(w, &s, s.blocks * gti_ceil_div(panels, UNIT));
}

uint64_t gti_mask_bytes(void) {
    return GTI_LINEAR_BYTES + (uint64_t)GTI_BLOCK * UNIT_COLUMNS * sizeof(float);
}
