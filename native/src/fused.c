#include "fused.h"

#include "cpu/cpu.h"
#include "pack.h"
#include "session.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* With fewer rows a thread than this, threads share the outputs of a linear instead of its rows. */
#define NARROW_ROWS 24
/* With so many sequences a thread, attention's pieces are whole sequences; else single heads. */
#define MANY_SEQUENCES 4
/*
 * A batch is computed in waves of whole sequences, so many rows a thread, each from the embeddings to the logits: what
 * a wave's rows leave behind themselves is still in the caches when it is read.
 */
#define WAVE_ROWS 128u
/* So much earlier a token's embedding, which lies anywhere, is asked for. */
#define ROWS_AHEAD 4
/* Rows that a head computes at once. */
#define HEAD_ROWS 48u
/* Phases of a layer, of a head and of the rest, at most. */
#define LAYER_PHASES 10
#define HEAD_PHASES 3
#define OTHER_PHASES 4

static uint32_t phase_count(const gt_model *model) {
    return model->info.layer_count * LAYER_PHASES + model->info.head_count * HEAD_PHASES + OTHER_PHASES;
}

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
typedef struct worker {
    const gti_job *job;
    const gt_model *model;
    const gti_fused *fused;
    uint8_t *scratch;
    uint64_t *nanos; /* [GT_STAGE_COUNT] of this thread; NULL while nothing is measured */
    uint32_t number; /* in the team */
    uint32_t phase;
    uint64_t pieces;
} worker;

/* What a phase does. */
typedef struct step {
    void (*run)(const worker *w, const struct step *step, uint32_t piece);
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
} step;

static uint64_t clock_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* When a stage begins; to be given to ended. */
static uint64_t began(const worker *w) {
    return w->nanos == NULL ? 0 : clock_nanos();
}

static void ended(const worker *w, uint32_t stage, uint64_t start) {
    if (w->nanos != NULL) {
        w->nanos[stage] += clock_nanos() - start;
    }
}

/* Runs the pieces of a phase, or as many as others leave. */
static void phase(worker *w, const step *s, uint32_t pieces) {
    gti_phase *at = gti_team_phase(&w->fused->team, w->phase++);
    const gti_share share = {pieces, w->job->threads};
    uint32_t done = 0;
    uint32_t piece;
    while (gti_team_claim(at, share, w->number, &piece)) {
        s->run(w, s, piece);
        done++;
    }
    w->pieces += done;
    const uint64_t start = began(w);
    gti_team_finish(at, done, pieces);
    ended(w, GT_STAGE_WAIT, start);
}

static uint32_t ceil_div(uint32_t a, uint32_t b) {
    return (a + b - 1) / b;
}

/* Where block index of count begins, of n rows. */
static uint32_t block_start(uint32_t n, uint32_t count, uint32_t index) {
    return (uint32_t)((uint64_t)n * index / count);
}

static bool narrow(const gti_job *job, uint32_t rows) {
    return job->threads > 1 && rows < NARROW_ROWS * job->threads;
}

/* How many blocks n rows are cut into when each goes its way alone: as many for every thread. */
static uint32_t wide_blocks(const gti_job *job, uint32_t rows) {
    const uint32_t threads = rows < job->threads ? 1 : job->threads;
    return threads * ceil_div(ceil_div(rows, threads), GTI_BLOCK);
}

/*
 * And when the threads share each linear: blocks as large as can be for products, unless there are fewer units of
 * outputs than threads; small ones for the rest.
 */
static uint32_t shared_blocks(const gti_job *job, uint32_t rows, uint32_t units) {
    const uint32_t wanted = ceil_div(job->threads, units);
    const uint32_t most = ceil_div(rows, GTI_TILE);
    const uint32_t least = ceil_div(rows, GTI_BLOCK);
    return wanted < least ? least : wanted < most ? wanted : most;
}

static uint32_t small_blocks(const gti_job *job, uint32_t rows) {
    return rows < 2 * job->threads ? rows : 2 * job->threads;
}

static float *layer_rows(const worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const int32_t kept = w->model->kept[layer];
    return kept < 0 ? fused->states[layer % 2] : fused->kept + (uint64_t)kept * fused->row_capacity * fused->width;
}

/* The first row of a sequence of the wave, or of the one behind its last. */
static uint32_t sequence_start(const gti_job *job, uint32_t sequence) {
    return (uint32_t)job->batch->starts[job->first_sequence + sequence] - job->first_row;
}

