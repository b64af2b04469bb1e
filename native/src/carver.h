/* carver.h - sizes of memory, and a block of it handed out piece by piece; with base NULL it only counts. */
#ifndef GTI_CARVER_H
#define GTI_CARVER_H

#include "gatun.h"

#include <stddef.h>

typedef struct gti_carver {
    uint8_t *base;
    uint64_t used;
} gti_carver;

static inline void *gti_carve(gti_carver *carver, uint64_t bytes) {
    void *piece = carver->base == NULL ? NULL : carver->base + carver->used;
    carver->used += (bytes + GT_ALIGNMENT - 1) / GT_ALIGNMENT * GT_ALIGNMENT;
    return piece;
}

static inline uint64_t gti_larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

#endif
