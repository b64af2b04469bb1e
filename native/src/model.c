#include "model.h"

#include "cpu/cpu.h"
#include "keys.h"
#include "pack.h"

#include <string.h>

#define LAYOUT 1

static int32_t check_architecture(gti_loader *loader) {
    gti_text text = {NULL, 0};
    char shown[GTI_PRINTABLE];
    uint32_t layout;
    bool found, causal = false;
    int32_t status = gti_key_text(loader->gguf, "general.architecture", &text, &found, loader->error);
    if (status == GT_OK && !found) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key general.architecture is missing");
    }
    if (status == GT_OK && !gti_text_is(text, "bert")) {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "the model's architecture is %s, this kernel runs bert",
                        gti_printable(shown, text.data, text.length));
    }
    if (status == GT_OK) {
        status = gti_key_u32(loader->gguf, "gatun.layout", 0, UINT32_MAX, &layout, &found, loader->error);
    }
    if (status == GT_OK && found && layout != LAYOUT) {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "key gatun.layout is %u, this kernel reads %d", layout,
                        LAYOUT);
    }
    if (status == GT_OK) {
        status = gti_key_bool(loader->gguf, "bert.attention.causal", &causal, &found, loader->error);
    }
    if (status == GT_OK && causal) {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED,
                        "key bert.attention.causal is true, this kernel runs encoders");
    }
    return status;
}

static int32_t load_sizes(gti_loader *loader) {
    const struct {
        const char *key;
        uint32_t least;
        uint32_t most;
        uint32_t *value;
    } sizes[] = {
        {"bert.block_count", 1, GTI_MAX_LAYERS, &loader->model->info.layer_count},
        {"bert.context_length", 1, GTI_MAX_CONTEXT, &loader->model->info.context_length},
        {"bert.embedding_length", 32, GTI_MAX_WIDTH, &loader->model->info.embedding_length},
        {"bert.feed_forward_length", 1, GTI_MAX_FEED_FORWARD, &loader->model->info.feed_forward_length},
        {"bert.attention.head_count", 1, 256, &loader->model->info.attention_head_count},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const int32_t status = gti_need_u32(loader->gguf, sizes[i].key, sizes[i].least, sizes[i].most, sizes[i].value,
                                            loader->error);
        if (status != GT_OK) {
            return status;
        }
    }
    if (loader->model->info.embedding_length % loader->model->info.attention_head_count != 0) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key bert.embedding_length, %u, is no multiple of the %u heads",
                        loader->model->info.embedding_length, loader->model->info.attention_head_count);
    }
    return GT_OK;
}

static int32_t load_vocabulary_size(gti_loader *loader) {
    gti_tensor table;
    gti_value tokens;
    int32_t status = gti_gguf_tensor(loader->gguf, "token_embd.weight", &table, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (table.data == NULL) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "tensor token_embd.weight is missing");
    }
    if (table.shape[1] > GTI_MAX_VOCABULARY) {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED, "tensor token_embd.weight has %llu rows, at most %u run",
                        (unsigned long long)table.shape[1], GTI_MAX_VOCABULARY);
    }
    loader->model->info.vocabulary_size = (uint32_t)table.shape[1];
    status = gti_key_array(loader->gguf, "tokenizer.ggml.tokens", GTI_GGUF_STRING, 1, GTI_MAX_VOCABULARY, &tokens,
                           loader->error);
    if (status == GT_OK && tokens.data != NULL && tokens.count != table.shape[1]) {
        return gti_fail(loader->error, GT_ERROR_FORMAT,
                        "key tokenizer.ggml.tokens has %llu tokens, tensor token_embd.weight has %llu",
                        (unsigned long long)tokens.count, (unsigned long long)table.shape[1]);
    }
    return status;
}

static int32_t load_numbers(gti_loader *loader) {
    gt_model *model = loader->model;
    bool found;
    int32_t status =
        gti_key_f32(loader->gguf, "bert.attention.layer_norm_epsilon", &model->epsilon, &found, loader->error);
    if (status == GT_OK && !found) {
        return gti_fail(loader->error, GT_ERROR_FORMAT, "key bert.attention.layer_norm_epsilon is missing");
    }
    if (status == GT_OK && !(model->epsilon > 0.0f && model->epsilon <= 1.0f)) {
        return gti_fail(loader->error, GT_ERROR_FORMAT,
                        "key bert.attention.layer_norm_epsilon is %g, expected a number above 0 and up to 1",
                        (double)model->epsilon);
    }
    if (status == GT_OK) {
        status = gti_key_u32(loader->gguf, "tokenizer.ggml.token_type_count", 0, 64, &model->info.token_type_count,
                             &found, loader->error);
    }
    if (status == GT_OK && model->info.token_type_count == 0) {
        model->info.token_type_count = 1;
    }
    return status;
}

static int32_t load_activation(gti_loader *loader) {
    gti_text text = {NULL, 0};
    char shown[GTI_PRINTABLE];
    bool found;
    const int32_t status = gti_key_text(loader->gguf, "gatun.activation", &text, &found, loader->error);
    if (status != GT_OK) {
        return status;
    }
    if (!found || gti_text_is(text, "gelu_erf")) {
        loader->model->activation = GTI_ACTIVATION_GELU_ERF;
    } else if (gti_text_is(text, "gelu_tanh")) {
        loader->model->activation = GTI_ACTIVATION_GELU_TANH;
    } else if (gti_text_is(text, "relu")) {
        loader->model->activation = GTI_ACTIVATION_RELU;
    } else {
        return gti_fail(loader->error, GT_ERROR_UNSUPPORTED,
                        "key gatun.activation is %s, expected gelu_erf, gelu_tanh or relu",
                        gti_printable(shown, text.data, text.length));
    }
    return GT_OK;
}

