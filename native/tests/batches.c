#include "batches.h"

#include <stdbool.h>
#include <string.h>

void gtt_add_random(gtt_batch *batch, const gtt_model *model, uint64_t seed, uint32_t length, uint32_t outputs) {
    const int32_t start = batch->starts[batch->sequences];
    const uint32_t types = model->shape.token_types == 0 ? 1 : model->shape.token_types;
    uint64_t state = seed * 2654435761u + 99;
    for (uint32_t i = 0; i < length; i++) {
        const float number = (gtt_random(&state) + 1) / 2;
        const bool mask = (i * 7 + seed) % 6 == 1;
        batch->ids[start + (int32_t)i] = mask ? GTT_MASK : (int32_t)(number * (float)(model->shape.vocabulary - 1));
        batch->types[start + (int32_t)i] = (int32_t)((seed + i) % types);
    }
    batch->outputs[batch->sequences] = outputs;
    batch->starts[++batch->sequences] = start + (int32_t)length;
}

static uint32_t rows_of(const gtt_head *head, const gtt_batch *batch, uint32_t s) {
    uint32_t rows = 0;
    for (int32_t t = batch->starts[s]; t < batch->starts[s + 1]; t++) {
        rows += gtt_reads(head, t - batch->starts[s], batch->ids[t]);
    }
    return rows;
}

uint64_t gtt_logit_count(const gtt_model *model, const gtt_batch *batch, uint32_t s, uint32_t outputs) {
    const uint32_t length = (uint32_t)(batch->starts[s + 1] - batch->starts[s]);
    uint64_t count = outputs & GT_OUTPUT_STATES ? (uint64_t)length * model->shape.width : 0;
    for (uint32_t h = 0; h < model->head_count; h++) {
        if (outputs >> h & 1) {
            count += (uint64_t)model->heads[h].labels * rows_of(&model->heads[h], batch, s);
        }
    }
    return count;
}

int gtt_run(gtt_opened *opened, const gtt_model *model, gtt_batch *batch) {
    batch->logits_at[0] = 0;
    for (uint32_t s = 0; s < batch->sequences; s++) {
        batch->logits_at[s + 1] = batch->logits_at[s] + gtt_logit_count(model, batch, s, batch->outputs[s]);
    }
    memset(batch->logits, 0xff, sizeof(batch->logits));
    const gt_batch run = {sizeof(run),  (uint32_t)batch->starts[batch->sequences],
                          batch->sequences, batch->threads == 0 ? 1 : batch->threads,
                          batch->ids,   batch->types,
                          batch->starts, batch->outputs,
                          batch->logits, batch->logits_at[batch->sequences]};
    return gt_session_run(opened->session, &run, &opened->error);
}
