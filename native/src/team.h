/*
 * team.h - the threads that compute one batch together.
 *
 * A batch is a row of phases, the same for every thread; a phase is a number of pieces that do not depend on each
 * other. Threads claim pieces until none is left and wait until all are done, so that a thread that comes late, or is
 * held up by the system, delays nobody by more than its own piece. The leader never waits for others to come.
 */
#ifndef GTI_TEAM_H
#define GTI_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gti_phase {
    _Alignas(64) atomic_uint next; /* the first piece that nobody claimed */
    atomic_uint done;              /* pieces that are done */
} gti_phase;

typedef struct gti_team {
    _Alignas(64) atomic_uint state; /* bit 31: open; 16 to 30: helpers that have entered; 0 to 15: that are inside */
    uint32_t max_helpers;           /* of one batch, at most 32,766 */
    gti_phase *phases;
} gti_team;

/* Called by the leader while nobody is inside. */
void gti_team_reset(gti_team *team, uint32_t phase_count);
/* From now on others may enter. */
void gti_team_open(gti_team *team);
/* Lets nobody in any more and waits until those inside have left. */
void gti_team_close(gti_team *team);

/* The helper's number in this batch, from 1; 0 when the team is closed or as many have entered as may. */
uint32_t gti_team_enter(gti_team *team);
void gti_team_leave(gti_team *team);

/* The next piece of a phase; false when all are claimed. */
bool gti_team_claim(gti_phase *phase, uint32_t pieces, uint32_t *piece);
/* count pieces that this thread claimed are done; waits for the others'. */
void gti_team_finish(gti_phase *phase, uint32_t count, uint32_t pieces);

#endif
