/*
 * reference.h - the same models computed by plain loops in double, written from the papers and not from the kernel:
 * BERT (Devlin et al. 2019), Transformer encoder with norms behind (Vaswani et al. 2017), GELU by erf (Hendrycks and
 * Gimpel 2016). One sequence at a time.
 */
#ifndef GTT_REFERENCE_H
#define GTT_REFERENCE_H

#include "model_builder.h"

/* states: double[layers + 1][length][width], the embeddings' output first. types may be NULL. */
void gtt_reference_states(const gtt_model *model, const int32_t *ids, const int32_t *types, uint32_t length,
                          double *states);

/* logits: double[rows][labels], of the first token, all or the masks among ids. */
void gtt_reference_head(const gtt_model *model, uint32_t head, const int32_t *ids, const double *states,
                        uint32_t length, double *logits);

#endif
