#include "linear.h"

#include <math.h>

/*
 * GELU by its tanh form. ggml's own rounds its argument to 16 bits and looks it up; a model that was trained with the
 * tanh form gets the form itself.
 */
static void gelu_tanh(struct ggml_tensor *out, const struct ggml_tensor *in, int thread, int threads, void *data) {
    const int64_t count = ggml_nelements(in);
    const float *x = in->data;
    float *y = out->data;
    (void)data;
    for (int64_t i = thread; i < count; i += threads) {
        y[i] = 0.5f * x[i] * (1.0f + tanhf(0.79788456080286535588f * x[i] * (1.0f + 0.044715f * x[i] * x[i])));
    }
}

static struct ggml_tensor *activate(gti_frame *frame, gti_activation activation, struct ggml_tensor *x) {
    switch (activation) {
        case GTI_ACTIVATION_RELU:
            return gti_frame_place(frame, ggml_relu_inplace(frame->context, x), NULL);
        case GTI_ACTIVATION_TANH:
            return gti_frame_place(frame, ggml_tanh_inplace(frame->context, x), NULL);
        case GTI_ACTIVATION_GELU_ERF:
            return gti_frame_place(frame, ggml_gelu_erf_inplace(frame->context, x), NULL);
        case GTI_ACTIVATION_GELU_TANH:
            return gti_frame_place(frame, ggml_map_custom1_inplace(frame->context, x, gelu_tanh, 1, NULL), NULL);
        case GTI_ACTIVATION_NONE:
            break;
    }
    return x;
}

struct ggml_tensor *gti_linear_node(gti_frame *frame, const gti_linear *linear, struct ggml_tensor *x,
                                    gti_activation activation, float *out) {
    struct ggml_tensor *w = gti_frame_matrix(frame, &linear->weight);                        /* [in, out] */
    struct ggml_tensor *y = gti_frame_place(frame, ggml_mul_mat(frame->context, w, x), out); /* [out, rows] */
    if (linear->bias.data != NULL) {
        struct ggml_tensor *b = gti_frame_matrix(frame, &linear->bias); /* [out] */
        y = gti_frame_place(frame, ggml_add_inplace(frame->context, y, b), NULL);
    }
    return activate(frame, activation, y);
}

struct ggml_tensor *gti_norm_node(gti_frame *frame, const gti_norm *norm, float epsilon, struct ggml_tensor *x) {
    struct ggml_tensor *w = gti_frame_matrix(frame, &norm->weight); /* [d] */
    struct ggml_tensor *b = gti_frame_matrix(frame, &norm->bias);   /* [d] */
    x = gti_frame_place(frame, ggml_norm_inplace(frame->context, x, epsilon), NULL);
    x = gti_frame_place(frame, ggml_mul_inplace(frame->context, x, w), NULL);
    return gti_frame_place(frame, ggml_add_inplace(frame->context, x, b), NULL);
}

struct ggml_tensor *gti_linear_norm_node(gti_frame *frame, const gti_linear *linear, struct ggml_tensor *x,
                                         struct ggml_tensor *residual, const gti_norm *norm, float epsilon,
                                         float *out) {
    struct ggml_tensor *y = gti_linear_node(frame, linear, x, GTI_ACTIVATION_NONE, out); /* [d, rows] */
    y = gti_frame_place(frame, ggml_add_inplace(frame->context, y, residual), NULL);
    return gti_norm_node(frame, norm, epsilon, y);
}
