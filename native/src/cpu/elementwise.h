/*
 * elementwise.h - part of ops.h: activations, exp, sums.
 */
#ifndef GTI_ELEMENTWISE_H
#define GTI_ELEMENTWISE_H

/* 2^x for x <= 0, by a polynomial for the fraction that is fitted to -0.5..0.5; relative error 1e-7. */
ALWAYS vf exp2_negative(vf x) {
    x = vf_max(x, vf_set(-125.0f));
    const vf n = vf_round(x);
    const vf f = vf_sub(x, n);
    vf p = vf_set(0.000153458118f);
    p = vf_fma(p, f, vf_set(0.00133999314f));
    p = vf_fma(p, f, vf_set(0.00961848896f));
    p = vf_fma(p, f, vf_set(0.0555032878f));
    p = vf_fma(p, f, vf_set(0.240226469f));
    p = vf_fma(p, f, vf_set(0.693147206f));
    p = vf_fma(p, f, vf_set(1.0f));
    return vf_exp2i(n, p);
}

/*
 * x Phi(x), Phi the normal distribution: BERT's GELU. It is max(x, 0) - a Phi(-a) with a = |x|, cut at 5.4, and Phi(-a) is
 * a polynomial of degree 13 in a / 2.7 - 1, fitted so that the whole errs by at most 9e-7, and not at 0.
 */
ALWAYS vf gelu_erf(vf x) {
    const vf a = vf_min(vf_max(x, vf_sub(vf_set(0.0f), x)), vf_set(5.4f));
    const vf s = vf_fma(a, vf_set((float)(2.0 / 5.4)), vf_set(-1.0f));
    vf p = vf_set(-0x1.4901540p-7f);
    p = vf_fma(p, s, vf_set(0x1.8e03b00p-6f));
    p = vf_fma(p, s, vf_set(0x1.20a35a0p-6f));
    p = vf_fma(p, s, vf_set(-0x1.955f9c0p-4f));
    p = vf_fma(p, s, vf_set(0x1.df426a0p-5f));
    p = vf_fma(p, s, vf_set(0x1.f766040p-4f));
    p = vf_fma(p, s, vf_set(-0x1.b75e0c0p-3f));
    p = vf_fma(p, s, vf_set(0x1.3595d80p-4f));
    p = vf_fma(p, s, vf_set(0x1.3e14bc0p-3f));
    p = vf_fma(p, s, vf_set(-0x1.1237e40p-2f));
    p = vf_fma(p, s, vf_set(0x1.b84b880p-3f));
    p = vf_fma(p, s, vf_set(-0x1.a3f8100p-4f));
    p = vf_fma(p, s, vf_set(0x1.ccff5e0p-6f));
    p = vf_fma(p, s, vf_set(-0x1.c673760p-9f));
    return vf_fma(p, a, vf_max(x, vf_set(0.0f)));
}

#ifndef GTI_GELU
/* The same for what is rounded to 8 bits next. */
ALWAYS vf gelu_short(vf x) {
    return gelu_erf(x);
}
#endif

/* The activations that few models have: a value at a time. */
static void activate_scalar(gti_activation activation, float *x, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const float v = x[i];
        x[i] = activation == GTI_ACTIVATION_TANH
                   ? tanhf(v)
                   : 0.5f * v * (1.0f + tanhf(0.79788456080286535588f * v * (1.0f + 0.044715f * v * v)));
    }
}

static void add(float *x, const float *y, uint64_t count) {
    uint64_t i = 0;
    for (; i + GTI_LANES <= count; i += GTI_LANES) {
        vf_store(x + i, vf_add(vf_load(x + i), vf_load(y + i)));
    }
    if (i < count) {
        const uint32_t rest = (uint32_t)(count - i);
        vf_store_some(x + i, vf_add(vf_load_some(x + i, rest), vf_load_some(y + i, rest)), rest);
    }
}

#endif
