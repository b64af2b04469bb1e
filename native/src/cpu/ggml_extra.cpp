/*
 * ggml_extra.cpp - compiled into every tier of ggml's CPU code in place of traits.cpp, repack.cpp, amx/ and
 * ggml-cpu.cpp: the kernel places its weights itself, so ggml has no extra buffer types to ask at every node.
 */
#include "ggml.h"
#include "traits.h"

extern "C" struct ggml_context *gti_no_context(struct ggml_init_params) {
    return nullptr;
}

extern "C" void gti_no_context_free(struct ggml_context *) {
}

bool ggml_cpu_extra_compute_forward(struct ggml_compute_params *, struct ggml_tensor *) {
    return false;
}

bool ggml_cpu_extra_work_size(int, const struct ggml_tensor *, size_t *) {
    return false;
}
