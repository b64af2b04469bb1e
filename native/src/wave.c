#include "wave.h"

#include <string.h>
#include <time.h>

/* Phases of a layer, of a head and of the rest, at most. */
#define LAYER_PHASES 10
#define HEAD_PHASES 3
#define OTHER_PHASES 4

uint32_t gti_phase_count(const gt_model *model) {
    return model->info.layer_count * LAYER_PHASES + model->info.head_count * HEAD_PHASES + OTHER_PHASES;
}

/* ---- phases ---- */

static uint64_t clock_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t gti_began(const gti_worker *w) {
    return w->nanos == NULL ? 0 : clock_nanos();
}

void gti_ended(const gti_worker *w, uint32_t stage, uint64_t start) {
    if (w->nanos != NULL) {
        w->nanos[stage] += clock_nanos() - start;
    }
}

void gti_run_phase(gti_worker *w, const gti_step *s, uint32_t pieces) {
    gti_phase *at = gti_team_phase(&w->fused->team, w->phase++);
    const gti_share share = {pieces, w->job->threads};
    uint32_t done = 0;
    uint32_t piece;
    while (gti_team_claim(at, share, w->number, &piece)) {
        s->run(w, s, piece);
        done++;
    }
    w->pieces += done;
    const uint64_t start = gti_began(w);
    gti_team_finish(at, done, pieces);
    gti_ended(w, GT_STAGE_WAIT, start);
}

/* ---- waves ---- */

static bool reads(const gt_head_info *head, uint32_t layer) {
    for (uint32_t i = 0; i < head->layer_count; i++) {
        if (head->layers[i] == layer) {
            return true;
        }
    }
    return false;
}

/* How many rows of a sequence the last layer computes to its end. */
static uint32_t last_rows(const gt_model *model, const gt_batch *batch, uint32_t sequence, uint32_t depth) {
    const uint32_t length = (uint32_t)(batch->starts[sequence + 1] - batch->starts[sequence]);
    uint32_t count = batch->outputs[sequence] & GT_OUTPUT_STATES ? length : 0;
    for (uint32_t h = 0; h < model->info.head_count; h++) {
        const gt_head_info *info = &model->heads[h].info;
        if ((batch->outputs[sequence] >> h & 1) == 0 || !reads(info, depth)) {
            continue;
        }
        const uint32_t wanted = info->task == GT_TASK_TOKEN_CLASSIFICATION ? length : 1;
        count = wanted > count ? wanted : count;
    }
    return count;
}

static void pick_last_rows(gti_job *job, uint32_t *rows, uint32_t *at) {
    job->last_rows = rows;
    job->last_at = at;
    for (uint32_t s = 0; s < job->sequences; s++) {
        const uint32_t count = last_rows(job->session->model, job->batch, job->first_sequence + s, job->depth);
        at[s] = job->last_count;
        for (uint32_t r = 0; r < count; r++) {
            rows[job->last_count++] = gti_sequence_start(job, s) + r;
        }
    }
    at[job->sequences] = job->last_count;
}

static void pick_head_rows(gti_job *job, uint32_t head, gti_head_row *rows) {
    const gt_batch *batch = job->batch;
    const gt_head_info *info = &job->session->model->heads[head].info;
    job->head_rows[head] = rows;
    for (uint32_t s = 0; s < job->sequences; s++) {
        const uint32_t sequence = job->first_sequence + s;
        const uint32_t start = gti_sequence_start(job, s);
        if ((batch->outputs[sequence] >> head & 1) == 0) {
            continue;
        }
        const uint64_t at = gti_logits_at(job->session, batch, sequence, head);
        const uint32_t count = info->task == GT_TASK_TOKEN_CLASSIFICATION ? gti_sequence_start(job, s + 1) - start : 1;
        for (uint32_t r = 0; r < count; r++) {
            rows[job->head_counts[head]++] =
                (gti_head_row){start + r, job->last_at[s] + r, at + (uint64_t)r * info->label_count};
        }
    }
}

/* How many sequences from first on make a wave. */
static uint32_t wave_sequences(const gt_batch *batch, uint32_t first, uint32_t threads) {
    uint32_t count = 1;
    while (first + count < batch->sequence_count
           && (uint32_t)(batch->starts[first + count + 1] - batch->starts[first]) <= GTI_WAVE_ROWS * threads) {
        count++;
    }
    return count;
}

/* Waves of which no two neighbours could be one. */
uint32_t gti_most_waves(uint32_t tokens) {
    return 2 * tokens / GTI_WAVE_ROWS + 2;
}

void gti_plan(gt_session *session, const gt_batch *batch, uint32_t depth) {
    gti_fused *fused = &session->fused;
    const gt_model *model = session->model;
    const uint32_t most = fused->team.max_helpers + 1;
    uint32_t first = 0;
    fused->job_count = 0;
    while (first < batch->sequence_count) {
        gti_job *job = &fused->jobs[fused->job_count];
        const uint32_t row = (uint32_t)batch->starts[first];
        *job = (gti_job){.session = session, .batch = batch, .depth = depth, .first_sequence = first, .first_row = row};
        job->threads = batch->threads < most ? batch->threads : most;
        job->sequences = wave_sequences(batch, first, job->threads);
        job->rows = (uint32_t)batch->starts[first + job->sequences] - row;
        pick_last_rows(job, fused->last_rows + row, fused->last_at + first + fused->job_count);
        for (uint32_t h = 0; h < model->info.head_count; h++) {
            pick_head_rows(job, h, fused->head_rows + (uint64_t)h * session->max_tokens + row);
        }
        for (uint32_t s = first; s < first + job->sequences; s++) {
            job->states |= (batch->outputs[s] & GT_OUTPUT_STATES) != 0;
        }
        first += job->sequences;
        fused->job_count++;
    }
}