/* Whether the last layer computes only some rows to its end. */
static bool compact(const gti_job *job, uint32_t layer) {
    return layer + 1 == job->depth && job->last_count < job->rows;
}

static void multiply(const worker *w, const step *s, uint32_t first, uint32_t count, uint32_t from, uint32_t to,
                     const void *next) {
    const uint64_t start = began(w);
    w->fused->kernels->linear(s->weights, s->operand, first, count, from, to, &s->epilogue, next, w->scratch);
    ended(w, s->stage, start);
}

/* ---- what a row goes through, by itself ---- */

static void embed(const worker *w, uint32_t first, uint32_t count) {
    const gt_model *model = w->model;
    const gt_session *session = w->job->session;
    const uint32_t d = model->info.embedding_length;
    const uint64_t width = w->fused->width;
    const uint64_t start = began(w);
    float *x = layer_rows(w, 0) + first * width;
    for (uint32_t r = 0; r < count; r++) {
        float *row = x + r * width;
        const uint32_t at = w->job->first_row + first + r;
        const uint32_t position = (uint32_t)session->positions[at];
        if (r + ROWS_AHEAD < count) {
            gti_ask_for_row(&model->tokens, (uint32_t)session->ids[at + ROWS_AHEAD]);
        }
        gti_read_row(&model->tokens, (uint32_t)session->ids[at], row);
        w->fused->kernels->add(row, (const float *)model->positions.data + (uint64_t)position * d, d);
        if (model->types.data != NULL) {
            const uint32_t type = (uint32_t)session->types[at];
            w->fused->kernels->add(row, (const float *)model->types.data + (uint64_t)type * d, d);
        }
    }
    w->fused->kernels->norm(model->compute, &model->embedding_norm, model->epsilon, x, width, first, count,
                            &w->fused->input);
    ended(w, GT_STAGE_EMBED, start);
}

/* The rows of a layer whose attention was computed, ready for its output linear. */
static void ready(const worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = began(w);
    if (compact(w->job, layer)) {
        const float *x = layer_rows(w, layer);
        for (uint32_t r = first; r < first + count; r++) {
            memcpy(fused->attended + r * fused->width, x + w->job->last_rows[r] * fused->width,
                   fused->width * sizeof(float));
        }
    }
    fused->kernels->prepare(w->model->compute, fused->gathered + first * fused->width, fused->width, first, count,
                            &fused->between);
    ended(w, GT_STAGE_PREPARE, start);
}

/* Where queries, keys and values go. */
static gti_epilogue qkv_epilogue(const gti_fused *fused) {
    gti_epilogue epilogue = {.out_stride = 3 * fused->width};
    if (fused->bf16) {
        epilogue.out_bf16 = fused->qkv;
    } else {
        epilogue.out = fused->qkv;
    }
    return epilogue;
}

static step qkv_step(const worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_qkv;
    const uint32_t panels = weights->features / GTI_PANEL;
    step s = {.stage = GT_STAGE_QKV, .weights = weights, .operand = &w->fused->input, .to = panels, .unit = 1};
    /* Queries are computed later, where only some are needed. */
    s.from = compact(w->job, layer) ? panels / 3 : 0;
    s.next = &w->model->layers[layer].packed_out;
    s.epilogue = qkv_epilogue(w->fused);
    return s;
}

static step query_step(const worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_qkv;
    step s = {.stage = GT_STAGE_QKV, .weights = weights, .operand = &w->fused->between, .unit = 1};
    s.to = weights->features / GTI_PANEL / 3;
    s.next = &w->model->layers[layer].packed_out;
    s.epilogue = qkv_epilogue(w->fused);
    return s;
}

static step out_step(const worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const gti_packed *weights = &w->model->layers[layer].packed_out;
    step s = {.stage = GT_STAGE_OUT, .weights = weights, .operand = &fused->between, .unit = 1};
    s.to = weights->features / GTI_PANEL;
    s.next = &w->model->layers[layer].packed_up;
    s.epilogue = (gti_epilogue){.residual = compact(w->job, layer) ? fused->attended : layer_rows(w, layer),
                                .residual_stride = fused->width,
                                .out = fused->attended,
                                .out_stride = fused->width};
    return s;
}

