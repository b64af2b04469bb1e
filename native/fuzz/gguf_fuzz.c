/* Any bytes at all as a model: opened, and run once when it opens. */
#include "gatun.h"

#include <stdlib.h>
#include <string.h>

/* Larger models are sound but slow to run. */
#define MOST_BYTES (64u << 20)

static void *block(uint64_t bytes) {
    void *memory = NULL;
    return bytes > MOST_BYTES || posix_memalign(&memory, GT_ALIGNMENT, bytes == 0 ? 1 : bytes) != 0 ? NULL : memory;
}

static void run(const gt_model *model, const gt_model_info *info) {
    const gt_session_params params = {sizeof(params), 4, 1, 1};
    const int32_t ids[4] = {0, info->mask_token == GT_NO_TOKEN ? 0 : (int32_t)info->mask_token, 0, 0};
    const int32_t starts[2] = {0, info->context_length < 4 ? (int32_t)info->context_length : 4};
    const uint32_t outputs[1] = {(uint32_t)((1ull << info->head_count) - 1) | GT_OUTPUT_STATES};
    gt_session *session = NULL;
    uint64_t bytes = 0;
    if (gt_session_measure(model, &params, &bytes, NULL) != GT_OK) {
        return;
    }
    void *memory = block(bytes);
    float *logits = malloc(sizeof(float) << 20);
    if (memory != NULL && logits != NULL
        && gt_session_open(model, &params, memory, bytes, &session, NULL) == GT_OK) {
        const gt_batch batch = {sizeof(batch), (uint32_t)starts[1], 1, 1, ids, NULL, starts, outputs, logits, 1u << 20};
        gt_session_run(session, &batch, NULL);
        gt_session_close(session);
    }
    free(logits);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* Every way of computing, by what the input itself says. */
    const gt_model_params how = {sizeof(how), size % 2 == 0 ? GT_COMPUTE_INT8 : GT_COMPUTE_GGML};
    gt_model_info info = {.struct_size = sizeof(info)};
    gt_error error = {.struct_size = sizeof(error)};
    gt_model *model = NULL;
    void *image = block(size);
    if (image == NULL) {
        return 0;
    }
    memcpy(image, data, size);
    if (gt_model_measure(image, size, &how, &info, &error) == GT_OK) {
        void *memory = block(info.memory_bytes);
        if (memory != NULL
            && gt_model_open(image, size, &how, memory, info.memory_bytes, &model, &error) == GT_OK) {
            for (uint32_t part = 0; part < info.part_count; part++) {
                gt_model_pack(model, part, NULL);
            }
            run(model, &info);
            gt_model_close(model);
        }
        free(memory);
    }
    free(image);
    return 0;
}
