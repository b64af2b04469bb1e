/*
 * heads.c - from the rows of the layers to logits: gather the rows that a head reads, lay its layers side by side,
 * dense and activation where it has them, output. Shapes are ggml's: the first number is the fastest.
 */
#include "linear.h"
#include "session.h"

#include <string.h>

/* Rows that a head computes at once. */
static uint64_t block_rows(const gti_head *head) {
    return head->info.task == GT_TASK_FILL_MASK ? GTI_MASK_ROWS : GTI_HEAD_ROWS;
}

static uint64_t input_width(const gt_model *model, const gti_head *head) {
    return (uint64_t)head->info.layer_count * model->info.embedding_length;
}

uint64_t gti_heads_scratch(const gt_model *model) {
    uint64_t most = 0;
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        const gti_head *head = &model->heads[h];
        const uint64_t width = input_width(model, head) + model->info.embedding_length + head->dense.weight.rows
                               + head->info.label_count;
        most = gti_larger(most, width * block_rows(head));
    }
    return most;
}

/* The head's input for the rows in session->head_rows: [layers*d, count]. */
static struct ggml_tensor *gather(gt_session *session, const gti_head *head, uint64_t rows, uint64_t count) {
    gti_frame *frame = &session->frame;
    struct ggml_context *context = frame->context;
    const uint64_t d = session->model->info.embedding_length;
    const uint64_t width = input_width(session->model, head);
    float *input = session->scratch;
    float *part = input + block_rows(head) * width;
    struct ggml_tensor *indices = gti_frame_indices(frame, session->head_rows, count);
    if (head->info.layer_count == 1) {
        struct ggml_tensor *x = gti_frame_floats(frame, gti_layer_rows(session, head->info.layers[0]), d, rows);
        return gti_frame_place(frame, ggml_get_rows(context, x, indices), input); /* [d, count] */
    }
    struct ggml_tensor *whole = gti_frame_floats(frame, input, width, count); /* [layers*d, count] */
    for (uint32_t i = 0; i < head->info.layer_count; i++) {
        struct ggml_tensor *x = gti_frame_floats(frame, gti_layer_rows(session, head->info.layers[i]), d, rows);
        struct ggml_tensor *gathered = ggml_get_rows(context, x, indices); /* [d, count] */
        gti_frame_place(frame, gathered, part);
        struct ggml_tensor *place = ggml_view_2d(context, whole, (int64_t)d, (int64_t)count, width * sizeof(float),
                                                 i * d * sizeof(float)); /* [d, count] */
        gti_frame_place(frame, ggml_cpy(context, gathered, place), NULL);
    }
    return whole;
}

/* Computes the logits of the count rows in session->head_rows and writes them to session->head_at. */
static int32_t run_block(gt_session *session, const gti_head *head, const gt_batch *batch, uint64_t rows,
                         uint64_t count, gt_error *error) {
    gti_frame *frame = &session->frame;
    const uint64_t width = input_width(session->model, head);
    const uint64_t labels = head->info.label_count;
    uint64_t filled = count;
    while (filled < GTI_MIN_ROWS) {
        session->head_rows[filled++] = session->head_rows[0];
    }
    float *dense = session->scratch + block_rows(head) * (width + session->model->info.embedding_length);
    float *logits = dense + block_rows(head) * head->dense.weight.rows;
    gti_frame_begin(frame);
    struct ggml_tensor *x = gather(session, head, rows, filled); /* [layers*d, count] */
    if (head->dense.weight.data != NULL) {
        x = gti_linear_node(frame, &head->dense, x, head->activation, dense); /* [h, count] */
    }
    if (head->norm.weight.data != NULL) {
        x = gti_norm_node(frame, &head->norm, session->model->epsilon, x); /* [h, count] */
    }
    gti_linear_node(frame, &head->output, x, GTI_ACTIVATION_NONE, logits); /* [labels, count] */
    const int32_t status = gti_frame_run(frame, error);
    for (uint64_t i = 0; i < count && status == GT_OK; i++) {
        memcpy(batch->logits + session->head_at[i], logits + i * labels, labels * sizeof(float));
    }
    return status;
}

uint64_t gti_head_rows(const gt_session *session, const gt_batch *batch, uint32_t sequence, const gt_head_info *info) {
    switch (info->task) {
        case GT_TASK_TEXT_CLASSIFICATION:
            return 1;
        case GT_TASK_FILL_MASK:
            return session->masks[sequence];
        default:
            return (uint64_t)(batch->starts[sequence + 1] - batch->starts[sequence]);
    }
}

bool gti_reads_token(const gt_session *session, const gt_head_info *info, int32_t position, int32_t id) {
    switch (info->task) {
        case GT_TASK_TEXT_CLASSIFICATION:
            return position == 0;
        case GT_TASK_FILL_MASK:
            return (uint32_t)id == session->model->info.mask_token;
        default:
            return true;
    }
}

uint64_t gti_logits_at(const gt_session *session, const gt_batch *batch, uint32_t sequence, uint32_t index) {
    uint64_t at = session->logits_at[sequence];
    for (uint32_t h = 0; h < index; h++) {
        const gt_head_info *info = &session->model->heads[h].info;
        if (batch->outputs[sequence] >> h & 1) {
            at += info->label_count * gti_head_rows(session, batch, sequence, info);
        }
    }
    return at;
}

static int32_t run_head(gt_session *session, uint32_t index, const gt_batch *batch, uint64_t rows, gt_error *error) {
    const gti_head *head = &session->model->heads[index];
    uint64_t count = 0;
    int32_t status = GT_OK;
    for (uint32_t s = 0; s < batch->sequence_count && status == GT_OK; s++) {
        if (!(batch->outputs[s] >> index & 1)) {
            continue;
        }
        const int32_t start = batch->starts[s];
        uint64_t at = gti_logits_at(session, batch, s, index);
        for (int32_t row = start; row < batch->starts[s + 1] && status == GT_OK; row++) {
            if (!gti_reads_token(session, &head->info, row - start, batch->ids[row])) {
                continue;
            }
            session->head_rows[count] = row;
            session->head_at[count] = at;
            at += head->info.label_count;
            if (++count == block_rows(head)) {
                status = run_block(session, head, batch, rows, count, error);
                count = 0;
            }
        }
    }
    return status == GT_OK && count > 0 ? run_block(session, head, batch, rows, count, error) : status;
}

static void write_states(const gt_session *session, const gt_batch *batch) {
    const uint64_t d = session->model->info.embedding_length;
    const float *states = gti_layer_rows(session, session->model->info.layer_count); /* [n][d] */
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        if (batch->outputs[s] & GT_OUTPUT_STATES) {
            const uint64_t start = (uint64_t)batch->starts[s];
            const uint64_t length = (uint64_t)batch->starts[s + 1] - start;
            memcpy(batch->logits + gti_logits_at(session, batch, s, session->model->info.head_count), states + start * d,
                   length * d * sizeof(float));
        }
    }
}

int32_t gti_run_heads(gt_session *session, const gt_batch *batch, uint64_t rows, gt_error *error) {
    uint32_t wanted = 0;
    int32_t status = GT_OK;
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        wanted |= batch->outputs[s];
    }
    for (uint32_t h = 0; h < session->model->info.head_count && status == GT_OK; h++) {
        if (wanted >> h & 1) {
            status = run_head(session, h, batch, rows, error);
        }
    }
    if (status == GT_OK && (wanted & GT_OUTPUT_STATES)) {
        write_states(session, batch);
    }
    return status;
}