static step up_step(const worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_up;
    step s = {.stage = GT_STAGE_UP, .weights = weights, .operand = &w->fused->between};
    s.to = weights->features / GTI_PANEL;
    s.unit = GTI_GROUP / GTI_PANEL;
    s.next = &w->model->layers[layer].packed_down;
    s.epilogue = (gti_epilogue){.activation = w->model->activation, .operand = &w->fused->inner};
    return s;
}

static step down_step(const worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const gti_packed *weights = &w->model->layers[layer].packed_down;
    step s = {.stage = GT_STAGE_DOWN, .weights = weights, .operand = &fused->inner, .unit = 1};
    s.to = weights->features / GTI_PANEL;
    s.next = &w->model->layers[layer + 1 < w->job->depth ? layer + 1 : 0].packed_qkv;
    s.epilogue = (gti_epilogue){.residual = fused->attended,
                                .residual_stride = fused->width,
                                .out = layer_rows(w, layer + 1),
                                .out_stride = fused->width};
    return s;
}

static void norm_attended(const worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = began(w);
    fused->kernels->norm(w->model->compute, &w->model->layers[layer].attention_norm, w->model->epsilon,
                         fused->attended + first * fused->width, fused->width, first, count, &fused->between);
    ended(w, GT_STAGE_NORM, start);
}

static void norm_output(const worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = began(w);
    fused->kernels->norm(w->model->compute, &w->model->layers[layer].output_norm, w->model->epsilon,
                         layer_rows(w, layer + 1) + first * fused->width, fused->width, first, count,
                         layer + 1 < w->job->depth ? &fused->input : NULL);
    ended(w, GT_STAGE_NORM, start);
}

/* ---- pieces ---- */

static gti_share linear_share(const worker *w, const step *s) {
    return (gti_share){s->blocks * ceil_div(s->to - s->from, s->unit), w->job->threads};
}

/* The panel that a thread multiplies after piece: its stretch's next, or the first of that of the next linear. */
static const void *next_panel(const worker *w, const step *s, uint32_t piece) {
    const gti_share share = linear_share(w, s);
    const uint32_t length = gti_stretch(share);
    if ((piece + 1) % length != 0 && piece + 1 < share.pieces) {
        return gti_panel(s->weights, s->from + (piece + 1) / s->blocks * s->unit);
    }
    const uint32_t panels = s->next->features / GTI_PANEL;
    return gti_panel(s->next, piece / length * ceil_div(panels, share.stretches) % panels);
}

/* A block of rows, a few panels. */
static void run_linear(const worker *w, const step *s, uint32_t piece) {
    const uint32_t block = piece % s->blocks;
    const uint32_t from = s->from + piece / s->blocks * s->unit;
    const uint32_t to = from + s->unit < s->to ? from + s->unit : s->to;
    const uint32_t first = block_start(s->rows, s->blocks, block);
    multiply(w, s, first, block_start(s->rows, s->blocks, block + 1) - first, from, to, next_panel(w, s, piece));
}

static void shared_linear(worker *w, step s, uint32_t rows) {
    s.run = run_linear;
    s.rows = rows;
    s.blocks = shared_blocks(w->job, rows, ceil_div(s.to - s.from, s.unit));
    phase(w, &s, linear_share(w, &s).pieces);
}

#define BLOCK_OF(s, piece)                                                                                             \
    const uint32_t first = block_start((s)->rows, (s)->blocks, piece);                                                 \
    const uint32_t count = block_start((s)->rows, (s)->blocks, (piece) + 1) - first

static void run_embed(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    embed(w, first, count);
}

static void run_ready(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    ready(w, s->layer, first, count);
}

static void run_norm_attended(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    norm_attended(w, s->layer, first, count);
}

static void run_norm_output(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    norm_output(w, s->layer, first, count);
}

/* All of a linear for one block. */
static void whole_linear(const worker *w, const step *s, uint32_t first, uint32_t count) {
    multiply(w, s, first, count, s->from, s->to, s->next->panels);
}

static void run_first_rows(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    const step qkv = qkv_step(w, 0);
    embed(w, first, count);
    if (w->job->depth > 0) {
        whole_linear(w, &qkv, first, count);
    }
}

/* From one attention to the next. */
static void run_rows(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    const step out = out_step(w, s->layer);
    const step up = up_step(w, s->layer);
    const step down = down_step(w, s->layer);
    ready(w, s->layer, first, count);
    whole_linear(w, &out, first, count);
    norm_attended(w, s->layer, first, count);
    whole_linear(w, &up, first, count);
    whole_linear(w, &down, first, count);
    norm_output(w, s->layer, first, count);
    if (s->layer + 1 < w->job->depth) {
        const step qkv = qkv_step(w, s->layer + 1);
        whole_linear(w, &qkv, first, count);
    }
}

