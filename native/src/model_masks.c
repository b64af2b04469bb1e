#include "model.h"

#include "keys.h"
#include "pack.h"

#include <stdio.h>

#define KEY_CAPACITY 64

/* An array of the head that must be there. */
static int32_t need_array(gti_loader *loader, uint32_t index, const char *part, uint32_t rows, uint32_t columns,
                          gti_matrix *matrix) {
    char key[KEY_CAPACITY];
    snprintf(key, sizeof(key), "gatun.head.%u.%s", index, part);
    const int32_t status = gti_load_array(loader, key, rows, columns, matrix);
    if (status == GT_OK && matrix->data == NULL) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key %s is missing", key);
    }
    return status;
}

static int32_t check_keys(gti_loader *loader, uint32_t index, const gti_head *head) {
    char key[KEY_CAPACITY];
    gti_value labels;
    if (head->info.layer_count != 1) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "head %s fills masks and reads %u layers, expected one",
                        head->info.name, head->info.layer_count);
    }
    snprintf(key, sizeof(key), "gatun.head.%u.labels", index);
    const int32_t status = gti_gguf_find(loader->gguf, key, &labels, loader->error);
    if (status == GT_OK && labels.data != NULL) {
        return gti_fail(loader->error, GT_ERROR_FORMAT,
                        "key %s is there, but a head that fills masks answers with the vocabulary", key);
    }
    return status;
}

static int32_t load_arrays(gti_loader *loader, uint32_t index, gti_head *head) {
    const uint32_t d = loader->model->info.embedding_length;
    const struct {
        const char *part;
        uint32_t rows;
        uint32_t columns;
        gti_matrix *matrix;
    } arrays[] = {{"dense.weight", d, d, &head->dense.weight},
                  {"dense.bias", 1, d, &head->dense.bias},
                  {"norm.weight", 1, d, &head->norm.weight},
                  {"norm.bias", 1, d, &head->norm.bias},
                  {"output.bias", 1, head->info.label_count, &head->output.bias}};
    int32_t status = GT_OK;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]) && status == GT_OK; i++) {
        status = need_array(loader, index, arrays[i].part, arrays[i].rows, arrays[i].columns, arrays[i].matrix);
    }
    return status;
}

int32_t gti_load_mask_head(gti_loader *loader, uint32_t index, gti_head *head) {
    gt_model *model = loader->model;
    head->info.label_count = model->info.vocabulary_size;
    int32_t status = check_keys(loader, index, head);
    if (status == GT_OK) {
        status = gti_need_u32(loader->gguf, "tokenizer.ggml.mask_token_id", 0, model->info.vocabulary_size - 1,
                              &model->info.mask_token, loader->error);
    }
    if (status == GT_OK) {
        status = load_arrays(loader, index, head);
    }
    if (status != GT_OK) {
        return status;
    }
    gti_keep(loader, &head->norm.weight);
    gti_keep(loader, &head->norm.bias);
    head->output.weight = model->tokens;
    if (!loader->keeps) {
        /* As wide as the vocabulary, it takes longer than the rest of the head: in the encoder's way. */
        gti_plan_packing(loader, GTI_COMPUTE_F32, &head->dense, 1, &head->packed_dense);
        gti_plan_packing(loader, model->compute, &head->output, 1, &head->packed_output);
    }
    return GT_OK;
}
