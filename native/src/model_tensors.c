#include "model.h"

#include "keys.h"
#include "pack.h"

#include <stdio.h>
#include <string.h>

#define NAME_CAPACITY 64

void *gti_reserve(gti_loader *loader, uint64_t bytes) {
    loader->used = (loader->used + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    void *place = loader->memory == NULL ? (void *)loader->gguf->base : loader->memory + loader->used;
    loader->used += bytes;
    return place;
}

static const void *copy(gti_loader *loader, const void *data, uint64_t bytes) {
    void *place = gti_reserve(loader, bytes);
    if (loader->memory != NULL) {
        memcpy(place, data, bytes);
    }
    return place;
}

int32_t gti_load_matrix(gti_loader *loader, const char *name, uint32_t rows, uint32_t columns, bool needed,
                        gti_matrix *matrix) {
    gti_tensor tensor;
    memset(matrix, 0, sizeof(*matrix));
    const int32_t status = gti_gguf_tensor(loader->gguf, name, &tensor, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (tensor.data == NULL) {
        return needed ? gti_fail(loader->error, GT_ERROR_FORMAT, "tensor %s is missing", name) : GT_OK;
    }
    if (tensor.shape[0] != columns || tensor.shape[1] != rows || tensor.shape[2] != 1 || tensor.shape[3] != 1) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "tensor %s has shape %llux%llu%s, expected %ux%u", name,
                        (unsigned long long)tensor.shape[0], (unsigned long long)tensor.shape[1],
                        tensor.shape[2] * tensor.shape[3] == 1 ? "" : "x...", columns, rows);
    }
    matrix->type = tensor.type;
    matrix->rows = rows;
    matrix->columns = columns;
    matrix->data = loader->keeps ? copy(loader, tensor.data, tensor.bytes) : tensor.data;
    return GT_OK;
}

int32_t gti_load_vector(gti_loader *loader, const char *name, uint32_t columns, bool needed, gti_matrix *matrix) {
    const int32_t status = gti_load_matrix(loader, name, 1, columns, needed, matrix);
    if (status == GT_OK && matrix->data != NULL && matrix->type != 0) {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "tensor %s is %s, expected F32", name,
                        gti_type_name(matrix->type));
    }
    return status;
}

int32_t gti_load_array(gti_loader *loader, const char *key, uint32_t rows, uint32_t columns, gti_matrix *matrix) {
    gti_value value;
    const uint64_t count = (uint64_t)rows * columns;
    memset(matrix, 0, sizeof(*matrix));
    const int32_t status = gti_key_array(loader->gguf, key, GTI_GGUF_F32, count, count, &value, loader->error);
    if (status != GT_OK || value.data == NULL) {
        return status;
    }
    matrix->rows = rows;
    matrix->columns = columns;
    matrix->data = loader->keeps ? copy(loader, value.data, count * sizeof(float)) : value.data;
    return GT_OK;
}

void gti_keep(gti_loader *loader, gti_matrix *matrix) {
    uint32_t block, bytes;
    if (!loader->keeps && matrix->data != NULL && gti_type_block(matrix->type, &block, &bytes)) {
        matrix->data = copy(loader, matrix->data, (uint64_t)matrix->rows * (matrix->columns / block) * bytes);
    }
}

/* A small matrix, kept as floats. */
static void keep_floats(gti_loader *loader, gti_matrix *matrix) {
    if (matrix->data == NULL) {
        return;
    }
    float *values = gti_reserve(loader, (uint64_t)matrix->rows * matrix->columns * sizeof(float));
    for (uint32_t row = 0; loader->memory != NULL && row < matrix->rows; row++) {
        gti_read_row(matrix, row, values + (uint64_t)row * matrix->columns);
    }
    matrix->type = 0;
    matrix->data = values;
}

/* name.weight and name.bias. */
static int32_t load_linear(gti_loader *loader, const char *name, uint32_t rows, uint32_t columns, bool needed,
                           gti_linear *linear) {
    char full[NAME_CAPACITY + 8];
    snprintf(full, sizeof(full), "%s.weight", name);
    int32_t status = gti_load_matrix(loader, full, rows, columns, needed, &linear->weight);
    if (status == GT_OK && linear->weight.data != NULL) {
        snprintf(full, sizeof(full), "%s.bias", name);
        status = gti_load_vector(loader, full, rows, false, &linear->bias);
    }
    return status;
}

static int32_t load_norm(gti_loader *loader, const char *name, gti_norm *norm) {
    char full[NAME_CAPACITY + 8];
    const uint32_t d = loader->model->info.embedding_length;
    snprintf(full, sizeof(full), "%s.weight", name);
    int32_t status = gti_load_vector(loader, full, d, true, &norm->weight);
    if (status == GT_OK) {
        snprintf(full, sizeof(full), "%s.bias", name);
        status = gti_load_vector(loader, full, d, true, &norm->bias);
    }
    if (status == GT_OK) {
        gti_keep(loader, &norm->weight);
        gti_keep(loader, &norm->bias);
    }
    return status;
}

