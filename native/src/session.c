#include "session.h"

#include <string.h>

#define MOST_BYTES (1ull << 40)
#define MOST_THREADS 512u

/*
 * ggml's scratch: rows converted to the type that a matrix multiplies with (none for F32, at most two bytes an element
 * for all others), or a row of scores a thread. Every run checks that it is enough.
 */
static uint64_t work_bytes(const gt_model *model, uint64_t rows, uint64_t longest, uint32_t threads) {
    uint64_t elements = 0;
    for (uint32_t i = 0; i < model->info.layer_count; i++) {
        const gti_layer *layer = &model->layers[i];
        const gti_matrix *weights[] = {&layer->qkv.weight, &layer->q.weight,  &layer->k.weight,   &layer->v.weight,
                                       &layer->out.weight, &layer->up.weight, &layer->down.weight};
        for (size_t w = 0; w < sizeof(weights) / sizeof(weights[0]); w++) {
            if (weights[w]->data != NULL && weights[w]->type != GGML_TYPE_F32) {
                elements = gti_larger(elements, weights[w]->columns * rows);
            }
        }
    }
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        const gti_head *head = &model->heads[h];
        elements = gti_larger(elements, (uint64_t)head->dense.weight.columns * GTI_HEAD_ROWS);
        elements = gti_larger(elements, (uint64_t)head->output.weight.columns * GTI_HEAD_ROWS);
    }
    return gti_larger(2 * elements, threads * longest * sizeof(float)) + 1024ull * threads;
}

/* What ggml's graph needs besides. */
static void carve_graph(gt_session *session, const gt_session_params *params, gti_carver *carver) {
    const gt_model *model = session->model;
    const uint64_t d = model->info.embedding_length;
    const uint64_t rows = session->row_capacity;
    const uint64_t longest =
        params->max_tokens < model->info.context_length ? params->max_tokens : model->info.context_length;
    const uint64_t row_bytes = rows * d * sizeof(float);
    session->scratch_floats = gti_larger(gti_encoder_scratch(model, rows, longest), gti_heads_scratch(model));
    session->work_bytes = work_bytes(model, rows, longest, params->max_threads);
    session->frame_memory = gti_carve(carver, gti_frame_bytes());
    session->work = gti_carve(carver, session->work_bytes);
    session->head_rows = gti_carve(carver, GTI_HEAD_ROWS * sizeof(int32_t));
    session->head_at = gti_carve(carver, GTI_HEAD_ROWS * sizeof(uint64_t));
    session->kept = gti_carve(carver, model->kept_count * row_bytes);
    session->states[0] = gti_carve(carver, row_bytes);
    session->states[1] = gti_carve(carver, row_bytes);
    session->attended = gti_carve(carver, row_bytes);
    session->scratch = gti_carve(carver, session->scratch_floats * sizeof(float));
}

/* Lays the session out in memory; returns the bytes that it takes. */
static uint64_t lay_out(gt_session *session, const gt_model *model, const gt_session_params *params, void *memory) {
    gti_carver carver = {memory, 0};
    gti_carve(&carver, sizeof(gt_session));
    memset(session, 0, sizeof(*session));
    session->model = model;
    session->max_tokens = params->max_tokens;
    session->max_sequences = params->max_sequences;
    session->max_threads = params->max_threads;
    session->row_capacity = gti_larger(params->max_tokens, GTI_MIN_ROWS);
    session->ids = gti_carve(&carver, session->row_capacity * sizeof(int32_t));
    session->types = gti_carve(&carver, session->row_capacity * sizeof(int32_t));
    session->positions = gti_carve(&carver, session->row_capacity * sizeof(int32_t));
    session->logits_at = gti_carve(&carver, params->max_sequences * sizeof(uint64_t));
    session->depths = gti_carve(&carver, params->max_sequences * sizeof(uint32_t));
    session->masks = gti_carve(&carver, params->max_sequences * sizeof(uint32_t));
    session->order = gti_carve(&carver, params->max_sequences * sizeof(uint32_t));
    session->row_starts = gti_carve(&carver, (params->max_sequences + 1ull) * sizeof(uint32_t));
    if (model->compute == GTI_COMPUTE_GGML) {
        carve_graph(session, params, &carver);
    } else {
        gti_fused_carve(&session->fused, model, params, &carver);
    }
    return carver.used;
}

