/*
 * cpu.h - the one place where the kernel looks at the processor.
 *
 * gti_cpu chooses, once, the best instruction set that the processor and the operating system support, and the best of
 * the tiers for which ggml's CPU code was built (cmake/ggml.cmake) that asks for no more. GATUN_CPU in the environment
 * names a lower set, for tests and comparisons; one that is not supported is never chosen. Any thread.
 */
#ifndef GTI_CPU_H
#define GTI_CPU_H

#include "gatun_ggml.h"
#include "kernels.h"

#include "ggml-cpu.h"
#include "ggml.h"

/* The entry points of one build of ggml's CPU code. */
typedef struct gti_ggml {
    void (*init)(void);
    struct ggml_cplan (*plan)(const struct ggml_cgraph *graph, int threads, struct ggml_threadpool *pool);
    enum ggml_status (*compute)(struct ggml_cgraph *graph, struct ggml_cplan *plan);
    struct ggml_threadpool *(*pool_new)(struct ggml_threadpool_params *params);
    void (*pool_free)(struct ggml_threadpool *pool);
} gti_ggml;

typedef struct gti_cpu_set {
    const gti_kernels *kernels;
    bool (*supported)(void);
    int level; /* of x86-64, 2 to 4, that it includes; 0 on other processors */
} gti_cpu_set;

/* The set in use; NULL when the processor is older than all of them. */
const gti_cpu_set *gti_cpu(void);

/* Set index, the best first; NULL behind the last. */
const gti_cpu_set *gti_cpu_at(uint32_t index);

/* ggml's code for the set in use. */
const gti_ggml *gti_cpu_ggml(void);

#endif
