#include "model.h"

#include "keys.h"

#include <stdio.h>
#include <string.h>

#define NAME_CAPACITY 64

/* Room in the model's memory; a place that is never read when the memory is only counted. */
static void *reserve(gti_loader *loader, uint64_t bytes) {
    loader->used = (loader->used + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    void *place = loader->memory == NULL ? (void *)loader->gguf->base : loader->memory + loader->used;
    loader->used += bytes;
    return place;
}

static const void *copy(gti_loader *loader, const uint8_t *data, uint64_t bytes) {
    void *place = reserve(loader, bytes);
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
    matrix->data = tensor.data;
    if ((uintptr_t)tensor.data % GTI_MATRIX_ALIGNMENT != 0) {
        matrix->data = copy(loader, tensor.data, tensor.bytes);
    }
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
    matrix->data = copy(loader, value.data, count * sizeof(float));
    return GT_OK;
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
    return status;
}

int32_t gti_load_encoder(gti_loader *loader) {
    int32_t status = load_embeddings(loader);
    for (uint32_t i = 0; i < loader->model->info.layer_count && status == GT_OK; i++) {
        status = load_layer(loader, i);
    }
    return status;
}
