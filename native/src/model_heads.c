#include "model.h"

#include "keys.h"
#include "pack.h"

#include <stdio.h>
#include <string.h>

#define KEY_CAPACITY 64
#define MAX_DENSE 8192u

static int32_t missing(gti_loader *loader, const char *key) {
    return gti_fail(loader->error, GT_ERROR_FORMAT, "key %s is missing", key);
}

static int32_t load_name(gti_loader *loader, uint32_t index, gti_head *head) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    char key[KEY_CAPACITY];
    gti_text text = {NULL, 0};
    bool found;
    snprintf(key, sizeof(key), "gatun.head.%u.name", index);
    const int32_t status = gti_key_text(loader->gguf, key, &text, &found, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (!found) {
        return missing(loader, key);
    }
    bool sound = text.length >= 1 && text.length < GT_NAME_CAPACITY;
    for (uint64_t i = 0; sound && i < text.length; i++) {
        sound = text.data[i] != '\0' && strchr(allowed, text.data[i]) != NULL;
    }
    if (!sound) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key %s is not a name of 1 to %d characters of a-z0-9_-", key,
                        GT_NAME_CAPACITY - 1);
    }
    memcpy(head->info.name, text.data, text.length);
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(loader->model->heads[i].info.name, head->info.name) == 0) {
            return gti_fail(loader->error, GT_ERROR_FORMAT, "two heads have the name %s", head->info.name);
        }
    }
    return GT_OK;
}

static int32_t load_task(gti_loader *loader, uint32_t index, gti_head *head) {
    char key[KEY_CAPACITY];
    char shown[GTI_PRINTABLE];
    gti_text text = {NULL, 0};
    bool found;
    snprintf(key, sizeof(key), "gatun.head.%u.task", index);
    const int32_t status = gti_key_text(loader->gguf, key, &text, &found, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (!found) {
        return missing(loader, key);
    }
    if (gti_text_is(text, "text-classification")) {
        head->info.task = GT_TASK_TEXT_CLASSIFICATION;
    } else if (gti_text_is(text, "token-classification")) {
        head->info.task = GT_TASK_TOKEN_CLASSIFICATION;
    } else if (gti_text_is(text, "question-answering")) {
        head->info.task = GT_TASK_QUESTION_ANSWERING;
    } else if (gti_text_is(text, "fill-mask")) {
        head->info.task = GT_TASK_FILL_MASK;
    } else {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "key %s is %s, a task that this kernel does not do", key,
                        gti_printable(shown, text.data, text.length));
    }
    return GT_OK;
}

static int32_t load_layers(gti_loader *loader, uint32_t index, gti_head *head) {
    char key[KEY_CAPACITY];
    gti_value value;
    snprintf(key, sizeof(key), "gatun.head.%u.layers", index);
    const int32_t status =
        gti_key_array(loader->gguf, key, GTI_GGUF_U32, 1, GT_MAX_HEAD_LAYERS, &value, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (value.data == NULL) {
        return missing(loader, key);
    }
    head->info.layer_count = (uint32_t)value.count;
    for (uint32_t i = 0; i < head->info.layer_count; i++) {
        head->info.layers[i] = gti_read_u32(value.data + 4 * i);
        if (head->info.layers[i] > loader->model->info.layer_count) {
            return gti_fail(loader->error, GT_ERROR_FORMAT, "key %s reads layer %u of %u", key, head->info.layers[i],
                            loader->model->info.layer_count);
        }
    }
    return GT_OK;
}

static int32_t load_activation(gti_loader *loader, uint32_t index, gti_head *head) {
    static const struct {
        const char *name;
        gti_activation activation;
    } names[] = {{"none", GTI_ACTIVATION_NONE},
                 {"relu", GTI_ACTIVATION_RELU},
                 {"tanh", GTI_ACTIVATION_TANH},
                 {"gelu", GTI_ACTIVATION_GELU_ERF},
                 {"gelu_tanh", GTI_ACTIVATION_GELU_TANH}};
    char key[KEY_CAPACITY];
    char shown[GTI_PRINTABLE];
    gti_text text = {NULL, 0};
    bool found;
    snprintf(key, sizeof(key), "gatun.head.%u.activation", index);
    const int32_t status = gti_key_text(loader->gguf, key, &text, &found, loader->error);
    if (status != GT_OK || !found) {
        return status;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (gti_text_is(text, names[i].name)) {
            head->activation = names[i].activation;
            return GT_OK;
        }
    }
    return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "key %s is %s, expected none, relu, tanh, gelu or gelu_tanh", key,
                    gti_printable(shown, text.data, text.length));
}

