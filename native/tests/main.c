#include "check.h"
#include "model_builder.h"

#include <string.h>

int gtt_failures;
int gtt_checks;

/* gatun-tests [SUITE [COMPUTE]] */
int main(int count, char **arguments) {
    static const char *const computes[] = {"int8", "f32", "bf16", "ggml"};
    static const struct {
        const char *name;
        void (*run)(void);
    } suites[] = {
        {"gguf", gtt_gguf_suite},       {"model", gtt_model_suite}, {"damage", gtt_damage_suite},
        {"session", gtt_session_suite}, {"encoder", gtt_encoder_suite}, {"batch", gtt_batch_suite},
        {"memory", gtt_memory_suite},
    };
    for (uint32_t i = 0; i < 4 && count > 2; i++) {
        gtt_compute = strcmp(arguments[2], computes[i]) == 0 ? i : gtt_compute;
    }
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (count < 2 || strcmp(arguments[1], suites[i].name) == 0) {
            suites[i].run();
        }
    }
    printf("%d checks, %d failures\n", gtt_checks, gtt_failures);
    return gtt_failures != 0 || gtt_checks == 0;
}
