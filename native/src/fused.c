#include "fused.h"

#include "cpu/cpu.h"
#include "pack.h"
#include "wave.h"

#include <math.h>
#include <string.h>

/* With fewer rows a thread than this, threads share the outputs of a linear instead of its rows. */
#define NARROW_ROWS 24
/* With so many sequences a thread, attention's pieces are whole sequences; else single heads. */
#define MANY_SEQUENCES 4
/* So much earlier a token's embedding, which lies anywhere, is asked for. */
#define ROWS_AHEAD 4

static bool narrow(const gti_job *job, uint32_t rows) {
    return job->threads > 1 && rows < NARROW_ROWS * job->threads;
}

/* How many blocks n rows are cut into when each goes its way alone: as many for every thread. */
static uint32_t wide_blocks(const gti_job *job, uint32_t rows) {
    const uint32_t threads = rows < job->threads ? 1 : job->threads;
    return threads * gti_ceil_div(gti_ceil_div(rows, threads), GTI_BLOCK);
}

/*
 * And when the threads share each linear: blocks as large as can be for products, unless there are fewer units of
 * outputs than threads; small ones for the rest.
 */
static uint32_t shared_blocks(const gti_job *job, uint32_t rows, uint32_t units) {
    const uint32_t wanted = gti_ceil_div(job->threads, units);
    const uint32_t most = gti_ceil_div(rows, GTI_TILE);
    const uint32_t least = gti_ceil_div(rows, GTI_BLOCK);
    return wanted < least ? least : wanted < most ? wanted : most;
}

static uint32_t small_blocks(const gti_job *job, uint32_t rows) {
    return rows < 2 * job->threads ? rows : 2 * job->threads;
}

static void multiply(const gti_worker *w, const gti_step *s, uint32_t first, uint32_t count, uint32_t from, uint32_t to,
                     const void *next) {
    const uint64_t start = gti_began(w);
    w->fused->kernels->linear(s->weights, s->operand, first, count, from, to, &s->epilogue, next, w->scratch);
    gti_ended(w, s->stage, start);
}

/* ---- what a row goes through, by itself ---- */

static void embed(const gti_worker *w, uint32_t first, uint32_t count) {
    const gt_model *model = w->model;
    const gt_session *session = w->job->session;
    const uint32_t d = model->info.embedding_length;
    const uint64_t width = w->fused->width;
    const uint64_t start = gti_began(w);
    float *x = gti_layer_output(w, 0) + first * width;
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
    gti_ended(w, GT_STAGE_EMBED, start);
}

