#include "model_builder.h"

#include "gatun_ggml.h"

#include "ggml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOUD 5
/* Heads whose random numbers come before the encoder's. */
#define FIRST_HEADS 4

const char *gtt_left_out;

typedef struct builder {
    gtt_model *model;
    gtt_image image;
    uint64_t seed;
} builder;

float gtt_random(uint64_t *state) {
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (float)((double)(*state >> 11) / (double)(1ull << 52) - 1.0);
}

gtt_shape gtt_small_shape(void) {
    const gtt_shape shape = {.layers = 2, .width = 64, .attention_heads = 4, .feed_forward = 96, .vocabulary = 50,
                             .context = 40, .token_types = 2, .type = GGML_TYPE_F32, .activation = "gelu_erf"};
    return shape;
}

static int left_out(const char *name) {
    return gtt_left_out != NULL && strcmp(gtt_left_out, name) == 0;
}

static float *random_values(builder *b, uint64_t count, float scale, float offset) {
    float *values = malloc(count * sizeof(float));
    for (uint64_t i = 0; i < count; i++) {
        values[i] = b->model->shape.zeros ? 0 : offset + scale * gtt_random(&b->seed);
    }
    return values;
}

static void remember(builder *b, const char *name, uint64_t rows, uint64_t columns, float *values) {
    gtt_weight *weight = &b->model->weights[b->model->weight_count++];
    snprintf(weight->name, sizeof(weight->name), "%s", name);
    weight->rows = rows;
    weight->columns = columns;
    weight->values = values;
}

/* A tensor of random values, quantized; what is remembered is read back from it. rows 0: a vector. */
static void add_tensor(builder *b, const char *name, uint32_t type, uint64_t columns, uint64_t rows, float scale,
                       float offset) {
    const uint64_t real_rows = rows == 0 ? 1 : rows;
    float *values = random_values(b, real_rows * columns, scale, offset);
    const size_t size = ggml_row_size((enum ggml_type)type, (int64_t)columns) * real_rows;
    uint8_t *data = malloc(size);
    if (b->model->shape.loud && strstr(name, "_norm.weight") != NULL) {
        values[LOUD] *= 1000;
    }
    if (type == GGML_TYPE_F32) {
        memcpy(data, values, size);
    } else {
        ggml_quantize_chunk((enum ggml_type)type, values, data, 0, (int64_t)real_rows, (int64_t)columns, NULL);
        ggml_get_type_traits((enum ggml_type)type)->to_float(data, values, (int64_t)(real_rows * columns));
    }
    if (!left_out(name)) {
        gtt_tensor(&b->image, name, type, columns, rows, data, size);
    }
    free(data);
    remember(b, name, real_rows, columns, values);
}

static void add_linear(builder *b, const char *name, uint64_t rows, uint64_t columns) {
    char full[64];
    const float scale = b->model->shape.scale != 0 ? b->model->shape.scale : 0.25f;
    snprintf(full, sizeof(full), "%s.weight", name);
    add_tensor(b, full, b->model->shape.type, columns, rows, scale, 0);
    if (!b->model->shape.no_biases) {
        snprintf(full, sizeof(full), "%s.bias", name);
        add_tensor(b, full, GGML_TYPE_F32, rows, 0, 0.1f, 0);
    }
}

static void add_norm(builder *b, const char *name) {
    char full[64];
    snprintf(full, sizeof(full), "%s.weight", name);
    add_tensor(b, full, GGML_TYPE_F32, b->model->shape.width, 0, 0.3f, 1);
    snprintf(full, sizeof(full), "%s.bias", name);
    add_tensor(b, full, GGML_TYPE_F32, b->model->shape.width, 0, 0.2f, 0);
}

static void add_layer(builder *b, uint32_t index) {
    static const char *const parts[] = {"attn_q", "attn_k", "attn_v"};
    const gtt_shape *shape = &b->model->shape;
    char name[48];
    if (shape->fused) {
        snprintf(name, sizeof(name), "blk.%u.attn_qkv", index);
        add_linear(b, name, 3ull * shape->width, shape->width);
    }
    for (int i = shape->fused ? 3 : 0; i < 3; i++) {
        snprintf(name, sizeof(name), "blk.%u.%s", index, parts[i]);
        add_linear(b, name, shape->width, shape->width);
    }
    snprintf(name, sizeof(name), "blk.%u.attn_output", index);
    add_linear(b, name, shape->width, shape->width);
    snprintf(name, sizeof(name), "blk.%u.attn_output_norm", index);
    add_norm(b, name);
    snprintf(name, sizeof(name), "blk.%u.ffn_up", index);
    add_linear(b, name, shape->feed_forward, shape->width);
    snprintf(name, sizeof(name), "blk.%u.ffn_down", index);
    add_linear(b, name, shape->width, shape->feed_forward);
    snprintf(name, sizeof(name), "blk.%u.layer_output_norm", index);
    add_norm(b, name);
}