int32_t gt_session_measure(const gt_model *model, const gt_session_params *params, uint64_t *memory_bytes,
                           gt_error *error) {
    gt_session session;
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (model == NULL || memory_bytes == NULL || params == NULL || params->struct_size != sizeof(gt_session_params)) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "model, params or memory_bytes is NULL, or the params' struct_size is not %zu",
                        sizeof(gt_session_params));
    }
    if (params->max_tokens < 1 || params->max_sequences < 1 || params->max_sequences > params->max_tokens) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "max_tokens is %u and max_sequences %u: expected 1 <= sequences <= tokens", params->max_tokens,
                        params->max_sequences);
    }
    if (params->max_threads < 1 || params->max_threads > MOST_THREADS) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "max_threads is %u: expected 1 to %u", params->max_threads,
                        MOST_THREADS);
    }
    const uint64_t bytes = lay_out(&session, model, params, NULL);
    if (bytes > MOST_BYTES || params->max_tokens > INT32_MAX) {
        return gti_fail(error, GT_ERROR_MEMORY, "a session of %u tokens needs %llu bytes, more than 2^40",
                        params->max_tokens, (unsigned long long)bytes);
    }
    *memory_bytes = bytes;
    return gti_succeed(error);
}

int32_t gt_session_open(const gt_model *model, const gt_session_params *params, void *memory, uint64_t memory_size,
                        gt_session **session, gt_error *error) {
    uint64_t bytes;
    if (session != NULL) {
        *session = NULL;
    }
    const int32_t status = gt_session_measure(model, params, &bytes, error);
    if (status != GT_OK) {
        return status;
    }
    if (session == NULL || memory == NULL || (uintptr_t)memory % GT_ALIGNMENT != 0) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "session or memory is NULL, or memory does not start at a multiple of %d", GT_ALIGNMENT);
    }
    if (memory_size < bytes) {
        return gti_fail(error, GT_ERROR_MEMORY, "memory_size is %llu bytes, the session needs %llu",
                        (unsigned long long)memory_size, (unsigned long long)bytes);
    }
    gt_session *opened = memory;
    lay_out(opened, model, params, memory);
    if (model->compute == GTI_COMPUTE_GGML
        && !gti_frame_open(&opened->frame, opened->frame_memory, opened->work, opened->work_bytes,
                            params->max_threads)) {
        return gti_fail(error, GT_ERROR_MEMORY, "the system gave no memory for a session");
    }
    *session = opened;
    return gti_succeed(error);
}

void gt_session_close(gt_session *session) {
    if (session != NULL && session->model->compute == GTI_COMPUTE_GGML) {
        gti_frame_close(&session->frame);
    }
}

static int32_t check_pointers(const gt_session *session, const gt_batch *batch, gt_error *error) {
    if (session == NULL || batch == NULL || batch->struct_size != sizeof(gt_batch)) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "session or batch is NULL, or the batch's struct_size is not %zu",
                        sizeof(gt_batch));
    }
    if (batch->ids == NULL || batch->starts == NULL || batch->outputs == NULL || batch->logits == NULL) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "ids, starts, outputs or logits of the batch is NULL");
    }
    if (batch->threads < 1) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "threads of the batch is 0, expected at least 1");
    }
    if (batch->token_count < 1 || batch->token_count > session->max_tokens) {
        return gti_fail(error, GT_ERROR_BATCH, "the batch has %u tokens, the session runs 1 to %u", batch->token_count,
                        session->max_tokens);
    }
    if (batch->sequence_count < 1 || batch->sequence_count > session->max_sequences) {
        return gti_fail(error, GT_ERROR_BATCH, "the batch has %u sequences, the session runs 1 to %u",
                        batch->sequence_count, session->max_sequences);
    }
    return GT_OK;
}

