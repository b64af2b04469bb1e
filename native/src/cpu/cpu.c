#include "cpu/cpu.h"

#include "gatun.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

#include <cpuid.h>

/*
 * x86-64-v3. The compiler's own tests ask the operating system too whether it keeps the wide registers; compilers older
 * than clang 18 know neither the level's name nor those of its last three features.
 */
static bool supports_v3(void) {
    unsigned a, b, c, d, extended;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
           && __builtin_cpu_supports("bmi2") && __get_cpuid(1, &a, &b, &c, &d)
           && __get_cpuid(0x80000001, &a, &b, &extended, &d) /* and now F16C, MOVBE, LZCNT */
           && (c >> 29 & 1) != 0 && (c >> 22 & 1) != 0 && (extended >> 5 & 1) != 0;
}

#endif

#ifdef GTI_CPU_TIERS

#define DECLARE_TIER(suffix)                                                                                           \
    void ggml_cpu_init_##suffix(void);                                                                                 \
    struct ggml_cplan ggml_graph_plan_##suffix(const struct ggml_cgraph *, int, struct ggml_threadpool *);             \
    enum ggml_status ggml_graph_compute_##suffix(struct ggml_cgraph *, struct ggml_cplan *);                           \
    struct ggml_threadpool *ggml_threadpool_new_##suffix(struct ggml_threadpool_params *);                             \
    void ggml_threadpool_free_##suffix(struct ggml_threadpool *)

#define TIER(title, suffix)                                                                                            \
    {title, ggml_cpu_init_##suffix, ggml_graph_plan_##suffix, ggml_graph_compute_##suffix,                             \
     ggml_threadpool_new_##suffix, ggml_threadpool_free_##suffix}

DECLARE_TIER(v2);
DECLARE_TIER(v3);
DECLARE_TIER(v4);

static const gti_cpu_tier tiers[] = {
    TIER("x86-64-v4", v4),
    TIER("x86-64-v3", v3),
    TIER("x86-64-v2", v2),
};

static bool supported(size_t index) {
    switch (index) {
        case 0:
            return supports_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                   && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
                   && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")
                   && __builtin_cpu_supports("avx512vbmi");
        case 1:
            return supports_v3();
        default:
            return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    }
}

#else

static const gti_cpu_tier tiers[] = {
    {GTI_CPU_ONLY, ggml_cpu_init, ggml_graph_plan, ggml_graph_compute, ggml_threadpool_new, ggml_threadpool_free},
};

static bool supported(size_t index) {
    (void)index;
#ifdef __x86_64__
    return supports_v3();
#else
    return true;
#endif
}

#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const gti_cpu_tier *chosen;

static void say_nothing(enum ggml_log_level level, const char *text, void *data) {
    (void)level;
    (void)text;
    (void)data;
}

static void choose(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
#endif
    const char *wanted = getenv("GATUN_CPU");
    for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
        if (supported(i) && (chosen == NULL || (wanted != NULL && strcmp(wanted, tiers[i].name) == 0))) {
            chosen = &tiers[i];
        }
    }
    if (chosen != NULL) {
        ggml_log_set(say_nothing, NULL);
    }
}

const gti_cpu_tier *gti_cpu(void) {
    pthread_once(&once, choose);
    return chosen;
}

const char *gt_cpu_name(void) {
    const gti_cpu_tier *tier = gti_cpu();
    return tier == NULL ? "unsupported" : tier->name;
}

const char *gt_ggml_version(void) {
    return ggml_version();
}
