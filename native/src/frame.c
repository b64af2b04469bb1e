#include "frame.h"

#include <stdlib.h>
#include <string.h>

/* More than the small blocks that ggml takes from the system for a context and a pool. */
#define SYSTEM_BYTES (64u << 10)

uint64_t gti_frame_bytes(void) {
    return (uint64_t)GTI_FRAME_TENSORS * ggml_tensor_overhead() + ggml_graph_overhead_custom(GTI_FRAME_TENSORS, false)
           + GT_ALIGNMENT;
}

bool gti_frame_open(gti_frame *frame, void *memory, void *work, uint64_t work_size, uint32_t max_threads) {
    frame->cpu = gti_cpu_ggml();
    frame->work = work;
    frame->work_size = work_size;
    /* ggml leaves parts of a row of zeros unwritten, and multiplies them with 0. */
    memset(work, 0, work_size);
    frame->graph = NULL;
    frame->threads = 1;
    /* ggml ends the process when the system gives it nothing: ask first. */
    void *probe = malloc(SYSTEM_BYTES);
    if (probe == NULL) {
        return false;
    }
    free(probe);
    const struct ggml_init_params params = {(size_t)gti_frame_bytes(), memory, true};
    frame->context = ggml_init(params);
    frame->cpu->init();
    struct ggml_threadpool_params pool = ggml_threadpool_params_default((int)max_threads);
    frame->pool = frame->cpu->pool_new(&pool);
    return true;
}

void gti_frame_close(gti_frame *frame) {
    frame->cpu->pool_free(frame->pool);
    ggml_free(frame->context);
}

void gti_frame_begin(gti_frame *frame) {
    ggml_reset(frame->context);
    frame->graph = ggml_new_graph_custom(frame->context, GTI_FRAME_TENSORS, false);
}

int32_t gti_frame_run(gti_frame *frame, gt_error *error) {
    struct ggml_cplan plan = frame->cpu->plan(frame->graph, frame->threads, frame->pool);
    if (plan.work_size > frame->work_size) {
        return gti_fail(error, GT_ERROR_INTERNAL, "a graph needs %zu bytes of work space, %llu were measured",
                        plan.work_size, (unsigned long long)frame->work_size);
    }
    plan.work_data = frame->work;
    if (frame->cpu->compute(frame->graph, &plan) != GGML_STATUS_SUCCESS) {
        return gti_fail(error, GT_ERROR_INTERNAL, "ggml failed to run a graph");
    }
    return GT_OK;
}

bool gti_frame_fits(const gti_frame *frame, uint32_t count) {
    return ggml_used_mem(frame->context) + (uint64_t)count * ggml_tensor_overhead() + GT_ALIGNMENT <= gti_frame_bytes();
}

/* ggml names what has no name when it enters a graph, with printf: a name of one letter is cheaper. */
static struct ggml_tensor *leaf(struct ggml_tensor *tensor, const void *data) {
    tensor->data = (void *)data;
    tensor->name[0] = 'l';
    return tensor;
}

struct ggml_tensor *gti_frame_floats(gti_frame *frame, const float *data, uint64_t columns, uint64_t rows) {
    return leaf(ggml_new_tensor_2d(frame->context, GGML_TYPE_F32, (int64_t)columns, (int64_t)rows), data);
}

struct ggml_tensor *gti_frame_indices(gti_frame *frame, const int32_t *data, uint64_t count) {
    return leaf(ggml_new_tensor_1d(frame->context, GGML_TYPE_I32, (int64_t)count), data);
}

struct ggml_tensor *gti_frame_matrix(gti_frame *frame, const gti_matrix *matrix) {
    struct ggml_tensor *tensor =
        matrix->rows == 1
            ? ggml_new_tensor_1d(frame->context, (enum ggml_type)matrix->type, matrix->columns)
            : ggml_new_tensor_2d(frame->context, (enum ggml_type)matrix->type, matrix->columns, matrix->rows);
    return leaf(tensor, matrix->data);
}

struct ggml_tensor *gti_frame_place(gti_frame *frame, struct ggml_tensor *node, float *data) {
    if (data != NULL) {
        node->data = data;
    }
    node->name[0] = 'n';
    ggml_build_forward_expand(frame->graph, node);
    return node;
}