static void add_sizes(builder *b) {
    const gtt_shape *shape = &b->model->shape;
    const struct {
        const char *key;
        uint32_t value;
    } sizes[] = {{"bert.block_count", shape->layers},
                 {"bert.context_length", shape->context},
                 {"bert.embedding_length", shape->width},
                 {"bert.feed_forward_length", shape->feed_forward},
                 {"bert.attention.head_count", shape->attention_heads},
                 {"tokenizer.ggml.token_type_count", shape->token_types == 0 ? 1 : shape->token_types}};
    gtt_key_text(&b->image, "general.architecture", "bert");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (!left_out(sizes[i].key)) {
            gtt_key_u32(&b->image, sizes[i].key, sizes[i].value);
        }
    }
    if (!left_out("bert.attention.layer_norm_epsilon")) {
        gtt_key_f32(&b->image, "bert.attention.layer_norm_epsilon", 1e-12f);
    }
    gtt_key_bool(&b->image, "bert.attention.causal", 0);
    gtt_key_texts(&b->image, "tokenizer.ggml.tokens", shape->vocabulary);
    if (!shape->foreign) {
        gtt_key_u32(&b->image, "gatun.layout", 1);
        if (!left_out("tokenizer.ggml.mask_token_id")) {
            gtt_key_u32(&b->image, "tokenizer.ggml.mask_token_id", GTT_MASK);
        }
        gtt_key_text(&b->image, "gatun.activation", shape->activation);
    }
}

static void add_array(builder *b, uint32_t head, const char *name, uint64_t rows, uint64_t columns, float scale,
                      float offset) {
    char key[64];
    snprintf(key, sizeof(key), "gatun.head.%u.%s", head, name);
    float *values = random_values(b, rows * columns, scale, offset);
    if (!left_out(key)) {
        gtt_key_f32s(&b->image, key, values, rows * columns);
    }
    remember(b, key, rows, columns, values);
}

/*
 * What a head that fills masks has instead of an output layer: the rest of it is the table of tokens. Its norm makes
 * logits from that, whose numbers are large, as they are in a trained model: a few at most.
 */
static void add_mask_head(builder *b, uint32_t index) {
    const uint32_t d = b->model->shape.width;
    add_array(b, index, "dense.weight", d, d, 0.2f, 0);
    add_array(b, index, "dense.bias", 1, d, 0.2f, 0);
    add_array(b, index, "norm.weight", 1, d, 0.05f, 0.15f);
    add_array(b, index, "norm.bias", 1, d, 0.03f, 0);
    add_array(b, index, "output.bias", 1, b->model->shape.vocabulary, 0.2f, 0);
}

static void add_head(builder *b, uint32_t index) {
    static const char *const tasks[] = {"text-classification", "token-classification", "question-answering",
                                        "fill-mask"};
    const gtt_head *head = &b->model->heads[index];
    char key[64];
    snprintf(key, sizeof(key), "gatun.head.%u.name", index);
    gtt_key_text(&b->image, key, head->name);
    snprintf(key, sizeof(key), "gatun.head.%u.task", index);
    gtt_key_text(&b->image, key, tasks[head->task]);
    snprintf(key, sizeof(key), "gatun.head.%u.labels", index);
    if (head->task != GT_TASK_FILL_MASK && !left_out(key)) {
        gtt_key_texts(&b->image, key, head->labels);
    }
    snprintf(key, sizeof(key), "gatun.head.%u.activation", index);
    gtt_key_text(&b->image, key, head->activation);
    snprintf(key, sizeof(key), "gatun.head.%u.layers", index);
    if (!left_out(key)) {
        gtt_key_u32s(&b->image, key, head->layers, head->layer_count);
    }
    if (index == 0) {
        return;
    }
    if (head->task == GT_TASK_FILL_MASK) {
        add_mask_head(b, index);
        return;
    }
    uint64_t in = (uint64_t)head->layer_count * b->model->shape.width;
    if (head->dense != 0) {
        add_array(b, index, "dense.weight", head->dense, in, 0.2f, 0);
        add_array(b, index, "dense.bias", 1, head->dense, 0.2f, 0);
        in = head->dense;
    }
    add_array(b, index, "output.weight", head->labels, in, 0.2f, 0);
    add_array(b, index, "output.bias", 1, head->labels, 0.2f, 0);
}