/* The rows of the input whose queries are needed, side by side in between. */
static void run_pick(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    const uint64_t start = began(w);
    const gti_operand *from = &w->fused->input;
    const gti_operand *to = &w->fused->between;
    const uint64_t groups = GTI_GROUPS_OF(from->columns);
    for (uint32_t r = first; r < first + count; r++) {
        const uint64_t row = w->job->last_rows[r];
        memcpy((uint8_t *)to->rows + r * to->stride, (const uint8_t *)from->rows + row * from->stride, from->stride);
        if (w->model->compute == GTI_COMPUTE_INT8) {
            memcpy(to->scaling + r * groups, from->scaling + row * groups, groups * sizeof(gti_scaling));
        }
    }
    ended(w, GT_STAGE_PREPARE, start);
}

/* A sequence, one head of it or all. */
static void run_attention(const worker *w, const step *s, uint32_t piece) {
    const gti_fused *fused = w->fused;
    const gti_job *job = w->job;
    const uint32_t heads = w->model->info.attention_head_count;
    const uint32_t head_width = w->model->info.embedding_length / heads;
    const uint32_t sequence = piece / (heads / s->unit);
    const uint32_t head = piece % (heads / s->unit) * s->unit;
    const uint64_t begin = began(w);
    const uint64_t start = sequence_start(job, sequence);
    const bool some = compact(job, s->layer);
    const uint64_t query = some ? job->last_at[sequence] : start;
    gti_attention at = {
        .query_stride = 3 * fused->width,
        .stride = 3 * fused->width,
        .key_count = (uint32_t)(sequence_start(job, sequence + 1) - start),
        .width = head_width,
        .scale = 1.0f / sqrtf((float)head_width),
        .bf16 = fused->bf16,
        .out_stride = fused->width,
        .scratch = w->scratch,
    };
    at.query_count = some ? job->last_at[sequence + 1] - job->last_at[sequence] : at.key_count;
    for (uint32_t h = head; h < head + s->unit && at.query_count > 0; h++) {
        const uint64_t column = (uint64_t)h * head_width;
        const uint64_t element = fused->bf16 ? sizeof(uint16_t) : sizeof(float);
        const uint8_t *qkv = fused->qkv;
        at.queries = qkv + (query * at.query_stride + column) * element;
        at.keys = qkv + (start * at.stride + fused->width + column) * element;
        at.values = qkv + (start * at.stride + 2 * fused->width + column) * element;
        at.out = fused->gathered + query * at.out_stride + column;
        fused->kernels->attend(&at);
    }
    ended(w, GT_STAGE_ATTENTION, begin);
}

/* ---- phases ---- */

static void rows_phase(worker *w, void (*run)(const worker *, const step *, uint32_t), uint32_t layer, uint32_t rows,
                       uint32_t blocks) {
    const step s = {.run = run, .layer = layer, .rows = rows, .blocks = blocks};
    phase(w, &s, blocks);
}

static void attention_phase(worker *w, uint32_t layer) {
    const uint32_t sequences = w->job->sequences;
    const uint32_t heads = w->model->info.attention_head_count;
    step s = {.run = run_attention, .layer = layer, .unit = 1};
    if (sequences >= MANY_SEQUENCES * w->job->threads || w->job->threads == 1) {
        s.unit = heads;
    }
    phase(w, &s, sequences * (heads / s.unit));
}

