/*
 * team.h - the threads that compute one batch together.
 *
 * A batch is a row of phases, the same for every thread; a phase is a number of pieces that do not depend on each
 * other. They are divided into stretches of neighbours, one for each thread that is expected: a thread claims its own
 * first, which are the same rows in every phase and lie in its caches, then what others have left. It waits until all
 * are done. So a thread that comes late, or is held up by the system, delays nobody by more than its own piece, and
 * the leader never waits for others to come.
 */
#ifndef GTI_TEAM_H
#define GTI_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gti_phase {
    atomic_uint done;      /* pieces that are done */
    atomic_uint claimed[]; /* [max_helpers + 1], of each stretch */
} gti_phase;

typedef struct gti_team {
    _Alignas(64) atomic_uint state; /* bit 31: open; 16 to 30: helpers that have entered; 0 to 15: that are inside */
    uint32_t max_helpers;           /* of one batch, at most 32,766 */
    void *phases;                   /* [phases], gti_phase_bytes each */
} gti_team;

/* What a piece belongs to: the phase's pieces, cut into stretches. */
typedef struct gti_share {
    uint32_t pieces;
    uint32_t stretches; /* at most max_helpers + 1 */
} gti_share;

static inline uint64_t gti_phase_bytes(uint32_t max_helpers) {
    return (sizeof(gti_phase) + (max_helpers + 1ull) * sizeof(atomic_uint) + 63) / 64 * 64;
}

static inline gti_phase *gti_team_phase(const gti_team *team, uint32_t index) {
    return (gti_phase *)((uint8_t *)team->phases + index * gti_phase_bytes(team->max_helpers));
}

/* Pieces of each stretch but the last, which may have fewer or none. */
static inline uint32_t gti_stretch(gti_share share) {
    return (share.pieces + share.stretches - 1) / share.stretches;
}

/* Called by the leader while nobody is inside. */
void gti_team_reset(gti_team *team, uint32_t phase_count);
/* From now on others may enter. */
void gti_team_open(gti_team *team);
/* Lets nobody in any more and waits until those inside have left. */
void gti_team_close(gti_team *team);

/* The helper's number in this batch, from 1; 0 when the team is closed or as many have entered as may. */
uint32_t gti_team_enter(gti_team *team);
void gti_team_leave(gti_team *team);

/* The next piece for thread number; false when all are claimed. */
bool gti_team_claim(gti_phase *phase, gti_share share, uint32_t number, uint32_t *piece);
/* count pieces that this thread claimed are done; waits for the others'. */
void gti_team_finish(gti_phase *phase, uint32_t count, uint32_t pieces);

#endif