static void describe_heads(gtt_model *model) {
    const uint32_t last = model->shape.layers;
    const gtt_head heads[] = {
        {"sentiment", GT_TASK_TEXT_CLASSIFICATION, 3, model->shape.width, model->shape.token_types == 0 ? "relu" : "tanh", 1, {last}},
        {"emotion", GT_TASK_TEXT_CLASSIFICATION, 5, model->shape.width / 8, "tanh", 1, {last - last / 3}},
        {"tags", GT_TASK_TOKEN_CLASSIFICATION, 2, 0, "none", 2, {last - 1, last}},
        {"early", GT_TASK_TOKEN_CLASSIFICATION, 4, model->shape.width / 16, "gelu", 1, {last / 2}},
        {"answers", GT_TASK_QUESTION_ANSWERING, 2, 0, "none", 1, {last}},
        {"words", GT_TASK_FILL_MASK, model->shape.vocabulary, model->shape.width, "gelu", 1, {last}},
    };
    model->head_count = model->shape.foreign ? 1 : GTT_HEADS;
    memcpy(model->heads, heads, sizeof(heads));
}

gtt_model *gtt_build(const gtt_shape *shape, gtt_change change) {
    builder b = {calloc(1, sizeof(gtt_model)), {{0}, {0}, {0}, 0, 0}, 42};
    b.model->shape = *shape;
    describe_heads(b.model);
    add_sizes(&b);
    if (!shape->foreign) {
        gtt_key_u32(&b.image, "gatun.head_count", b.model->head_count);
        for (uint32_t i = 0; i < FIRST_HEADS; i++) {
            add_head(&b, i);
        }
    }
    add_tensor(&b, "token_embd.weight", shape->type, shape->width, shape->vocabulary, 1, 0);
    add_tensor(&b, "position_embd.weight", GGML_TYPE_F32, shape->width, shape->context, 0.5f, 0);
    if (shape->token_types != 0) {
        add_tensor(&b, "token_types.weight", GGML_TYPE_F32, shape->width, shape->token_types, 0.5f, 0);
    }
    add_norm(&b, "token_embd_norm");
    for (uint32_t i = 0; i < shape->layers; i++) {
        add_layer(&b, i);
    }
    add_tensor(&b, "cls.weight", GGML_TYPE_F32, shape->width, shape->width, 0.2f, 0);
    add_tensor(&b, "cls.bias", GGML_TYPE_F32, shape->width, 0, 0.2f, 0);
    add_tensor(&b, "cls.output.weight", GGML_TYPE_F32, shape->width, b.model->heads[0].labels, 0.2f, 0);
    add_tensor(&b, "cls.output.bias", GGML_TYPE_F32, b.model->heads[0].labels, 0, 0.2f, 0);
    for (uint32_t i = FIRST_HEADS; i < b.model->head_count; i++) {
        add_head(&b, i);
    }
    if (change != NULL) {
        change(&b.image);
    }
    b.model->file = gtt_finish(&b.image, &b.model->metadata);
    return b.model;
}

void gtt_model_free(gtt_model *model) {
    for (uint32_t i = 0; i < model->weight_count; i++) {
        free(model->weights[i].values);
    }
    gtt_free(&model->file);
    free(model);
}

int gtt_reads(const gtt_head *head, int32_t position, int32_t id) {
    return head->task == GT_TASK_TEXT_CLASSIFICATION ? position == 0 : head->task != GT_TASK_FILL_MASK || id == GTT_MASK;
}

const gtt_weight *gtt_weight_named(const gtt_model *model, const char *name) {
    for (uint32_t i = 0; i < model->weight_count; i++) {
        if (strcmp(model->weights[i].name, name) == 0) {
            return &model->weights[i];
        }
    }
    return NULL;
}

uint32_t gtt_compute = GT_COMPUTE_GGML;
uint32_t gtt_threads = 4;

int gtt_open(gtt_opened *opened, const gtt_bytes *file, uint32_t tokens, uint32_t sequences) {
    gt_model_info info = {.struct_size = sizeof(info)};
    const gt_model_params how = {sizeof(how), gtt_compute};
    const gt_session_params params = {sizeof(params), tokens, sequences, gtt_threads};
    uint64_t bytes;
    memset(opened, 0, sizeof(*opened));
    opened->error.struct_size = sizeof(gt_error);
    int status = gt_model_measure(file->data, file->size, &how, &info, &opened->error);
    if (status == GT_OK) {
        opened->model_memory = aligned_alloc(64, info.memory_bytes);
        status = gt_model_open(file->data, file->size, &how, opened->model_memory, info.memory_bytes, &opened->model,
                               &opened->error);
    }
    for (uint32_t part = 0; status == GT_OK && part < info.part_count; part++) {
        status = gt_model_pack(opened->model, part, &opened->error);
    }
    if (status == GT_OK && tokens > 0) {
        status = gt_session_measure(opened->model, &params, &bytes, &opened->error);
        if (status == GT_OK) {
            opened->session_memory = aligned_alloc(64, bytes);
            status = gt_session_open(opened->model, &params, opened->session_memory, bytes, &opened->session,
                                     &opened->error);
        }
    }
    return status;
}

void gtt_close(gtt_opened *opened) {
    gt_session_close(opened->session);
    gt_model_close(opened->model);
    free(opened->session_memory);
    free(opened->model_memory);
}