/* How many labels the key lists; 0 when it is not there. */
static int32_t count_labels(gti_loader *loader, const char *key, uint32_t *count) {
    gti_value value;
    const int32_t status =
        gti_key_array(loader->gguf, key, GTI_GGUF_STRING, 1, GTI_MAX_LABELS, &value, loader->error);
    *count = status == GT_OK && value.data != NULL ? (uint32_t)value.count : 0;
    return status;
}

/* The matrices of a head that lie among the keys. head->output.weight.data stays NULL when they are not there. */
static int32_t load_key_weights(gti_loader *loader, uint32_t index, gti_head *head) {
    char key[KEY_CAPACITY];
    gti_value bias;
    uint32_t in = head->info.layer_count * loader->model->info.embedding_length;
    snprintf(key, sizeof(key), "gatun.head.%u.dense.bias", index);
    int32_t status = gti_key_array(loader->gguf, key, GTI_GGUF_F32, 1, MAX_DENSE, &bias, loader->error);
    if (status != GT_OK) {
        return status;
    }
    const bool dense = bias.data != NULL;
    if (dense) {
        const uint32_t out = (uint32_t)bias.count;
        status = gti_load_array(loader, key, 1, out, &head->dense.bias);
        snprintf(key, sizeof(key), "gatun.head.%u.dense.weight", index);
        if (status == GT_OK) {
            status = gti_load_array(loader, key, out, in, &head->dense.weight);
        }
        if (status == GT_OK && head->dense.weight.data == NULL) {
            return missing(loader, key);
        }
        in = out;
    }
    snprintf(key, sizeof(key), "gatun.head.%u.output.weight", index);
    if (status == GT_OK) {
        status = gti_load_array(loader, key, head->info.label_count, in, &head->output.weight);
    }
    if (status != GT_OK || head->output.weight.data == NULL) {
        return status == GT_OK && (dense || index > 0) ? missing(loader, key) : status;
    }
    snprintf(key, sizeof(key), "gatun.head.%u.output.bias", index);
    status = gti_load_array(loader, key, 1, head->info.label_count, &head->output.bias);
    return status == GT_OK && head->output.bias.data == NULL ? missing(loader, key) : status;
}

/* The matrices of head 0 that are tensors: cls (may be missing) and cls.output. */
static int32_t load_tensor_weights(gti_loader *loader, gti_head *head) {
    const uint32_t d = loader->model->info.embedding_length;
    const uint32_t labels = head->info.label_count;
    if (head->info.layer_count != 1) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "head %s reads %u layers but its weights are for one",
                        head->info.name, head->info.layer_count);
    }
    int32_t status = gti_load_matrix(loader, "cls.weight", d, d, false, &head->dense.weight);
    if (status == GT_OK && head->dense.weight.data != NULL) {
        status = gti_load_vector(loader, "cls.bias", d, false, &head->dense.bias);
    }
    if (status == GT_OK) {
        status = gti_load_matrix(loader, "cls.output.weight", labels, d, true, &head->output.weight);
    }
    return status == GT_OK ? gti_load_vector(loader, "cls.output.bias", labels, false, &head->output.bias) : status;
}

/* Heads are small, and their results are what is looked at: floats, however the encoder is computed. */
static void plan_head(gti_loader *loader, gti_head *head) {
    if (loader->keeps) {
        return;
    }
    if (head->dense.weight.data != NULL) {
        gti_plan_packing(loader, GTI_COMPUTE_F32, &head->dense, 1, &head->packed_dense);
    }
    gti_plan_packing(loader, GTI_COMPUTE_F32, &head->output, 1, &head->packed_output);
}

