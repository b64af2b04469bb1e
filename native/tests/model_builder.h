/* model_builder.h - small random models of the BERT family as GGUF images, with their weights for the reference. */
#ifndef GTT_MODEL_BUILDER_H
#define GTT_MODEL_BUILDER_H

#include "image.h"

#include "gatun.h"

#define GTT_MAX_WEIGHTS 256
#define GTT_HEADS 6
/* All heads of a built model, and its mask token. */
#define GTT_ALL_HEADS ((1u << GTT_HEADS) - 1)
#define GTT_MASK 2

typedef struct gtt_shape {
    uint32_t layers;
    uint32_t width;
    uint32_t attention_heads;
    uint32_t feed_forward;
    uint32_t vocabulary;
    uint32_t context;
    uint32_t token_types; /* 0: a DistilBERT, no table */
    uint32_t type;        /* ggml type of linears and token table */
    int fused;            /* attn_qkv */
    int foreign;          /* no gatun keys: one head from cls tensors */
    int no_biases;        /* none in the attention and the feed-forward */
    float scale;          /* of the random weights; 0: 0.25 */
    int zeros;            /* every weight is 0 instead */
    int loud;             /* every norm makes its channel 5 a thousand times as large as the others */
    const char *activation;
} gtt_shape;

/* A weight as the kernel sees it: read back from its quantized form. */
typedef struct gtt_weight {
    char name[64];
    uint64_t rows;
    uint64_t columns;
    float *values;
} gtt_weight;

/* A head of a built model. */
typedef struct gtt_head {
    const char *name;
    uint32_t task; /* GT_TASK_... */
    uint32_t labels;
    uint32_t dense; /* width, 0: none */
    const char *activation;
    uint32_t layer_count;
    uint32_t layers[4];
} gtt_head;

typedef struct gtt_model {
    gtt_shape shape;
    gtt_bytes file;
    size_t metadata; /* bytes before the data section */
    uint32_t head_count;
    gtt_head heads[GTT_HEADS];
    uint32_t weight_count;
    gtt_weight weights[GTT_MAX_WEIGHTS];
} gtt_model;

/* Adds one more key or tensor, or leaves one out: called before the image is put together. NULL: nothing. */
typedef void (*gtt_change)(gtt_image *image);

/* Leaves out the tensor or key of that name while a model is built; NULL: none. */
extern const char *gtt_left_out;

gtt_model *gtt_build(const gtt_shape *shape, gtt_change change);
void gtt_model_free(gtt_model *model);
/* Whether a head answers a token with a row: the first one, all, or the masks. */
int gtt_reads(const gtt_head *head, int32_t position, int32_t id);
/* NULL when the model has no such weight. */
const gtt_weight *gtt_weight_named(const gtt_model *model, const char *name);

/* An open model and session on memory of their own. */
typedef struct gtt_opened {
    void *model_memory;
    void *session_memory;
    gt_model *model;
    gt_session *session;
    gt_error error;
} gtt_opened;

/* How models are opened: GT_COMPUTE_... */
extern uint32_t gtt_compute;
/* And how many threads their sessions are open to. */
extern uint32_t gtt_threads;

/* The status of the first call that failed. */
int gtt_open(gtt_opened *opened, const gtt_bytes *file, uint32_t tokens, uint32_t sequences);
void gtt_close(gtt_opened *opened);

/* The same pseudo-random numbers everywhere: from -1 to 1. */
float gtt_random(uint64_t *state);

/* One of the small shapes that most tests use. */
gtt_shape gtt_small_shape(void);

#endif
