/*
 * Nothing is allocated while a batch runs. The test is linked with --wrap: every call of the allocator from the kernel
 * or from ggml comes here first.
 */
#include "batches.h"
#include "check.h"

#include <stdlib.h>

static int counting;
static int allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void *__real__Znwm(size_t size);
void *__real__Znam(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void *__wrap__Znwm(size_t size); /* operator new */
void *__wrap__Znam(size_t size); /* operator new[] */

void *__wrap_malloc(size_t size) {
    allocations += counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    allocations += counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    allocations += counting;
    return __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    allocations += counting;
    return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
    allocations += counting;
    return __real_posix_memalign(block, alignment, size);
}

void *__wrap__Znwm(size_t size) {
    allocations += counting;
    return __real__Znwm(size);
}

void *__wrap__Znam(size_t size) {
    allocations += counting;
    return __real__Znam(size);
}

static void allocates_nothing(uint32_t type) {
    gtt_shape shape = gtt_small_shape();
    shape.type = type;
    shape.fused = type % 2 == 1;
    shape.activation = shape.fused ? "gelu_tanh" : "gelu_erf";
    if (type >= 10 && type <= 14) { /* K-quants have blocks of 256 */
        shape.width = 256;
        shape.feed_forward = 512;
    }
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_batch *batch = calloc(1, sizeof(*batch));
    gtt_opened opened;
    counting = 1;
    allocations = 0;
    CHECK(gtt_open(&opened, &model->file, 1024, 64) == GT_OK, "%s", opened.error.message);
    /* The test's own two and, of ggml's graph, the question whether there is memory, a context and a pool. */
    CHECK(allocations >= (gtt_compute == GT_COMPUTE_GGML ? 5 : 2), "the allocator is not watched: %d allocations", allocations);
    counting = 0;
    for (uint32_t s = 0; s < 40; s++) {
        gtt_add_random(batch, model, s, 1 + s % 40, GTT_ALL_HEADS | GT_OUTPUT_STATES);
    }
    for (int round = 0; round < 3; round++) {
        counting = 1;
        allocations = 0;
        const int status = gtt_run(&opened, model, batch);
        counting = 0;
        CHECK(status == GT_OK, "%s", opened.error.message);
        CHECK(allocations == 0, "type %u: %d allocations in a run", type, allocations);
    }
    gtt_close(&opened);
    free(batch);
    gtt_model_free(model);
}

/* DistilBERT-base for 1024 tokens, by arithmetic: what a lane costs. */
static void stays_small(void) {
    gtt_shape shape = {.layers = 6, .width = 768, .attention_heads = 12, .feed_forward = 3072, .vocabulary = 100,
                       .context = 512, .token_types = 0, .type = 8, .activation = "gelu_erf"};
    gtt_model *model = gtt_build(&shape, NULL);
    const gt_session_params params = {sizeof(params), 1024, 64, 1};
    gtt_opened opened;
    uint64_t bytes = 0;
    CHECK(gtt_open(&opened, &model->file, 0, 0) == GT_OK, "%s", opened.error.message);
    CHECK(gt_session_measure(opened.model, &params, &bytes, &opened.error) == GT_OK, "%s", opened.error.message);
    CHECK(bytes < 60u << 20, "%llu bytes", (unsigned long long)bytes);
    gtt_close(&opened);
    gtt_model_free(model);
}

void gtt_memory_suite(void) {
    static const uint32_t types[] = {0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 30};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        allocates_nothing(types[i]);
    }
    stays_small();
}