static void encode(worker *w) {
    const gti_job *job = w->job;
    if (narrow(job, job->rows)) {
        rows_phase(w, run_embed, 0, job->rows, small_blocks(job, job->rows));
        if (job->depth > 0) {
            shared_linear(w, qkv_step(w, 0), job->rows);
        }
    } else {
        rows_phase(w, run_first_rows, 0, job->rows, wide_blocks(job, job->rows));
    }
    for (uint32_t layer = 0; layer < job->depth; layer++) {
        const uint32_t rows = compact(job, layer) ? job->last_count : job->rows;
        if (compact(job, layer)) {
            rows_phase(w, run_pick, layer, rows, small_blocks(job, rows));
            shared_linear(w, query_step(w, layer), rows);
        }
        attention_phase(w, layer);
        if (!narrow(job, rows)) {
            rows_phase(w, run_rows, layer, rows, wide_blocks(job, rows));
            continue;
        }
        rows_phase(w, run_ready, layer, rows, small_blocks(job, rows));
        shared_linear(w, out_step(w, layer), rows);
        rows_phase(w, run_norm_attended, layer, rows, small_blocks(job, rows));
        shared_linear(w, up_step(w, layer), rows);
        shared_linear(w, down_step(w, layer), rows);
        rows_phase(w, run_norm_output, layer, rows, small_blocks(job, rows));
        if (layer + 1 < job->depth) {
            shared_linear(w, qkv_step(w, layer + 1), rows);
        }
    }
}

/* ---- heads ---- */

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
static void gather(const worker *w, const gti_head *head, const head_frame *frame, const gti_head_row *rows,
                   uint32_t count) {
    const uint32_t d = w->model->info.embedding_length;
    for (uint32_t r = 0; r < count; r++) {
        float *to = (float *)((uint8_t *)frame->input.rows + r * frame->input.stride);
        memset(to, 0, frame->input.stride);
        for (uint32_t i = 0; i < head->info.layer_count; i++) {
            const uint32_t layer = head->info.layers[i];
            const bool picked = layer > 0 && compact(w->job, layer - 1);
            const uint64_t row = picked ? rows[r].last_row : rows[r].row;
            memcpy(to + (uint64_t)i * d, layer_rows(w, layer) + row * w->fused->width, d * sizeof(float));
        }
    }
}

static void dense(const worker *w, const gti_head *head, const head_frame *frame, uint32_t count, uint32_t from,
                  uint32_t to, void *scratch) {
    const gti_epilogue epilogue = {.activation = head->activation,
                                   .out = frame->dense.rows,
                                   .out_stride = frame->dense.stride / sizeof(float)};
    w->fused->kernels->linear(&head->packed_dense, &frame->input, 0, count, from, to, &epilogue, NULL, scratch);
}

static void output(const worker *w, const gti_head *head, const head_frame *frame, const gti_head_row *rows,
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
static void run_head(const worker *w, const step *s, uint32_t piece) {
    BLOCK_OF(s, piece);
    const uint64_t start = began(w);
    const gti_head *head = &w->model->heads[s->head];
    const gti_head_row *rows = w->job->head_rows[s->head] + first;
    head_frame frame;
    lay_out_head(w->model, head, w->scratch, &frame);
    gather(w, head, &frame, rows, count);
    if (head->packed_dense.panels != NULL) {
        dense(w, head, &frame, count, 0, head->packed_dense.features / GTI_PANEL, frame.scratch);
    }
    output(w, head, &frame, rows, count);
    ended(w, GT_STAGE_HEAD, start);
}

/* Few rows: the threads share the dense layer's outputs, in the leader's scratch. */
static void run_head_input(const worker *w, const step *s, uint32_t piece) {
    const uint64_t start = began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    (void)piece;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    gather(w, head, &frame, w->job->head_rows[s->head], s->rows);
    ended(w, GT_STAGE_HEAD, start);
}

static void run_head_dense(const worker *w, const step *s, uint32_t piece) {
    const uint64_t start = began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    head_frame own;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    lay_out_head(w->model, head, w->scratch, &own);
    dense(w, head, &frame, s->rows, piece, piece + 1, own.scratch);
    ended(w, GT_STAGE_HEAD, start);
}

static void run_head_output(const worker *w, const step *s, uint32_t piece) {
    const uint64_t start = began(w);
    const gti_head *head = &w->model->heads[s->head];
    head_frame frame;
    (void)piece;
    lay_out_head(w->model, head, w->fused->scratch, &frame);
    output(w, head, &frame, w->job->head_rows[s->head], s->rows);
    ended(w, GT_STAGE_HEAD, start);
}

static void answer(worker *w) {
    const gti_job *job = w->job;
    for (uint32_t h = 0; h < w->model->info.head_count; h++) {
        const uint32_t rows = job->head_counts[h];
        step s = {.run = run_head, .rows = rows, .blocks = ceil_div(rows, HEAD_ROWS), .head = h};
        if (rows == 0) {
            continue;
        }
        const gti_packed *packed = &w->model->heads[h].packed_dense;
        if (job->threads == 1 || packed->panels == NULL || rows > HEAD_ROWS) {
            phase(w, &s, s.blocks);
            continue;
        }
        s.run = run_head_input;
        phase(w, &s, 1);
        s.run = run_head_dense;
        phase(w, &s, packed->features / GTI_PANEL);
        s.run = run_head_output;
        phase(w, &s, 1);
    }
}

/* ---- a batch ---- */

static bool reads(const gt_head_info *head, uint32_t layer) {
    for (uint32_t i = 0; i < head->layer_count; i++) {
        if (head->layers[i] == layer) {
            return true;
        }
    }
    return false;
}

/* How many rows of a sequence the last layer computes to its end. */
static uint32_t last_rows(const gt_model *model, const gt_batch *batch, uint32_t sequence, uint32_t depth) {
    const uint32_t length = (uint32_t)(batch->starts[sequence + 1] - batch->starts[sequence]);
    uint32_t count = batch->outputs[sequence] & GT_OUTPUT_STATES ? length : 0;
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        const gt_head_info *info = &model->heads[h].info;
        if ((batch->outputs[sequence] >> h & 1) == 0 || !reads(info, depth)) {
            continue;
        }
        const uint32_t wanted = info->task == GT_TASK_TOKEN_CLASSIFICATION ? length : 1;
        count = wanted > count ? wanted : count;
    }
    return count;
}