/* Fills model from the file. memory NULL only counts. */
static int32_t load(const gti_gguf *gguf, gti_compute compute, gt_model *model, uint8_t *memory, gt_error *error) {
    gti_loader loader = {gguf, model, compute == GTI_COMPUTE_GGML, memory, sizeof(gt_model), error};
    int32_t (*const steps[])(gti_loader *) = {check_architecture, load_sizes,      load_vocabulary_size, load_numbers,
                                              load_activation,    gti_load_encoder, gti_load_heads};
    memset(model, 0, sizeof(*model));
    model->info.struct_size = sizeof(gt_model_info);
    model->compute = compute;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const int32_t status = steps[i](&loader);
        if (status != GT_OK) {
            return status;
        }
    }
    model->info.part_count = gti_part_count(model);
    model->info.memory_bytes = (loader.used + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    return GT_OK;
}

static int32_t check_image(const void *image, uint64_t image_size, const gt_model_params *params, gt_error *error) {
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (params == NULL || params->struct_size != sizeof(gt_model_params) || params->compute > GT_COMPUTE_GGML) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "params is NULL, its struct_size is not %zu, or its compute is none of gatun.h's",
                        sizeof(gt_model_params));
    }
    if (image == NULL || (uintptr_t)image % GT_ALIGNMENT != 0) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "image is NULL or does not start at a multiple of %d", GT_ALIGNMENT);
    }
    if (image_size > SIZE_MAX / 2) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "image_size is larger than any memory");
    }
    if (gti_cpu() == NULL) {
        return gti_fail(error, GT_ERROR_UNSUPPORTED,
                        "this processor lacks instructions that every processor which this library runs on has");
    }
    if (params->compute == GT_COMPUTE_BF16 && !gti_cpu()->kernels->bf16) {
        return gti_fail(error, GT_ERROR_UNSUPPORTED, "%s does not multiply bf16: compute in int8 or f32",
                        gti_cpu()->kernels->name);
    }
    return GT_OK;
}

uint32_t gt_abi_version(void) {
    return GT_ABI_VERSION;
}

int32_t gt_model_measure(const void *image, uint64_t image_size, const gt_model_params *params, gt_model_info *info,
                         gt_error *error) {
    gti_gguf gguf;
    gt_model model;
    int32_t status = check_image(image, image_size, params, error);
    if (status == GT_OK && (info == NULL || info->struct_size != sizeof(gt_model_info))) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "info is NULL or its struct_size is not %zu", sizeof(gt_model_info));
    }
    if (status == GT_OK) {
        status = gti_gguf_open(&gguf, image, image_size, error);
    }
    if (status == GT_OK) {
        status = load(&gguf, (gti_compute)params->compute, &model, NULL, error);
    }
    if (status != GT_OK) {
        return status;
    }
    *info = model.info;
    return gti_succeed(error);
}

int32_t gt_model_open(const void *image, uint64_t image_size, const gt_model_params *params, void *memory,
                      uint64_t memory_size, gt_model **model, gt_error *error) {
    gti_gguf gguf;
    gt_model checked;
    int32_t status = check_image(image, image_size, params, error);
    if (model != NULL) {
        *model = NULL;
    }
    if (status == GT_OK && (model == NULL || memory == NULL || (uintptr_t)memory % GT_ALIGNMENT != 0)) {
        return gti_fail(error, GT_ERROR_ARGUMENT,
                        "model or memory is NULL, or memory does not start at a multiple of %d", GT_ALIGNMENT);
    }
    if (status == GT_OK) {
        status = gti_gguf_open(&gguf, image, image_size, error);
    }
    if (status == GT_OK) {
        status = load(&gguf, (gti_compute)params->compute, &checked, NULL, error);
    }
    if (status == GT_OK && memory_size < checked.info.memory_bytes) {
        return gti_fail(error, GT_ERROR_MEMORY, "memory_size is %llu bytes, the model needs %llu",
                        (unsigned long long)memory_size, (unsigned long long)checked.info.memory_bytes);
    }
    if (status == GT_OK) {
        status = load(&gguf, (gti_compute)params->compute, memory, memory, error);
    }
    if (status != GT_OK) {
        return status;
    }
    *model = memory;
    return gti_succeed(error);
}

int32_t gt_model_pack(gt_model *model, uint32_t part, gt_error *error) {
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (model == NULL || part >= model->info.part_count) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "model is NULL, or part %u is not below its part_count", part);
    }
    gti_pack_part(model, part);
    return gti_succeed(error);
}

int32_t gt_model_head(const gt_model *model, uint32_t index, gt_head_info *head, gt_error *error) {
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (model == NULL || head == NULL || head->struct_size != sizeof(gt_head_info)) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "model or head is NULL, or its struct_size is not %zu",
                        sizeof(gt_head_info));
    }
    if (index >= model->info.head_count) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "head %u is asked for, the model has %u", index,
                        model->info.head_count);
    }
    *head = model->heads[index].info;
    head->struct_size = sizeof(gt_head_info);
    return gti_succeed(error);
}

void gt_model_close(gt_model *model) {
    (void)model; /* owns nothing: its memory is the caller's */
}
