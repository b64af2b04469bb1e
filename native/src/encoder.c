/*
 * encoder.c - the graph of the BERT family, over a flat batch: token rows one behind the other, no padding, no mask.
 *
 * Linears see all rows of the batch as one matrix; attention sees a sequence at a time.
 * Shapes are ggml's: the first number is the fastest. d: width, f: feed-forward, h: attention heads, n: rows.
 */
#include "linear.h"
#include "session.h"

#include <math.h>
#include <string.h>

/* Most tensors that one block of queries adds to a frame, and the rest of a layer. */
#define ATTENTION_TENSORS 24
#define LAYER_TENSORS (8 * GTI_LINEAR_TENSORS)

/* The scratch of one layer, as pointers into session->scratch. The feed-forward's rows lie over all of it. */
typedef struct layer_frame {
    float *qkv;       /* [3][n][d], or [n][3d] when fused */
    float *gathered;  /* [n][d]: what attention gathers, heads side by side */
    float *queries;   /* [h][queries][d/h] */
    float *values;    /* [h][d/h][length]: transposed */
    float *scores;    /* [h][queries][length] */
    float *mixed;     /* [h][queries][d/h] */
    const float *q;   /* first row of each, in qkv */
    const float *k;
    const float *v;
    uint64_t stride; /* floats from a row to the next, in q, k and v */
} layer_frame;

/* How many queries of a sequence of length tokens are computed at once. */
static uint64_t query_rows(const gt_model *model, uint64_t length) {
    const uint64_t fitting = GTI_SCORES / (length * model->info.attention_head_count);
    const uint64_t rows = fitting > GTI_MIN_QUERIES ? fitting : GTI_MIN_QUERIES;
    return rows < length ? rows : length;
}

static uint64_t score_floats(const gt_model *model, uint64_t longest) {
    const uint64_t h = model->info.attention_head_count;
    const uint64_t least = GTI_MIN_QUERIES * longest * h;
    const uint64_t bound = least > GTI_SCORES ? least : GTI_SCORES;
    const uint64_t whole = longest * longest * h;
    return whole < bound ? whole : bound;
}

uint64_t gti_encoder_scratch(const gt_model *model, uint64_t row_capacity, uint64_t longest) {
    const uint64_t d = model->info.embedding_length;
    const uint64_t attention = 4 * row_capacity * d + 3 * longest * d + score_floats(model, longest);
    const uint64_t feed_forward = row_capacity * model->info.feed_forward_length;
    return attention > feed_forward ? attention : feed_forward;
}

float *gti_layer_rows(const gt_session *session, uint32_t layer) {
    const int32_t kept = session->model->kept[layer];
    if (kept < 0) {
        return session->states[layer % 2];
    }
    return session->kept + (uint64_t)kept * session->row_capacity * session->model->info.embedding_length;
}

static layer_frame lay_out(const gt_session *session, const gti_layer *layer, uint64_t rows) {
    const uint64_t d = session->model->info.embedding_length;
    const uint64_t longest = session->max_tokens < session->model->info.context_length
                                 ? session->max_tokens
                                 : session->model->info.context_length;
    const bool fused = layer->qkv.weight.data != NULL;
    layer_frame frame;
    frame.qkv = session->scratch;
    frame.gathered = frame.qkv + 3 * session->row_capacity * d;
    frame.queries = frame.gathered + session->row_capacity * d;
    frame.values = frame.queries + longest * d;
    frame.mixed = frame.values + longest * d;
    frame.scores = frame.mixed + longest * d;
    frame.stride = fused ? 3 * d : d;
    frame.q = frame.qkv;
    frame.k = frame.q + (fused ? d : rows * d);
    frame.v = frame.k + (fused ? d : rows * d);
    return frame;
}

