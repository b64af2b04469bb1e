/*
 * pack.h - from the matrices of a file to the layout of packed.h.
 *
 * While a model is loaded, gti_plan_packing reserves the memory of every linear and lists it. Later gti_pack writes one
 * panel; panels are independent, so that any number of threads may pack at once.
 */
#ifndef GTI_PACK_H
#define GTI_PACK_H

#include "model.h"

/* Reserves packed memory for weights that stack count linears of equal shape (q, k and v) and notes where they are. */
void gti_plan_packing(gti_loader *loader, gti_compute compute, const gti_linear *linears, uint32_t count,
                      gti_packed *packed);

/* Panels of all linears together. */
uint32_t gti_part_count(const gt_model *model);

/* Packs panel part of them, 0 to gti_part_count - 1. */
void gti_pack_part(const gt_model *model, uint32_t part);

#endif
