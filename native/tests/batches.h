/* batches.h - random batches for the tests that run models. */
#ifndef GTT_BATCHES_H
#define GTT_BATCHES_H

#include "model_builder.h"

#define GTT_MAX_SEQUENCES 1024
#define GTT_MAX_TOKENS 1024
#define GTT_MAX_LOGITS (1 << 19)

typedef struct gtt_batch {
    uint32_t sequences;
    uint32_t threads; /* that the kernel is told of; 0: one */
    int32_t ids[GTT_MAX_TOKENS];
    int32_t types[GTT_MAX_TOKENS];
    int32_t starts[GTT_MAX_SEQUENCES + 1];
    uint32_t outputs[GTT_MAX_SEQUENCES];
    uint64_t logits_at[GTT_MAX_SEQUENCES + 1];
    float logits[GTT_MAX_LOGITS];
} gtt_batch;

/* Adds a sequence of random ids and types that depend on seed alone; some of the tokens are masks. */
void gtt_add_random(gtt_batch *batch, const gtt_model *model, uint64_t seed, uint32_t length, uint32_t outputs);
/* How many logits sequence s gives for those outputs. */
uint64_t gtt_logit_count(const gtt_model *model, const gtt_batch *batch, uint32_t s, uint32_t outputs);
/* Runs the batch; 0 on success, and the sentence of the failure in opened->error. */
int gtt_run(gtt_opened *opened, const gtt_model *model, gtt_batch *batch);

#endif