/* rows = norm(token + position + type). */
static int32_t embed(gt_session *session, uint64_t rows, gt_error *error) {
    gti_frame *frame = &session->frame;
    const gt_model *model = session->model;
    struct ggml_context *context = frame->context;
    gti_frame_begin(frame);
    struct ggml_tensor *ids = gti_frame_indices(frame, session->ids, rows);             /* [n] */
    struct ggml_tensor *positions = gti_frame_indices(frame, session->positions, rows); /* [n] */
    struct ggml_tensor *x =
        gti_frame_place(frame, ggml_get_rows(context, gti_frame_matrix(frame, &model->tokens), ids),
                        gti_layer_rows(session, 0)); /* [d, n] */
    struct ggml_tensor *p =
        gti_frame_place(frame, ggml_get_rows(context, gti_frame_matrix(frame, &model->positions), positions),
                        session->scratch); /* [d, n] */
    if (model->types.data != NULL) {
        struct ggml_tensor *types = gti_frame_indices(frame, session->types, rows); /* [n] */
        struct ggml_tensor *t =
            gti_frame_place(frame, ggml_get_rows(context, gti_frame_matrix(frame, &model->types), types),
                            session->scratch + rows * model->info.embedding_length); /* [d, n] */
        x = gti_frame_place(frame, ggml_add_inplace(context, x, t), NULL);
    }
    x = gti_frame_place(frame, ggml_add_inplace(context, x, p), NULL);
    gti_norm_node(frame, &model->embedding_norm, model->epsilon, x);
    return gti_frame_run(frame, error);
}

static void project(gt_session *session, const gti_layer *layer, const layer_frame *at, const float *input,
                    uint64_t rows) {
    gti_frame *frame = &session->frame;
    const uint64_t d = session->model->info.embedding_length;
    struct ggml_tensor *x = gti_frame_floats(frame, input, d, rows); /* [d, n] */
    if (layer->qkv.weight.data != NULL) {
        gti_linear_node(frame, &layer->qkv, x, GTI_ACTIVATION_NONE, at->qkv); /* [3d, n] */
        return;
    }
    gti_linear_node(frame, &layer->q, x, GTI_ACTIVATION_NONE, at->qkv);                /* [d, n] */
    gti_linear_node(frame, &layer->k, x, GTI_ACTIVATION_NONE, at->qkv + rows * d);     /* [d, n] */
    gti_linear_node(frame, &layer->v, x, GTI_ACTIVATION_NONE, at->qkv + 2 * rows * d); /* [d, n] */
}

/* A view of count rows from row first on, split into heads: [d/h, count, h]. */
static struct ggml_tensor *split_heads(gt_session *session, const layer_frame *at, const float *base, uint64_t first,
                                       uint64_t count) {
    gti_frame *frame = &session->frame;
    const uint64_t h = session->model->info.attention_head_count;
    const uint64_t width = session->model->info.embedding_length / h;
    struct ggml_tensor *rows = gti_frame_floats(frame, base + first * at->stride, at->stride, count);
    return ggml_view_3d(frame->context, rows, (int64_t)width, (int64_t)count, (int64_t)h, at->stride * sizeof(float),
                        width * sizeof(float), 0);
}

/* gathered = softmax(q k^T / sqrt(d/h)) v for count queries from row first on, of the sequence start..start+length. */
static void attend_block(gt_session *session, const layer_frame *at, uint64_t start, uint64_t length, uint64_t first,
                         uint64_t count) {
    gti_frame *frame = &session->frame;
    struct ggml_context *context = frame->context;
    const uint64_t d = session->model->info.embedding_length;
    const uint64_t h = session->model->info.attention_head_count;
    const uint64_t width = d / h;
    struct ggml_tensor *q = split_heads(session, at, at->q, first, count);  /* [d/h, count, h] */
    struct ggml_tensor *k = split_heads(session, at, at->k, start, length); /* [d/h, length, h] */
    q = gti_frame_place(frame, ggml_cont(context, q), at->queries);
    struct ggml_tensor *scores = ggml_mul_mat(context, k, q); /* [length, count, h] */
    gti_frame_place(frame, scores, at->scores);
    scores = gti_frame_place(
        frame, ggml_soft_max_ext_inplace(context, scores, NULL, 1.0f / sqrtf((float)width), 0.0f), NULL);
    struct ggml_tensor *v = gti_frame_floats(frame, at->values, length, d);
    v = ggml_view_3d(context, v, (int64_t)length, (int64_t)width, (int64_t)h, length * sizeof(float),
                     width * length * sizeof(float), 0);                                        /* [length, d/h, h] */
    struct ggml_tensor *mixed = ggml_mul_mat(context, v, scores); /* [d/h, count, h] */
    gti_frame_place(frame, mixed, at->mixed);
    struct ggml_tensor *out = gti_frame_floats(frame, at->gathered + first * d, d, count);
    out = ggml_view_3d(context, out, (int64_t)width, (int64_t)h, (int64_t)count, width * sizeof(float),
                       d * sizeof(float), 0); /* [d/h, h, count] */
    gti_frame_place(frame, ggml_cpy(context, ggml_permute(context, mixed, 0, 2, 1, 3), out), NULL);
}

