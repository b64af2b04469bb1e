#include "cpu/cpu.h"

#include "error.h"
#include "gatun.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

#include <cpuid.h>

extern const gti_kernels gti_avx512_bf16;
extern const gti_kernels gti_avx512_vnni;
extern const gti_kernels gti_avx_vnni;
extern const gti_kernels gti_avx2;
extern const gti_kernels gti_sse42;

/* x86-64-v2 */
static bool supports_v2(void) {
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
}

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

static bool supports_v4(void) {
    return supports_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vl");
}

static bool supports_avx512_vnni(void) {
    return supports_v4() && __builtin_cpu_supports("avx512vnni");
}

static bool supports_avx512_bf16(void) {
    unsigned a, b, c, d;
    return supports_avx512_vnni() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1) != 0;
}

static bool supports_avx_vnni(void) {
    unsigned a, b, c, d;
    return supports_v3() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0;
}

static const gti_cpu_set sets[] = {
    {&gti_avx512_bf16, supports_avx512_bf16, 4},
    {&gti_avx512_vnni, supports_avx512_vnni, 4},
    {&gti_avx_vnni, supports_avx_vnni, 3},
    {&gti_avx2, supports_v3, 3},
    {&gti_sse42, supports_v2, 2},
};

#else

#ifdef __APPLE__

#include <sys/sysctl.h>

static bool has(const char *feature) {
    int32_t value = 0;
    size_t size = sizeof(value);
    return sysctlbyname(feature, &value, &size, NULL, 0) == 0 && value != 0;
}

static bool supports_dotprod(void) {
    return has("hw.optional.arm.FEAT_DotProd");
}

static bool supports_i8mm(void) {
    return has("hw.optional.arm.FEAT_I8MM") && supports_dotprod();
}

#else

#include <asm/hwcap.h>
#include <sys/auxv.h>

static bool supports_dotprod(void) {
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}

static bool supports_i8mm(void) {
    return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0 && supports_dotprod();
}

#endif

extern const gti_kernels gti_i8mm;
extern const gti_kernels gti_dotprod;
extern const gti_kernels gti_neon;

static bool supports_neon(void) {
    return true;
}

static const gti_cpu_set sets[] = {
    {&gti_i8mm, supports_i8mm, 0},
    {&gti_dotprod, supports_dotprod, 0},
    {&gti_neon, supports_neon, 0},
};

#endif

#ifdef GTI_CPU_TIERS

#define DECLARE_TIER(suffix)                                                                                           \
    void ggml_cpu_init_##suffix(void);                                                                                 \
    struct ggml_cplan ggml_graph_plan_##suffix(const struct ggml_cgraph *, int, struct ggml_threadpool *);             \
    enum ggml_status ggml_graph_compute_##suffix(struct ggml_cgraph *, struct ggml_cplan *);                           \
    struct ggml_threadpool *ggml_threadpool_new_##suffix(struct ggml_threadpool_params *);                             \
    void ggml_threadpool_free_##suffix(struct ggml_threadpool *)

#define TIER(suffix)                                                                                                   \
    {ggml_cpu_init_##suffix, ggml_graph_plan_##suffix, ggml_graph_compute_##suffix, ggml_threadpool_new_##suffix,      \
     ggml_threadpool_free_##suffix}

DECLARE_TIER(v2);
DECLARE_TIER(v3);
DECLARE_TIER(v4);

static const gti_ggml tiers[] = {TIER(v2), TIER(v3), TIER(v4)};

static const gti_ggml *ggml_for(int level) {
    if (level >= 4 && supports_v4() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
        return &tiers[2];
    }
    return level >= 3 && supports_v3() ? &tiers[1] : &tiers[0];
}

#else

static const gti_ggml only = {ggml_cpu_init, ggml_graph_plan, ggml_graph_compute, ggml_threadpool_new,
                              ggml_threadpool_free};

static const gti_ggml *ggml_for(int level) {
    (void)level;
    return &only;
}

#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const gti_cpu_set *chosen;
static const gti_ggml *chosen_ggml;

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
    const gti_cpu_set *set;
    for (uint32_t i = 0; (set = gti_cpu_at(i)) != NULL; i++) {
        if (set->supported()
            && (chosen == NULL || (wanted != NULL && strcmp(wanted, set->kernels->name) == 0))) {
            chosen = set;
        }
    }
    if (chosen != NULL) {
        chosen_ggml = ggml_for(chosen->level);
        ggml_log_set(say_nothing, NULL);
    }
}

const gti_cpu_set *gti_cpu(void) {
    pthread_once(&once, choose);
    return chosen;
}

const gti_cpu_set *gti_cpu_at(uint32_t index) {
    return index < sizeof(sets) / sizeof(sets[0]) ? &sets[index] : NULL;
}

const gti_ggml *gti_cpu_ggml(void) {
    pthread_once(&once, choose);
    return chosen_ggml;
}

const char *gt_cpu_name(void) {
    const gti_cpu_set *set = gti_cpu();
    return set == NULL ? "unsupported" : set->kernels->name;
}

int32_t gt_cpu_describe(uint32_t index, gt_cpu_info *info, gt_error *error) {
    const gti_cpu_set *set = gti_cpu_at(index);
    if (!gti_error_usable(error)) {
        return GT_ERROR_ARGUMENT;
    }
    if (set == NULL || info == NULL || info->struct_size != sizeof(gt_cpu_info)) {
        return gti_fail(error, GT_ERROR_ARGUMENT, "there is no set %u, or info is NULL or its struct_size not %zu",
                        index, sizeof(gt_cpu_info));
    }
#ifdef __x86_64__
    __builtin_cpu_init();
#endif
    info->supported = set->supported();
    info->bf16 = set->kernels->bf16;
    strncpy(info->name, set->kernels->name, sizeof(info->name) - 1);
    info->name[sizeof(info->name) - 1] = 0;
    return gti_succeed(error);
}

uint64_t gt_cpu_int8_peak(uint64_t rounds) {
    const gti_cpu_set *set = gti_cpu();
    return set == NULL ? 0 : set->kernels->int8_peak(rounds);
}

const char *gt_ggml_version(void) {
    return ggml_version();
}
