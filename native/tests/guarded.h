/*
 * guarded.h - memory between two pages that nobody may touch: a kernel that reads or writes one byte too many faults.
 */
#ifndef GTT_GUARDED_H
#define GTT_GUARDED_H

#include <stddef.h>

/*
 * Filled with 0xff, which is NaN as floats. The last byte lies right before a guard, or the first right behind one
 * while gtt_guarded_in_front is set. Ends the process when there is none.
 */
void *gtt_guarded(size_t bytes);
extern int gtt_guarded_in_front;

/* Frees all of it. */
void gtt_free_guarded(void);

#endif