static void pick_last_rows(gti_job *job, uint32_t *rows, uint32_t *at) {
    job->last_rows = rows;
    job->last_at = at;
    for (uint32_t s = 0; s < job->sequences; s++) {
        const uint32_t count = last_rows(job->session->model, job->batch, job->first_sequence + s, job->depth);
        at[s] = job->last_count;
        for (uint32_t r = 0; r < count; r++) {
            rows[job->last_count++] = sequence_start(job, s) + r;
        }
    }
    at[job->sequences] = job->last_count;
}

static void pick_head_rows(gti_job *job, uint32_t head, gti_head_row *rows) {
    const gt_batch *batch = job->batch;
    const gt_head_info *info = &job->session->model->heads[head].info;
    job->head_rows[head] = rows;
    for (uint32_t s = 0; s < job->sequences; s++) {
        const uint32_t sequence = job->first_sequence + s;
        const uint32_t start = sequence_start(job, s);
        if ((batch->outputs[sequence] >> head & 1) == 0) {
            continue;
        }
        const uint64_t at = gti_logits_at(job->session, batch, sequence, head);
        const uint32_t count = info->task == GT_TASK_TOKEN_CLASSIFICATION ? sequence_start(job, s + 1) - start : 1;
        for (uint32_t r = 0; r < count; r++) {
            rows[job->head_counts[head]++] =
                (gti_head_row){start + r, job->last_at[s] + r, at + (uint64_t)r * info->label_count};
        }
    }
}

static void run_states(const worker *w, const step *s, uint32_t piece) {
    const gti_job *job = w->job;
    const gti_fused *fused = w->fused;
    const uint32_t sequence = job->first_sequence + piece;
    const uint32_t d = w->model->info.embedding_length;
    const uint32_t layers = w->model->info.layer_count;
    (void)s;
    if ((job->batch->outputs[sequence] & GT_OUTPUT_STATES) == 0) {
        return;
    }
    const uint32_t length = sequence_start(job, piece + 1) - sequence_start(job, piece);
    const uint64_t first = compact(job, layers - 1) ? job->last_at[piece] : sequence_start(job, piece);
    float *to = job->batch->logits + gti_logits_at(job->session, job->batch, sequence, w->model->info.head_count);
    for (uint32_t r = 0; r < length; r++) {
        memcpy(to + (uint64_t)r * d, layer_rows(w, layers) + (first + r) * fused->width, d * sizeof(float));
    }
}

/* All waves, from the first layer to the logits. */
static void compute(worker *w) {
    for (uint32_t i = 0; i < w->fused->job_count; i++) {
        const step states = {.run = run_states};
        w->job = &w->fused->jobs[i];
        w->phase = i * phase_count(w->model);
        encode(w);
        answer(w);
        if (w->job->states) {
            phase(w, &states, w->job->sequences);
        }
    }
}

/* How many sequences from first on make a wave. */
static uint32_t wave_sequences(const gt_batch *batch, uint32_t first, uint32_t threads) {
    uint32_t count = 1;
    while (first + count < batch->sequence_count
           && (uint32_t)(batch->starts[first + count + 1] - batch->starts[first]) <= WAVE_ROWS * threads) {
        count++;
    }
    return count;
}