/* Checks that starts cuts the tokens into sequences that the model can read. */
static int32_t check_sequences(const gt_session *session, const gt_batch *batch, gt_error *error) {
    const gt_model_info *info = &session->model->info;
    const uint32_t known = (uint32_t)((1ull << info->head_count) - 1) | GT_OUTPUT_STATES;
    if (batch->starts[0] != 0) {
        return gti_fail(error, GT_ERROR_BATCH, "sequence 0 starts at token %d, expected 0", batch->starts[0]);
    }
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        const int64_t length = (int64_t)batch->starts[s + 1] - batch->starts[s];
        if (length < 1 || length > info->context_length || batch->starts[s + 1] > (int64_t)batch->token_count) {
            return gti_fail(error, GT_ERROR_BATCH,
                            "sequence %u goes from token %d to %d of %u, expected a length of 1 to %u", s,
                            batch->starts[s], batch->starts[s + 1], batch->token_count, info->context_length);
        }
        if (batch->outputs[s] & ~known) {
            return gti_fail(error, GT_ERROR_BATCH, "sequence %u wants outputs 0x%x, the model has %u heads", s,
                            batch->outputs[s], info->head_count);
        }
    }
    if (batch->starts[batch->sequence_count] != (int64_t)batch->token_count) {
        return gti_fail(error, GT_ERROR_BATCH, "sequence %u ends at token %d, the batch has %u",
                        batch->sequence_count - 1, batch->starts[batch->sequence_count], batch->token_count);
    }
    return GT_OK;
}

/* Checks every token and counts the masks. */
static int32_t check_tokens(gt_session *session, const gt_batch *batch, gt_error *error) {
    const gt_model_info *info = &session->model->info;
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        session->masks[s] = 0;
        for (int32_t row = batch->starts[s]; row < batch->starts[s + 1]; row++) {
            const int32_t id = batch->ids[row];
            const int32_t type = batch->types == NULL ? 0 : batch->types[row];
            if (id < 0 || (uint32_t)id >= info->vocabulary_size) {
                return gti_fail(error, GT_ERROR_BATCH, "sequence %u has token id %d at position %d, expected 0 to %u",
                                s, id, row - batch->starts[s], info->vocabulary_size - 1);
            }
            if (type < 0 || (uint32_t)type >= info->token_type_count) {
                return gti_fail(error, GT_ERROR_BATCH, "sequence %u has token type %d at position %d, expected 0 to %u",
                                s, type, row - batch->starts[s], info->token_type_count - 1);
            }
            session->masks[s] += (uint32_t)id == info->mask_token;
        }
    }
    return GT_OK;
}

/* Finds where each sequence's outputs go, and the deepest layer that they read. */
static int32_t plan_outputs(gt_session *session, const gt_batch *batch, gt_error *error) {
    const gt_model *model = session->model;
    uint64_t at = 0;
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        uint32_t depth = 0;
        session->logits_at[s] = at;
        for (uint32_t h = 0; h < model->info.head_count; h++) {
            const gt_head_info *info = &model->heads[h].info;
            const uint64_t rows = batch->outputs[s] >> h & 1 ? gti_head_rows(session, batch, s, info) : 0;
            at += info->label_count * rows;
            for (uint32_t i = 0; i < info->layer_count && rows > 0; i++) {
                depth = (uint32_t)gti_larger(depth, info->layers[i]);
            }
        }
        if (batch->outputs[s] & GT_OUTPUT_STATES) {
            at += (uint64_t)(batch->starts[s + 1] - batch->starts[s]) * model->info.embedding_length;
            depth = model->info.layer_count;
        }
        session->depths[s] = depth;
        if (at > batch->logits_capacity) {
            return gti_fail(error, GT_ERROR_BATCH, "sequence %u ends at %llu logits, logits_capacity is %llu", s,
                            (unsigned long long)at, (unsigned long long)batch->logits_capacity);
        }
    }
    return GT_OK;
}

/* The deepest layer that is read. */
static uint32_t deepest(const gt_session *session, const gt_batch *batch) {
    uint32_t depth = 0;
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        depth = (uint32_t)gti_larger(depth, session->depths[s]);
    }
    return depth;
}

