#include "wave.h"

#include <string.h>
#include <time.h>

/* Phases of a layer, of a head and of the rest, at most. */
#define LAYER_PHASES 10
#define HEAD_PHASES 4
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

/* Whether the last layer of a sequence must end the row of its token at position. */
static bool picks(const gt_session *session, const gt_batch *batch, uint32_t sequence, uint32_t position) {
    const gt_model *model = session->model;
    const uint32_t outputs = batch->outputs[sequence];
    const int32_t id = batch->ids[batch->starts[sequence] + (int32_t)position];
    bool picked = (outputs & GT_OUTPUT_STATES) != 0;
    for (uint32_t h = 0; h < model->info.head_count && !picked; h++) {
        const gt_head_info *info = &model->heads[h].info;
        picked = (outputs >> h & 1) && reads(info, session->depths[sequence])
                 && gti_reads_token(session, info, (int32_t)position, id);
    }
    return picked;
}

static void pick_rows(gti_job *job, uint32_t *rows, uint32_t *at) {
    uint32_t count = 0;
    job->picked = rows;
    job->picked_at = at;
    for (uint32_t s = 0; s < job->sequences; s++) {
        const uint32_t sequence = gti_sequence(job, s);
        const uint32_t start = gti_sequence_start(job, s);
        const uint32_t depth = job->session->depths[sequence];
        at[s] = count;
        for (uint32_t row = start; row < gti_sequence_start(job, s + 1) && depth > 0; row++) {
            if (depth > job->session->model->info.layer_count
                || picks(job->session, job->batch, sequence, row - start)) {
                rows[count++] = row;
            }
        }
        for (uint32_t layer = 0; layer < depth; layer++) {
            job->active[layer]++;
        }
    }
    at[job->sequences] = count;
}

/* The rows of sequence s that head reads, behind those that are there. */
static void pick_head_rows(gti_job *job, uint32_t head, uint32_t s, gti_head_row *rows) {
    const gt_session *session = job->session;
    const gt_head_info *info = &session->model->heads[head].info;
    const uint32_t sequence = gti_sequence(job, s);
    const uint32_t depth = session->depths[sequence];
    const uint32_t start = gti_sequence_start(job, s);
    uint64_t at = gti_logits_at(session, job->batch, sequence, head);
    uint32_t picked = job->picked_at[s];
    for (uint32_t row = start; row < gti_sequence_start(job, s + 1); row++) {
        const uint32_t place = job->first_row + row;
        if (!gti_reads_token(session, info, session->positions[place], session->ids[place])) {
            continue;
        }
        while (picked < job->picked_at[s + 1] && job->picked[picked] < row) {
            picked++;
        }
        const uint32_t last_row = depth == 0 ? row : gti_picked_start(job, depth - 1, s) + picked - job->picked_at[s];
        rows[job->head_counts[head]++] = (gti_head_row){row, depth, last_row, at};
        at += info->label_count;
        if (info->task == GT_TASK_TEXT_CLASSIFICATION) {
            break;
        }
    }
}

static void pick_all_head_rows(gti_job *job, gti_head_row *rows) {
    const gt_session *session = job->session;
    for (uint32_t h = 0; h < session->model->info.head_count; h++) {
        job->head_rows[h] = rows + (uint64_t)h * session->max_tokens;
        for (uint32_t s = 0; s < job->sequences; s++) {
            if (job->batch->outputs[gti_sequence(job, s)] >> h & 1) {
                pick_head_rows(job, h, s, rows + (uint64_t)h * session->max_tokens);
            }
        }
    }
}

/* How many sequences from first on make a wave. */
static uint32_t wave_sequences(const gt_session *session, uint32_t sequences, uint32_t first, uint32_t threads) {
    const uint32_t *starts = session->row_starts;
    uint32_t count = 1;
    while (first + count < sequences && starts[first + count + 1] - starts[first] <= GTI_WAVE_ROWS * threads) {
        count++;
    }
    return count;
}

/* Waves of which no two neighbours could be one. */
uint32_t gti_most_waves(uint32_t tokens) {
    return 2 * tokens / GTI_WAVE_ROWS + 2;
}

void gti_plan(gt_session *session, const gt_batch *batch) {
    gti_fused *fused = &session->fused;
    const uint32_t most = fused->team.max_helpers + 1;
    uint32_t first = 0;
    fused->job_count = 0;
    while (first < batch->sequence_count) {
        gti_job *job = &fused->jobs[fused->job_count];
        const uint32_t row = session->row_starts[first];
        *job = (gti_job){.session = session, .batch = batch, .first_sequence = first, .first_row = row};
        job->depth = session->depths[gti_sequence(job, 0)];
        job->threads = batch->threads < most ? batch->threads : most;
        job->sequences = wave_sequences(session, batch->sequence_count, first, job->threads);
        job->rows = session->row_starts[first + job->sequences] - row;
        pick_rows(job, fused->picked + row, fused->picked_at + first + fused->job_count);
        pick_all_head_rows(job, fused->head_rows + row);
        for (uint32_t s = 0; s < job->sequences; s++) {
            job->states |= (batch->outputs[gti_sequence(job, s)] & GT_OUTPUT_STATES) != 0;
        }
        first += job->sequences;
        fused->job_count++;
    }
}