/* Waves of which no two neighbours could be one. */
static uint32_t most_waves(uint32_t tokens) {
    return 2 * tokens / WAVE_ROWS + 2;
}

static void plan(gt_session *session, const gt_batch *batch, uint32_t depth) {
    gti_fused *fused = &session->fused;
    const gt_model *model = session->model;
    const uint32_t most = fused->team.max_helpers + 1;
    uint32_t first = 0;
    fused->job_count = 0;
    while (first < batch->sequence_count) {
        gti_job *job = &fused->jobs[fused->job_count];
        const uint32_t row = (uint32_t)batch->starts[first];
        *job = (gti_job){.session = session, .batch = batch, .depth = depth, .first_sequence = first, .first_row = row};
        job->threads = batch->threads < most ? batch->threads : most;
        job->sequences = wave_sequences(batch, first, job->threads);
        job->rows = (uint32_t)batch->starts[first + job->sequences] - row;
        pick_last_rows(job, fused->last_rows + row, fused->last_at + first + fused->job_count);
        for (uint32_t h = 0; h < model->info.head_count; h++) {
            pick_head_rows(job, h, fused->head_rows + (uint64_t)h * session->max_tokens + row);
        }
        for (uint32_t s = first; s < first + job->sequences; s++) {
            job->states |= (batch->outputs[s] & GT_OUTPUT_STATES) != 0;
        }
        first += job->sequences;
        fused->job_count++;
    }
}

static worker worker_of(const gt_session *session, uint32_t number) {
    const gti_fused *fused = &session->fused;
    return (worker){.job = fused->jobs,
                    .model = session->model,
                    .fused = fused,
                    .scratch = fused->scratch + number * fused->scratch_bytes,
                    .number = number,
                    .nanos = fused->measured ? fused->nanos + (uint64_t)number * GT_STAGE_COUNT : NULL};
}

void gti_fused_run(gt_session *session, const gt_batch *batch, uint32_t depth) {
    gti_fused *fused = &session->fused;
    plan(session, batch, depth);
    gti_team_reset(&fused->team, fused->job_count * phase_count(session->model));
    if (fused->jobs->threads > 1) {
        gti_team_open(&fused->team);
    }
    worker leader = worker_of(session, 0);
    compute(&leader);
    gti_team_close(&fused->team);
}

uint64_t gti_fused_join(gt_session *session) {
    const uint32_t number = gti_team_enter(&session->fused.team);
    if (number == 0) {
        return 0;
    }
    worker helper = worker_of(session, number);
    compute(&helper);
    gti_team_leave(&session->fused.team);
    return helper.pieces;
}

void gti_fused_profile(gti_fused *fused, uint64_t nanos[GT_STAGE_COUNT]) {
    memset(nanos, 0, GT_STAGE_COUNT * sizeof(uint64_t));
    for (uint64_t i = 0; i < (fused->team.max_helpers + 1ull) * GT_STAGE_COUNT; i++) {
        nanos[i % GT_STAGE_COUNT] += fused->measured ? fused->nanos[i] : 0;
        fused->nanos[i] = 0;
    }
    fused->measured = true;
}

static void run_stage(const worker *w, uint32_t stage, uint32_t layer, uint32_t first, uint32_t count) {
    switch (stage) {
        case GT_STAGE_EMBED:
            embed(w, first, count);
            break;
        case GT_STAGE_PREPARE:
            ready(w, layer, first, count);
            break;
        case GT_STAGE_NORM:
            norm_attended(w, layer, first, count);
            break;
        default: {
            const step s = stage == GT_STAGE_QKV   ? qkv_step(w, layer)
                           : stage == GT_STAGE_OUT ? out_step(w, layer)
                           : stage == GT_STAGE_UP  ? up_step(w, layer)
                                                   : down_step(w, layer);
            whole_linear(w, &s, first, count);
        }
    }
}