/* The rows of a layer whose attention was computed, ready for its output linear. */
static void ready(const gti_worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = gti_began(w);
    if (gti_compact(w->job, layer)) {
        const float *x = gti_layer_output(w, layer);
        for (uint32_t r = first; r < first + count; r++) {
            memcpy(fused->attended + r * fused->width, x + gti_input_row(w->job, layer, r) * fused->width,
                   fused->width * sizeof(float));
        }
    }
    fused->kernels->prepare(w->model->compute, fused->gathered + first * fused->width, fused->width, first, count,
                            &fused->between);
    gti_ended(w, GT_STAGE_PREPARE, start);
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

static gti_step qkv_step(const gti_worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_qkv;
    const uint32_t panels = weights->features / GTI_PANEL;
    gti_step s = {.stage = GT_STAGE_QKV, .weights = weights, .operand = &w->fused->input, .to = panels, .unit = 1};
    /* Queries are computed later, where only some are needed. */
    s.from = gti_compact(w->job, layer) ? panels / 3 : 0;
    s.next = &w->model->layers[layer].packed_out;
    s.epilogue = qkv_epilogue(w->fused);
    return s;
}

static gti_step query_step(const gti_worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_qkv;
    gti_step s = {.stage = GT_STAGE_QKV, .weights = weights, .operand = &w->fused->between, .unit = 1};
    s.to = weights->features / GTI_PANEL / 3;
    s.next = &w->model->layers[layer].packed_out;
    s.epilogue = qkv_epilogue(w->fused);
    return s;
}

static gti_step out_step(const gti_worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const gti_packed *weights = &w->model->layers[layer].packed_out;
    gti_step s = {.stage = GT_STAGE_OUT, .weights = weights, .operand = &fused->between, .unit = 1};
    s.to = weights->features / GTI_PANEL;
    s.next = &w->model->layers[layer].packed_up;
    s.epilogue = (gti_epilogue){.residual = gti_compact(w->job, layer) ? fused->attended : gti_layer_output(w, layer),
                                .residual_stride = fused->width,
                                .out = fused->attended,
                                .out_stride = fused->width};
    return s;
}

static gti_step up_step(const gti_worker *w, uint32_t layer) {
    const gti_packed *weights = &w->model->layers[layer].packed_up;
    gti_step s = {.stage = GT_STAGE_UP, .weights = weights, .operand = &w->fused->between};
    s.to = weights->features / GTI_PANEL;
    s.unit = GTI_GROUP / GTI_PANEL;
    s.next = &w->model->layers[layer].packed_down;
    s.epilogue = (gti_epilogue){.activation = w->model->activation, .operand = &w->fused->inner};
    return s;
}

static gti_step down_step(const gti_worker *w, uint32_t layer) {
    const gti_fused *fused = w->fused;
    const gti_packed *weights = &w->model->layers[layer].packed_down;
    gti_step s = {.stage = GT_STAGE_DOWN, .weights = weights, .operand = &fused->inner, .unit = 1};
    s.to = weights->features / GTI_PANEL;
    s.next = &w->model->layers[layer + 1 < w->job->depth ? layer + 1 : 0].packed_qkv;
    s.epilogue = (gti_epilogue){.residual = fused->attended,
                                .residual_stride = fused->width,
                                .out = gti_layer_output(w, layer + 1),
                                .out_stride = fused->width};
    return s;
}

static void norm_attended(const gti_worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = gti_began(w);
    fused->kernels->norm(w->model->compute, &w->model->layers[layer].attention_norm, w->model->epsilon,
                         fused->attended + first * fused->width, fused->width, first, count, &fused->between);
    gti_ended(w, GT_STAGE_NORM, start);
}

static void norm_output(const gti_worker *w, uint32_t layer, uint32_t first, uint32_t count) {
    const gti_fused *fused = w->fused;
    const uint64_t start = gti_began(w);
    fused->kernels->norm(w->model->compute, &w->model->layers[layer].output_norm, w->model->epsilon,
                         gti_layer_output(w, layer + 1) + first * fused->width, fused->width, first, count,
                         first < gti_layer_rows_of(w->job, layer + 1) ? &fused->input : NULL);
    gti_ended(w, GT_STAGE_NORM, start);
}

/* ---- pieces ---- */

static gti_share linear_share(const gti_worker *w, const gti_step *s) {
    return (gti_share){s->blocks * gti_ceil_div(s->to - s->from, s->unit), w->job->threads};
}

/* The panel that a thread multiplies after piece: its stretch's next, or the first of that of the next linear. */
static const void *next_panel(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const gti_share share = linear_share(w, s);
    const uint32_t length = gti_stretch(share);
    if ((piece + 1) % length != 0 && piece + 1 < share.pieces) {
        return gti_panel(s->weights, s->from + (piece + 1) / s->blocks * s->unit);
    }
    const uint32_t panels = s->next->features / GTI_PANEL;
    return gti_panel(s->next, piece / length * gti_ceil_div(panels, share.stretches) % panels);
}

/* A block of rows, a few panels. */
static void run_linear(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const uint32_t block = piece % s->blocks;
    const uint32_t from = s->from + piece / s->blocks * s->unit;
    const uint32_t to = from + s->unit < s->to ? from + s->unit : s->to;
    const uint32_t first = gti_block_start(s->rows, s->blocks, block);
    multiply(w, s, first, gti_block_start(s->rows, s->blocks, block + 1) - first, from, to, next_panel(w, s, piece));
}

void gti_shared_linear(gti_worker *w, gti_step s, uint32_t rows) {
    s.run = run_linear;
    s.rows = rows;
    s.blocks = shared_blocks(w->job, rows, gti_ceil_div(s.to - s.from, s.unit));
    gti_run_phase(w, &s, linear_share(w, &s).pieces);
}

static void run_embed(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    embed(w, first, count);
}

static void run_ready(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    ready(w, s->layer, first, count);
}

static void run_norm_attended(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    norm_attended(w, s->layer, first, count);
}

static void run_norm_output(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    norm_output(w, s->layer, first, count);
}

/* How many of a block's rows are among the first rows of all. */
static uint32_t rows_below(uint32_t rows, uint32_t first, uint32_t count) {
    return first >= rows ? 0 : rows - first < count ? rows - first : count;
}

/* All of a linear for one block. */
static void whole_linear(const gti_worker *w, const gti_step *s, uint32_t first, uint32_t count) {
    multiply(w, s, first, count, s->from, s->to, s->next->panels);
}

static void run_first_rows(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const gti_step qkv = qkv_step(w, 0);
    const uint32_t deeper = rows_below(gti_layer_rows_of(w->job, 0), first, count);
    embed(w, first, count);
    if (deeper > 0) {
        whole_linear(w, &qkv, first, deeper);
    }
}

/* From one attention to the next. */
static void run_rows(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const gti_step out = out_step(w, s->layer);
    const gti_step up = up_step(w, s->layer);
    const gti_step down = down_step(w, s->layer);
    ready(w, s->layer, first, count);
    whole_linear(w, &out, first, count);
    norm_attended(w, s->layer, first, count);
    whole_linear(w, &up, first, count);
    whole_linear(w, &down, first, count);
    norm_output(w, s->layer, first, count);
    const uint32_t deeper = rows_below(gti_layer_rows_of(w->job, s->layer + 1), first, count);
    if (deeper > 0) {
        const gti_step qkv = qkv_step(w, s->layer + 1);
        whole_linear(w, &qkv, first, deeper);
    }
}

/* The rows of the input whose queries are needed, side by side in between. */
static void run_pick(const gti_worker *w, const gti_step *s, uint32_t piece) {
    GTI_BLOCK_OF(s, piece);
    const uint64_t start = gti_began(w);
    const gti_operand *from = &w->fused->input;
    const gti_operand *to = &w->fused->between;
    const uint64_t groups = GTI_GROUPS_OF(from->columns);
    for (uint32_t r = first; r < first + count; r++) {
        const uint64_t row = gti_input_row(w->job, s->layer, r);
        memcpy((uint8_t *)to->rows + r * to->stride, (const uint8_t *)from->rows + row * from->stride, from->stride);
        if (w->model->compute == GTI_COMPUTE_INT8) {
            memcpy(to->scaling + r * groups, from->scaling + row * groups, groups * sizeof(gti_scaling));
        }
    }
    gti_ended(w, GT_STAGE_PREPARE, start);
}

/* A sequence, one head of it or all. */
static void run_attention(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const gti_fused *fused = w->fused;
    const gti_job *job = w->job;
    const uint32_t heads = w->model->info.attention_head_count;
    const uint32_t head_width = w->model->info.embedding_length / heads;
    const uint32_t sequence = piece / (heads / s->unit);
    const uint32_t head = piece % (heads / s->unit) * s->unit;
    const uint64_t begin = gti_began(w);
    const uint64_t start = gti_sequence_start(job, sequence);
    const bool some = sequence >= job->active[s->layer + 1] && gti_compact(job, s->layer);
    const uint64_t query = some ? gti_picked_start(job, s->layer, sequence) : start;
    gti_attention at = {
        .query_stride = 3 * fused->width,
        .stride = 3 * fused->width,
        .key_count = (uint32_t)(gti_sequence_start(job, sequence + 1) - start),
        .width = head_width,
        .scale = 1.0f / sqrtf((float)head_width),
        .bf16 = fused->bf16,
        .out_stride = fused->width,
        .scratch = w->scratch,
    };
    at.query_count = some ? job->picked_at[sequence + 1] - job->picked_at[sequence] : at.key_count;
    for (uint32_t h = head; h < head + s->unit; h++) {
        const uint64_t column = (uint64_t)h * head_width;
        const uint64_t element = fused->bf16 ? sizeof(uint16_t) : sizeof(float);
        const uint8_t *qkv = fused->qkv;
        at.queries = qkv + (query * at.query_stride + column) * element;
        at.keys = qkv + (start * at.stride + fused->width + column) * element;
        at.values = qkv + (start * at.stride + 2 * fused->width + column) * element;
        at.out = fused->gathered + query * at.out_stride + column;
        fused->kernels->attend(&at);
    }
    gti_ended(w, GT_STAGE_ATTENTION, begin);
}

/* ---- phases ---- */

static void rows_phase(gti_worker *w, void (*run)(const gti_worker *, const gti_step *, uint32_t), uint32_t layer,
                       uint32_t rows, uint32_t blocks) {
    const gti_step s = {.run = run, .layer = layer, .rows = rows, .blocks = blocks};
    gti_run_phase(w, &s, blocks);
}

static void attention_phase(gti_worker *w, uint32_t layer) {
    const uint32_t sequences = w->job->active[layer];
    const uint32_t heads = w->model->info.attention_head_count;
    gti_step s = {.run = run_attention, .layer = layer, .unit = 1};
    if (sequences >= MANY_SEQUENCES * w->job->threads || w->job->threads == 1) {
        s.unit = heads;
    }
    gti_run_phase(w, &s, sequences * (heads / s.unit));
}

static void encode(gti_worker *w) {
    const gti_job *job = w->job;
    if (narrow(job, job->rows)) {
        rows_phase(w, run_embed, 0, job->rows, small_blocks(job, job->rows));
        if (job->depth > 0) {
            gti_shared_linear(w, qkv_step(w, 0), gti_layer_rows_of(job, 0));
        }
    } else {
        rows_phase(w, run_first_rows, 0, job->rows, wide_blocks(job, job->rows));
    }
    for (uint32_t layer = 0; layer < job->depth; layer++) {
        const uint32_t rows = gti_ended_rows(job, layer);
        if (gti_compact(job, layer)) {
            rows_phase(w, run_pick, layer, rows, small_blocks(job, rows));
            gti_shared_linear(w, query_step(w, layer), rows);
        }
        attention_phase(w, layer);
        if (!narrow(job, rows)) {
            rows_phase(w, run_rows, layer, rows, wide_blocks(job, rows));
            continue;
        }
        rows_phase(w, run_ready, layer, rows, small_blocks(job, rows));
        gti_shared_linear(w, out_step(w, layer), rows);
        rows_phase(w, run_norm_attended, layer, rows, small_blocks(job, rows));
        gti_shared_linear(w, up_step(w, layer), rows);
        gti_shared_linear(w, down_step(w, layer), rows);
        rows_phase(w, run_norm_output, layer, rows, small_blocks(job, rows));
        if (layer + 1 < job->depth) {
            gti_shared_linear(w, qkv_step(w, layer + 1), gti_layer_rows_of(job, layer + 1));
        }
    }
}

/* ---- a batch ---- */

static void run_states(const gti_worker *w, const gti_step *s, uint32_t piece) {
    const gti_job *job = w->job;
    const gti_fused *fused = w->fused;
    const uint32_t sequence = gti_sequence(job, piece);
    const uint32_t d = w->model->info.embedding_length;
    const uint32_t layers = w->model->info.layer_count;
    (void)s;
    if ((job->batch->outputs[sequence] & GT_OUTPUT_STATES) == 0) {
        return;
    }
    const uint32_t length = gti_sequence_start(job, piece + 1) - gti_sequence_start(job, piece);
    const uint64_t first = gti_picked_start(job, layers - 1, piece);
    float *to = job->batch->logits + gti_logits_at(job->session, job->batch, sequence, w->model->info.head_count);
    for (uint32_t r = 0; r < length; r++) {
        memcpy(to + (uint64_t)r * d, gti_layer_output(w, layers) + (first + r) * fused->width, d * sizeof(float));
    }
}

/* All waves, from the first layer to the logits. */
static void compute(gti_worker *w) {
    for (uint32_t i = 0; i < w->fused->job_count; i++) {
        const gti_step states = {.run = run_states};
        w->job = &w->fused->jobs[i];
        w->phase = i * gti_phase_count(w->model);
        encode(w);
        gti_answer(w);
        if (w->job->states) {
            gti_run_phase(w, &states, w->job->sequences);
        }
    }
}

static gti_worker worker_of(const gt_session *session, uint32_t number) {
    const gti_fused *fused = &session->fused;
    return (gti_worker){.job = fused->jobs,
                    .model = session->model,
                    .fused = fused,
                    .scratch = fused->scratch + number * fused->scratch_bytes,
                    .number = number,
                    .nanos = fused->measured ? fused->nanos + (uint64_t)number * GT_STAGE_COUNT : NULL};
}

void gti_fused_run(gt_session *session, const gt_batch *batch) {
    gti_fused *fused = &session->fused;
    gti_plan(session, batch);
    gti_team_reset(&fused->team, fused->job_count * gti_phase_count(session->model));
    if (fused->jobs->threads > 1) {
        gti_team_open(&fused->team);
    }
    gti_worker leader = worker_of(session, 0);
    compute(&leader);
    gti_team_close(&fused->team);
}

uint64_t gti_fused_join(gt_session *session) {
    const uint32_t number = gti_team_enter(&session->fused.team);
    if (number == 0) {
        return 0;
    }
    gti_worker helper = worker_of(session, number);
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

static void run_stage(const gti_worker *w, uint32_t stage, uint32_t layer, uint32_t first, uint32_t count) {
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
            const gti_step s = stage == GT_STAGE_QKV   ? qkv_step(w, layer)
                           : stage == GT_STAGE_OUT ? out_step(w, layer)
                           : stage == GT_STAGE_UP  ? up_step(w, layer)
                                                   : down_step(w, layer);
            whole_linear(w, &s, first, count);
        }
    }
}

