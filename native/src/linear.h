/*
 * linear.h - the seam between the encoder's graph and the ways to compute a linear layer.
 *
 * encoder.c and heads.c say what is computed; only linear.c says how. Today each of these is a row of plain ggml
 * nodes; a processor with a fused path puts one node here instead, and nothing else changes.
 */
#ifndef GTI_LINEAR_H
#define GTI_LINEAR_H

#include "frame.h"

/* Most tensors that one call adds to a frame. */
#define GTI_LINEAR_TENSORS 12

/* out = activation(x W^T + b). x: [in, rows], contiguous; out: float[rows][features]. Returns [features, rows]. */
struct ggml_tensor *gti_linear_node(gti_frame *frame, const gti_linear *linear, struct ggml_tensor *x,
                                    gti_activation activation, float *out);

/* out = norm(x W^T + b + residual). residual: [d, rows]; out: float[rows][d], not residual's. Returns [d, rows]. */
struct ggml_tensor *gti_linear_norm_node(gti_frame *frame, const gti_linear *linear, struct ggml_tensor *x,
                                         struct ggml_tensor *residual, const gti_norm *norm, float epsilon, float *out);

/* x = norm(x), in place. x: [d, rows] */
struct ggml_tensor *gti_norm_node(gti_frame *frame, const gti_norm *norm, float epsilon, struct ggml_tensor *x);

#endif