void gti_fused_run_stage(gt_session *session, const gt_batch *batch, uint32_t stage, uint32_t layer) {
    gti_fused *fused = &session->fused;
    plan(session, batch, 0);
    for (uint32_t i = 0; i < fused->job_count; i++) {
        gti_job *job = &fused->jobs[i];
        job->threads = 1;
        /* Behind the last layer, so that no row is left out. */
        job->depth = session->model->info.layer_count + 1;
        worker alone = worker_of(session, 0);
        alone.job = job;
        const step s = {.layer = layer, .unit = session->model->info.attention_head_count};
        for (uint32_t sequence = 0; stage == GT_STAGE_ATTENTION && sequence < job->sequences; sequence++) {
            run_attention(&alone, &s, sequence);
        }
        const uint32_t blocks = wide_blocks(job, job->rows);
        for (uint32_t b = 0; stage != GT_STAGE_ATTENTION && b < blocks; b++) {
            const uint32_t first = block_start(job->rows, blocks, b);
            run_stage(&alone, stage, layer, first, block_start(job->rows, blocks, b + 1) - first);
        }
    }
}

/* ---- memory ---- */

static gti_operand carve_operand(gti_carver *carver, gti_compute compute, uint64_t rows, uint32_t columns) {
    const uint64_t groups = GTI_GROUPS_OF(columns);
    gti_operand operand = {.columns = columns, .stride = GTI_PADDED_COLUMNS(columns) * gti_element_bytes(compute)};
    operand.rows = gti_carve(carver, rows * operand.stride);
    if (compute == GTI_COMPUTE_INT8) {
        operand.scaling = gti_carve(carver, rows * groups * sizeof(gti_scaling));
    }
    return operand;
}

static uint64_t scratch_bytes(const gt_model *model, uint64_t longest) {
    const uint64_t head_width = model->info.embedding_length / model->info.attention_head_count;
    uint64_t bytes = gti_larger(GTI_LINEAR_BYTES, gti_attention_bytes(longest, head_width));
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        head_frame frame;
        bytes = gti_larger(bytes, lay_out_head(model, &model->heads[h], NULL, &frame));
    }
    return (bytes + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
}

void gti_fused_carve(gti_fused *fused, const gt_model *model, const gt_session_params *params, gti_carver *carver) {
    const uint64_t tokens = params->max_tokens;
    const uint64_t longest = tokens < model->info.context_length ? tokens : model->info.context_length;
    const uint64_t wave = gti_larger(longest, (uint64_t)WAVE_ROWS * params->max_threads);
    const uint64_t rows = wave < tokens ? wave : tokens;
    const uint64_t waves = most_waves(params->max_tokens);
    const uint32_t d = model->info.embedding_length;
    fused->kernels = gti_cpu()->kernels;
    fused->width = GTI_PANELS_OF((uint64_t)d) * GTI_PANEL;
    fused->scratch_bytes = scratch_bytes(model, longest);
    fused->team.max_helpers = params->max_threads - 1;
    fused->row_capacity = rows;
    fused->team.phases = gti_carve(carver, waves * phase_count(model) * gti_phase_bytes(fused->team.max_helpers));
    fused->jobs = gti_carve(carver, waves * sizeof(gti_job));
    const uint64_t row_bytes = fused->width * sizeof(float);
    fused->kept = gti_carve(carver, model->kept_count * rows * row_bytes);
    fused->states[0] = gti_carve(carver, rows * row_bytes);
    fused->states[1] = gti_carve(carver, rows * row_bytes);
    fused->attended = gti_carve(carver, rows * row_bytes);
    fused->gathered = gti_carve(carver, rows * row_bytes);
    fused->bf16 = fused->kernels->bf16 && model->compute != GTI_COMPUTE_F32
                  && d / model->info.attention_head_count % 2 == 0;
    fused->qkv = gti_carve(carver, (3 * rows * fused->width + GTI_OVERREAD)
                                       * (fused->bf16 ? sizeof(uint16_t) : sizeof(float)));
    fused->input = carve_operand(carver, model->compute, rows, d);
    fused->between = carve_operand(carver, model->compute, rows, d);
    fused->input.apart = fused->between.apart = true;
    fused->inner = carve_operand(carver, model->compute, rows, model->info.feed_forward_length);
    fused->last_rows = gti_carve(carver, tokens * sizeof(uint32_t));
    fused->last_at = gti_carve(carver, (params->max_sequences + waves) * sizeof(uint32_t));
    fused->head_rows = gti_carve(carver, model->info.head_count * tokens * sizeof(gti_head_row));
    fused->nanos = gti_carve(carver, params->max_threads * GT_STAGE_COUNT * sizeof(uint64_t));
    fused->scratch = gti_carve(carver, params->max_threads * fused->scratch_bytes);
}