void gti_fused_run_stage(gt_session *session, const gt_batch *batch, uint32_t stage, uint32_t layer) {
    gti_fused *fused = &session->fused;
    gti_plan(session, batch);
    for (uint32_t i = 0; i < fused->job_count; i++) {
        gti_job *job = &fused->jobs[i];
        job->threads = 1;
        gti_worker alone = worker_of(session, 0);
        alone.job = job;
        const gti_step s = {.layer = layer, .unit = session->model->info.attention_head_count};
        for (uint32_t sequence = 0; stage == GT_STAGE_ATTENTION && sequence < job->sequences; sequence++) {
            run_attention(&alone, &s, sequence);
        }
        const uint32_t blocks = wide_blocks(job, job->rows);
        for (uint32_t b = 0; stage != GT_STAGE_ATTENTION && b < blocks; b++) {
            const uint32_t first = gti_block_start(job->rows, blocks, b);
            run_stage(&alone, stage, layer, first, gti_block_start(job->rows, blocks, b + 1) - first);
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
        bytes = gti_larger(bytes, gti_head_bytes(model, &model->heads[h]));
    }
    return (bytes + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
}

void gti_fused_carve(gti_fused *fused, const gt_model *model, const gt_session_params *params, gti_carver *carver) {
    const uint64_t tokens = params->max_tokens;
    const uint64_t longest = tokens < model->info.context_length ? tokens : model->info.context_length;
    const uint64_t wave = gti_larger(longest, (uint64_t)GTI_WAVE_ROWS * params->max_threads);
    const uint64_t rows = wave < tokens ? wave : tokens;
    const uint64_t waves = gti_most_waves(params->max_tokens);
    const uint32_t d = model->info.embedding_length;
    fused->kernels = gti_cpu()->kernels;
    fused->width = GTI_PANELS_OF((uint64_t)d) * GTI_PANEL;
    fused->scratch_bytes = scratch_bytes(model, longest);
    fused->team.max_helpers = params->max_threads - 1;
    fused->row_capacity = rows;
    fused->team.phases = gti_carve(carver, waves * gti_phase_count(model) * gti_phase_bytes(fused->team.max_helpers));
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
    fused->picked = gti_carve(carver, tokens * sizeof(uint32_t));
    fused->picked_at = gti_carve(carver, (params->max_sequences + waves) * sizeof(uint32_t));
    fused->head_rows = gti_carve(carver, model->info.head_count * tokens * sizeof(gti_head_row));
    fused->nanos = gti_carve(carver, params->max_threads * GT_STAGE_COUNT * sizeof(uint64_t));
    fused->scratch = gti_carve(carver, params->max_threads * fused->scratch_bytes);
}