/* Attention of every sequence. Runs the graph and begins another whenever it is full. */
static int32_t attend(gt_session *session, const gt_batch *batch, const layer_frame *at, gt_error *error) {
    gti_frame *frame = &session->frame;
    for (uint32_t s = 0; s < batch->sequence_count; s++) {
        const uint64_t start = (uint64_t)batch->starts[s];
        const uint64_t length = (uint64_t)batch->starts[s + 1] - start;
        const uint64_t step = query_rows(session->model, length);
        for (uint64_t first = 0; first < length; first += step) {
            if (!gti_frame_fits(frame, ATTENTION_TENSORS + LAYER_TENSORS)) {
                const int32_t status = gti_frame_run(frame, error);
                if (status != GT_OK) {
                    return status;
                }
                gti_frame_begin(frame);
            }
            if (first == 0) {
                struct ggml_tensor *v = split_heads(session, at, at->v, start, length); /* [d/h, length, h] */
                v = ggml_permute(frame->context, v, 1, 0, 2, 3);                        /* [length, d/h, h] */
                gti_frame_place(frame, ggml_cont(frame->context, v), at->values);
            }
            const uint64_t left = length - first;
            attend_block(session, at, start, length, start + first, step < left ? step : left);
        }
    }
    return GT_OK;
}

static int32_t run_layer(gt_session *session, const gt_batch *batch, uint64_t rows, uint32_t index, gt_error *error) {
    gti_frame *frame = &session->frame;
    const gt_model *model = session->model;
    const gti_layer *layer = &model->layers[index];
    const uint64_t d = model->info.embedding_length;
    const float *input = gti_layer_rows(session, index);
    const layer_frame at = lay_out(session, layer, rows);
    gti_frame_begin(frame);
    project(session, layer, &at, input, rows);
    const int32_t status = attend(session, batch, &at, error);
    if (status != GT_OK) {
        return status;
    }
    /* Rows that belong to no sequence: attention left them untouched. */
    memset(at.gathered + (uint64_t)batch->token_count * d, 0, (rows - batch->token_count) * d * sizeof(float));
    struct ggml_tensor *x = gti_frame_floats(frame, input, d, rows);       /* [d, n] */
    struct ggml_tensor *a = gti_frame_floats(frame, at.gathered, d, rows); /* [d, n] */
    a = gti_linear_norm_node(frame, &layer->out, a, x, &layer->attention_norm, model->epsilon, session->attended);
    struct ggml_tensor *f = gti_linear_node(frame, &layer->up, a, model->activation, session->scratch); /* [f, n] */
    gti_linear_norm_node(frame, &layer->down, f, a, &layer->output_norm, model->epsilon,
                         gti_layer_rows(session, index + 1)); /* [d, n] */
    return gti_frame_run(frame, error);
}

int32_t gti_encode(gt_session *session, const gt_batch *batch, uint64_t rows, uint32_t depth, gt_error *error) {
    int32_t status = embed(session, rows, error);
    for (uint32_t i = 0; i < depth && status == GT_OK; i++) {
        status = run_layer(session, batch, rows, i, error);
    }
    return status;
}