/* Sequences that are done leave the rows of the others side by side when the deepest come first. */
static void order_sequences(gt_session *session, const gt_batch *batch) {
    uint32_t count = 0;
    for (uint32_t left = deepest(session, batch) + 1; left > 0; left--) {
        for (uint32_t s = 0; s < batch->sequence_count; s++) {
            if (session->depths[s] == left - 1) {
                session->order[count++] = s;
            }
        }
    }
}

/* Copies the tokens, in the order of their sequences, to where rows that belong to none have room behind them. */
static void take_tokens(gt_session *session, const gt_batch *batch) {
    uint32_t row = 0;
    for (uint32_t i = 0; i < batch->sequence_count; i++) {
        const uint32_t s = session->order[i];
        session->row_starts[i] = row;
        for (int32_t at = batch->starts[s]; at < batch->starts[s + 1]; at++) {
            session->ids[row] = batch->ids[at];
            session->types[row] = batch->types == NULL ? 0 : batch->types[at];
            session->positions[row++] = at - batch->starts[s];
        }
    }
    session->row_starts[batch->sequence_count] = row;
    for (; row < GTI_MIN_ROWS; row++) {
        session->ids[row] = 0;
        session->types[row] = 0;
        session->positions[row] = 0;
    }
}

static int32_t check_batch(gt_session *session, const gt_batch *batch, gt_error *error) {
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    int32_t status = check_pointers(session, batch, error);
    if (status == GT_OK) {
        status = check_sequences(session, batch, error);
    }
    return status == GT_OK ? check_tokens(session, batch, error) : status;
}

/* ggml's graph: all rows of the batch as deep as the deepest, in their own order. */
static int32_t run_graph(gt_session *session, const gt_batch *batch, gt_error *error) {
    const uint32_t depth = deepest(session, batch);
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        session->depths[s] = depth;
    }
    order_sequences(session, batch);
    take_tokens(session, batch);
    const uint64_t rows = gti_larger(batch->token_count, GTI_MIN_ROWS);
    session->frame.threads = (int)(batch->threads < session->max_threads ? batch->threads : session->max_threads);
    const int32_t status = gti_encode(session, batch, rows, depth, error);
    return status == GT_OK ? gti_run_heads(session, batch, rows, error) : status;
}

int32_t gt_session_run(gt_session *session, const gt_batch *batch, gt_error *error) {
    int32_t status = check_batch(session, batch, error);
    if (status == GT_OK) {
        status = plan_outputs(session, batch, error);
    }
    if (status == GT_OK && session->model->compute == GTI_COMPUTE_GGML) {
        status = run_graph(session, batch, error);
    } else if (status == GT_OK) {
        order_sequences(session, batch);
        take_tokens(session, batch);
        gti_fused_run(session, batch);
    }
    return status == GT_OK ? gti_succeed(error) : status;
}

uint64_t gt_session_join(gt_session *session) {
    return session == NULL || session->model->compute == GTI_COMPUTE_GGML ? 0 : gti_fused_join(session);
}

int32_t gt_session_profile(gt_session *session, gt_profile *profile, gt_error *error) {
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (session == NULL || session->model->compute == GTI_COMPUTE_GGML || profile == NULL
        || profile->struct_size != sizeof(gt_profile)) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "session or profile is NULL, the profile's struct_size is not %zu, or ggml computes",
                        sizeof(gt_profile));
    }
    gti_fused_profile(&session->fused, profile->nanos);
    return gti_succeed(error);
}

int32_t gt_session_run_stage(gt_session *session, const gt_batch *batch, uint32_t stage, uint32_t layer,
                             gt_error *error) {
    const int32_t status = check_batch(session, batch, error);
    if (status != GT_OK) {
        return status;
    }
    if (session->model->compute == GTI_COMPUTE_GGML || stage > GT_STAGE_DOWN
        || layer >= session->model->info.layer_count) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "stage %u of layer %u cannot be run alone, or ggml computes", stage,
                        layer);
    }
    /* Behind the last layer, so that no row is left out. */
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        session->depths[s] = session->model->info.layer_count + 1;
    }
    order_sequences(session, batch);
    take_tokens(session, batch);
    gti_fused_run_stage(session, batch, stage, layer);
    return gti_succeed(error);
}
