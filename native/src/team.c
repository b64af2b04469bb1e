#include "team.h"

#include <sched.h>

#define OPEN 0x80000000u
#define ENTERED 0x10000u
#define INSIDE 0xffffu
/* How often a thread looks before it lets another run: some 20 microseconds. */
#define SPINS 1000

static void pause_once(void) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits for what another thread is about to do: short, unless the system runs that thread nowhere. */
static void wait_a_little(uint32_t *spins) {
    if (++*spins < SPINS) {
        pause_once();
    } else {
        sched_yield();
    }
}

void gti_team_reset(gti_team *team, uint32_t phase_count) {
    for (uint32_t i = 0; i < phase_count; i++) {
        gti_phase *phase = gti_team_phase(team, i);
        atomic_store_explicit(&phase->done, 0, memory_order_relaxed);
        for (uint32_t stretch = 0; stretch <= team->max_helpers; stretch++) {
            atomic_store_explicit(&phase->claimed[stretch], 0, memory_order_relaxed);
        }
    }
}

void gti_team_open(gti_team *team) {
    atomic_store_explicit(&team->state, OPEN, memory_order_release);
}

void gti_team_close(gti_team *team) {
    uint32_t spins = 0;
    atomic_fetch_and_explicit(&team->state, ~OPEN, memory_order_relaxed);
    while ((atomic_load_explicit(&team->state, memory_order_acquire) & INSIDE) != 0) {
        wait_a_little(&spins);
    }
}

uint32_t gti_team_enter(gti_team *team) {
    uint32_t state = atomic_load_explicit(&team->state, memory_order_relaxed);
    while ((state & OPEN) != 0 && (state & ~OPEN) / ENTERED < team->max_helpers) {
        if (atomic_compare_exchange_weak_explicit(&team->state, &state, state + ENTERED + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return (state & ~OPEN) / ENTERED + 1;
        }
    }
    return 0;
}

void gti_team_leave(gti_team *team) {
    atomic_fetch_sub_explicit(&team->state, 1, memory_order_release);
}

bool gti_team_claim(gti_phase *phase, gti_share share, uint32_t number, uint32_t *piece) {
    const uint32_t length = gti_stretch(share);
    for (uint32_t i = 0; i < share.stretches; i++) {
        const uint32_t stretch = (number + i) % share.stretches;
        const uint32_t first = stretch * length;
        const uint32_t left = first < share.pieces ? share.pieces - first : 0;
        const uint32_t count = left < length ? left : length;
        /* Looked at first, so that nobody who comes late counts the number up for ever. */
        if (atomic_load_explicit(&phase->claimed[stretch], memory_order_relaxed) < count) {
            *piece = first + atomic_fetch_add_explicit(&phase->claimed[stretch], 1, memory_order_relaxed);
            if (*piece < first + count) {
                return true;
            }
        }
    }
    return false;
}

void gti_team_finish(gti_phase *phase, uint32_t count, uint32_t pieces) {
    uint32_t spins = 0;
    if (count > 0) {
        atomic_fetch_add_explicit(&phase->done, count, memory_order_release);
    }
    while (atomic_load_explicit(&phase->done, memory_order_acquire) < pieces) {
        wait_a_little(&spins);
    }
}