static int32_t load_embeddings(gti_loader *loader) {
    gt_model *model = loader->model;
    const uint32_t d = model->info.embedding_length;
    int32_t status =
        gti_load_matrix(loader, "token_embd.weight", model->info.vocabulary_size, d, true, &model->tokens);
    if (status == GT_OK) {
        status = gti_load_matrix(loader, "position_embd.weight", model->info.context_length, d, true,
                                 &model->positions);
    }
    if (status == GT_OK) {
        const bool needed = model->info.token_type_count > 1;
        status = gti_load_matrix(loader, "token_types.weight", model->info.token_type_count, d, needed, &model->types);
    }
    if (status == GT_OK) {
        gti_keep(loader, &model->tokens);
        keep_floats(loader, &model->positions);
        keep_floats(loader, &model->types);
    }
    return status == GT_OK ? load_norm(loader, "token_embd_norm", &model->embedding_norm) : status;
}

static int32_t load_attention(gti_loader *loader, uint32_t index, gti_layer *layer) {
    char name[NAME_CAPACITY];
    const uint32_t d = loader->model->info.embedding_length;
    snprintf(name, sizeof(name), "blk.%u.attn_qkv", index);
    int32_t status = load_linear(loader, name, 3 * d, d, false, &layer->qkv);
    const struct {
        const char *part;
        gti_linear *linear;
    } parts[] = {{"attn_q", &layer->q}, {"attn_k", &layer->k}, {"attn_v", &layer->v}, {"attn_output", &layer->out}};
    for (size_t i = layer->qkv.weight.data != NULL ? 3 : 0; i < 4 && status == GT_OK; i++) {
        snprintf(name, sizeof(name), "blk.%u.%s", index, parts[i].part);
        status = load_linear(loader, name, d, d, true, parts[i].linear);
    }
    if (status == GT_OK) {
        snprintf(name, sizeof(name), "blk.%u.attn_output_norm", index);
        status = load_norm(loader, name, &layer->attention_norm);
    }
    return status;
}

/* Rows first to first+count of a linear, as one of its own. */
static gti_linear slice(const gti_linear *linear, uint32_t first, uint32_t count) {
    gti_linear part = *linear;
    uint32_t block = 1, bytes = sizeof(float);
    gti_type_block(linear->weight.type, &block, &bytes);
    part.weight.rows = count;
    part.weight.data =
        (const uint8_t *)linear->weight.data + (uint64_t)first * (linear->weight.columns / block) * bytes;
    if (linear->bias.data != NULL) {
        part.bias.columns = count;
        part.bias.data = (const uint8_t *)linear->bias.data + first * sizeof(float);
    }
    return part;
}

static void plan_layer(gti_loader *loader, gti_layer *layer) {
    const gti_compute compute = loader->model->compute;
    const uint32_t d = loader->model->info.embedding_length;
    gti_linear qkv[] = {layer->q, layer->k, layer->v};
    for (uint32_t i = 0; i < 3 && layer->qkv.weight.data != NULL; i++) {
        qkv[i] = slice(&layer->qkv, i * d, d);
    }
    gti_plan_packing(loader, compute, qkv, 3, &layer->packed_qkv);
    gti_plan_packing(loader, compute, &layer->out, 1, &layer->packed_out);
    gti_plan_packing(loader, compute, &layer->up, 1, &layer->packed_up);
    gti_plan_packing(loader, compute, &layer->down, 1, &layer->packed_down);
}

static int32_t load_layer(gti_loader *loader, uint32_t index) {
    char name[NAME_CAPACITY];
    gti_layer *layer = &loader->model->layers[index];
    const uint32_t d = loader->model->info.embedding_length;
    const uint32_t f = loader->model->info.feed_forward_length;
    int32_t status = load_attention(loader, index, layer);
    if (status == GT_OK) {
        snprintf(name, sizeof(name), "blk.%u.ffn_up", index);
        status = load_linear(loader, name, f, d, true, &layer->up);
    }
    if (status == GT_OK) {
        snprintf(name, sizeof(name), "blk.%u.ffn_down", index);
        status = load_linear(loader, name, d, f, true, &layer->down);
    }
    if (status == GT_OK) {
        snprintf(name, sizeof(name), "blk.%u.layer_output_norm", index);
        status = load_norm(loader, name, &layer->output_norm);
    }
    if (status == GT_OK && !loader->keeps) {
        plan_layer(loader, layer);
    }
    return status;
}

int32_t gti_load_encoder(gti_loader *loader) {
    int32_t status = load_embeddings(loader);
    for (uint32_t i = 0; i < loader->model->info.layer_count && status == GT_OK; i++) {
        status = load_layer(loader, i);
    }
    return status;
}