static int32_t load_head(gti_loader *loader, uint32_t index) {
    gti_head *head = &loader->model->heads[index];
    char key[KEY_CAPACITY];
    int32_t status = load_name(loader, index, head);
    if (status == GT_OK) {
        status = load_task(loader, index, head);
    }
    if (status == GT_OK) {
        status = load_layers(loader, index, head);
    }
    if (status == GT_OK) {
        status = load_activation(loader, index, head);
    }
    if (status == GT_OK && head->info.task == GT_TASK_FILL_MASK) {
        return gti_load_mask_head(loader, index, head);
    }
    if (status == GT_OK) {
        snprintf(key, sizeof(key), "gatun.head.%u.labels", index);
        status = count_labels(loader, key, &head->info.label_count);
    }
    if (status == GT_OK && head->info.label_count == 0) {
        return missing(loader, key);
    }
    if (status == GT_OK && head->info.task == GT_TASK_QUESTION_ANSWERING && head->info.label_count != 2) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key %s has %u labels, a head that answers questions has 2", key,
                        head->info.label_count);
    }
    if (status == GT_OK) {
        status = load_key_weights(loader, index, head);
    }
    if (status == GT_OK && head->output.weight.data == NULL) {
        status = load_tensor_weights(loader, head);
    }
    if (status == GT_OK && head->dense.weight.data == NULL && head->activation != GTI_ACTIVATION_NONE) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "head %s has an activation but no dense layer before it",
                        head->info.name);
    }
    if (status == GT_OK) {
        plan_head(loader, head);
    }
    return status;
}

/* A file that says nothing of heads: one classification head when cls.output is there, as llama.cpp writes it. */
static int32_t load_foreign_head(gti_loader *loader) {
    gt_model *model = loader->model;
    gti_head *head = &model->heads[0];
    gti_tensor output;
    uint32_t labels;
    int32_t status = gti_gguf_tensor(loader->gguf, "cls.output.weight", &output, loader->error);
    if (status != GT_OK || output.data == NULL) {
        return status;
    }
    status = count_labels(loader, "bert.classifier.output_labels", &labels);
    if (status != GT_OK) {
        return status;
    }
    if (output.shape[1] > GTI_MAX_LABELS) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "tensor cls.output.weight has %llu rows, expected at most %u",
                        (unsigned long long)output.shape[1], GTI_MAX_LABELS);
    }
    strcpy(head->info.name, "classification");
    head->info.task = GT_TASK_TEXT_CLASSIFICATION;
    head->info.label_count = labels != 0 ? labels : (uint32_t)output.shape[1];
    head->info.layer_count = 1;
    head->info.layers[0] = model->info.layer_count;
    status = load_tensor_weights(loader, head);
    if (status == GT_OK && head->dense.weight.data != NULL) {
        /* DistilBERT, which has no token types, puts ReLU behind its dense layer; BERT's pooler has tanh. */
        head->activation = model->types.data == NULL ? GTI_ACTIVATION_RELU : GTI_ACTIVATION_TANH;
    }
    model->info.head_count = 1;
    if (status == GT_OK) {
        plan_head(loader, head);
    }
    return status;
}

static void keep_layers(gt_model *model) {
    model->kept_count = 0;
    for (uint32_t l = 0; l <= GTI_MAX_LAYERS; l++) {
        model->kept[l] = -1;
    }
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        const gt_head_info *info = &model->heads[h].info;
        for (uint32_t i = 0; i < info->layer_count; i++) {
            if (model->kept[info->layers[i]] < 0) {
                model->kept[info->layers[i]] = (int32_t)model->kept_count++;
            }
        }
    }
}

int32_t gti_load_heads(gti_loader *loader) {
    gt_model *model = loader->model;
    bool found;
    model->info.mask_token = GT_NO_TOKEN;
    int32_t status = gti_key_u32(loader->gguf, "gatun.head_count", 0, GT_MAX_HEADS, &model->info.head_count, &found,
                                 loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (found) {
        for (uint32_t i = 0; i < model->info.head_count && status == GT_OK; i++) {
            status = load_head(loader, i);
        }
    } else {
        status = load_foreign_head(loader);
    }
    /* Only whole heads: one that failed may hold a layer that is out of bounds. */
    if (status == GT_OK) {
        keep_layers(model);
    }
    return status;
}
