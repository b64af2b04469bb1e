/*
 * cpu.h - the one place where the kernel looks at the processor.
 *
 * ggml's CPU code is built once for each tier (see cmake/ggml.cmake); gti_cpu chooses the best tier that both the
 * processor and the operating system support, once, and gives its entry points. GATUN_CPU in the environment names a
 * lower tier, for tests and comparisons; a tier that is not supported is never chosen. Any thread.
 */
#ifndef GTI_CPU_H
#define GTI_CPU_H

#include "gatun_ggml.h"

#include "ggml-cpu.h"
#include "ggml.h"

typedef struct gti_cpu_tier {
    const char *name;
    void (*init)(void);
    struct ggml_cplan (*plan)(const struct ggml_cgraph *graph, int threads, struct ggml_threadpool *pool);
    enum ggml_status (*compute)(struct ggml_cgraph *graph, struct ggml_cplan *plan);
    struct ggml_threadpool *(*pool_new)(struct ggml_threadpool_params *params);
    void (*pool_free)(struct ggml_threadpool *pool);
} gti_cpu_tier;

/* The tier for this processor; NULL when it is older than all of them. */
const gti_cpu_tier *gti_cpu(void);

#endif
