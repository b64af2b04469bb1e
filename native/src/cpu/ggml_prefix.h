/*
 * ggml_prefix.h - comes before ggml's CPU sources, in place of gatun_ggml.h.
 *
 * ggml_cpu_init, which every graph run calls, makes and frees an empty context for the sake of ggml's clock. That is
 * an allocation a run: here it makes none. The clock is set by the context that a session opens.
 */
#ifndef GTI_GGML_PREFIX_H
#define GTI_GGML_PREFIX_H

#include "gatun_ggml.h"

#undef ggml_init
#undef ggml_free
#define ggml_init gti_no_context
#define ggml_free gti_no_context_free

#endif
