#include "check.h"
#include "model_builder.h"

#include "cpu/cpu.h"

#include <stdlib.h>
#include <string.h>

int gtt_failures;
int gtt_checks;

/* What CTest takes for a test that was not run. */
#define NOT_RUN 77

/* Whether the instruction set that is asked for is not there. */
static bool lacks_something(void) {
    const char *wanted = getenv("GATUN_CPU");
    if (wanted != NULL && strcmp(wanted, gt_cpu_name()) != 0) {
        printf("not run: %s (this processor lacks it)\n", wanted);
        return true;
    }
    if (gtt_compute == GT_COMPUTE_BF16 && !gti_cpu()->kernels->bf16) {
        printf("not run: bf16 (%s does not multiply it)\n", gt_cpu_name());
        return true;
    }
    return false;
}

/* gatun-tests [SUITE [COMPUTE]] */
int main(int count, char **arguments) {
    static const char *const computes[] = {"int8", "f32", "bf16", "ggml"};
    static const struct {
        const char *name;
        void (*run)(void);
    } suites[] = {
        {"gguf", gtt_gguf_suite},       {"model", gtt_model_suite}, {"damage", gtt_damage_suite},
        {"session", gtt_session_suite}, {"encoder", gtt_encoder_suite}, {"batch", gtt_batch_suite},
        {"depth", gtt_depth_suite},
        {"memory", gtt_memory_suite},   {"kernels", gtt_kernels_suite},
        {"team", gtt_team_suite},
    };
    for (uint32_t i = 0; i < 4 && count > 2; i++) {
        gtt_compute = strcmp(arguments[2], computes[i]) == 0 ? i : gtt_compute;
    }
    /* ggml's threads wait for each other without a pause: several on one core hardly move. */
    gtt_threads = gtt_compute == GT_COMPUTE_GGML ? 1 : gtt_threads;
    if (lacks_something()) {
        return NOT_RUN;
    }
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (count < 2 || strcmp(arguments[1], suites[i].name) == 0) {
            suites[i].run();
        }
    }
    printf("%d checks, %d failures\n", gtt_checks, gtt_failures);
    return gtt_failures != 0 || gtt_checks == 0;
}
