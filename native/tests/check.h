/* check.h - what a test needs: a check that says where it failed, and suites that main runs by name. */
#ifndef GTT_CHECK_H
#define GTT_CHECK_H

#include <stdio.h>

extern int gtt_failures;
extern int gtt_checks;

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        gtt_checks++;                                                                                                  \
        if (!(condition)) {                                                                                            \
            if (gtt_failures++ < 20) {                                                                                 \
                fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                        \
                fprintf(stderr, __VA_ARGS__);                                                                          \
                fprintf(stderr, "\n");                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

void gtt_gguf_suite(void);
void gtt_model_suite(void);
void gtt_damage_suite(void);
void gtt_session_suite(void);
void gtt_encoder_suite(void);
void gtt_batch_suite(void);
void gtt_depth_suite(void);
void gtt_memory_suite(void);
void gtt_kernels_suite(void);
void gtt_team_suite(void);

#endif
