/*
 * model.h - what an open model is: sizes, and matrices in the model's memory.
 *
 * A model is written once, by gt_model_open and gt_model_pack, and then only read: any thread may use it. It owns
 * nothing, and keeps nothing of the image.
 */
#ifndef GTI_MODEL_H
#define GTI_MODEL_H

#include "cpu/packed.h"
#include "gguf.h"

#define GTI_MAX_LAYERS 128
#define GTI_MAX_VOCABULARY 1000000u
#define GTI_MAX_CONTEXT 65536u
#define GTI_MAX_WIDTH 8192u
#define GTI_MAX_FEED_FORWARD 65536u
#define GTI_MAX_LABELS 4096u

typedef enum gti_activation {
    GTI_ACTIVATION_NONE,
    GTI_ACTIVATION_RELU,
    GTI_ACTIVATION_TANH,
    GTI_ACTIVATION_GELU_ERF,
    GTI_ACTIVATION_GELU_TANH
} gti_activation;

/* [rows][columns], row-major; a vector has one row. data is NULL where the model has none. */
typedef struct gti_matrix {
    uint32_t type; /* a ggml type */
    uint32_t columns;
    uint32_t rows;
    const void *data;
} gti_matrix;

/* y = x W^T + b */
typedef struct gti_linear {
    gti_matrix weight; /* [out][in] */
    gti_matrix bias;   /* [out] F32, or none: zero */
} gti_linear;

typedef struct gti_norm {
    gti_matrix weight; /* [d] F32 */
    gti_matrix bias;   /* [d] F32 */
} gti_norm;

/* The linears are what ggml's graph multiplies; the packed ones, what the fused path does. A model has either. */
typedef struct gti_layer {
    gti_linear qkv; /* [3d][d], or none: then q, k and v */
    gti_linear q;   /* [d][d] */
    gti_linear k;   /* [d][d] */
    gti_linear v;   /* [d][d] */
    gti_linear out; /* [d][d] */
    gti_norm attention_norm;
    gti_linear up;   /* [f][d] */
    gti_linear down; /* [d][f] */
    gti_norm output_norm;
    gti_packed packed_qkv; /* q, k and v one behind the other, each in panels of its own */
    gti_packed packed_out;
    gti_packed packed_up;
    gti_packed packed_down;
} gti_layer;

typedef struct gti_head {
    gt_head_info info;
    gti_linear dense; /* [h][layers*d], or none */
    gti_activation activation;
    gti_norm norm;     /* behind the dense layer of a head that fills masks; others have none */
    gti_linear output; /* [labels][h or layers*d] */
    gti_packed packed_dense; /* panels is NULL where there is none */
    gti_packed packed_output;
} gti_head;

/* What is packed, and from where: linears of equal shape, one behind the other. */
typedef struct gti_packing {
    gti_packed *packed;
    gti_linear linears[3];
    uint32_t count;
} gti_packing;

struct gt_model {
    gt_model_info info;
    gti_compute compute;
    gti_activation activation; /* of the feed-forward */
    float epsilon;
    gti_matrix tokens;    /* [vocabulary][d] */
    gti_matrix positions; /* [context][d] */
    gti_matrix types;     /* [token types][d], or none */
    gti_norm embedding_norm;
    gti_layer layers[GTI_MAX_LAYERS];
    gti_head heads[GT_MAX_HEADS];
    /* Layers whose rows some head reads get a place of their own: kept[l] is its number, or -1. */
    int32_t kept[GTI_MAX_LAYERS + 1];
    uint32_t kept_count;
    uint32_t packing_count; /* 0 with GTI_COMPUTE_GGML */
    gti_packing packings[GTI_MAX_LAYERS * 4 + GT_MAX_HEADS * 2];
};

/*
 * Reads a model twice with the same code: once to check it and count what must be copied (memory NULL), once to copy.
 */
typedef struct gti_loader {
    const gti_gguf *gguf;
    gt_model *model;
    bool keeps; /* matrices of linears are copied, for ggml; else they are only packed */
    uint8_t *memory;  /* NULL: only count */
    uint64_t used;    /* of memory, or what would be */
    gt_error *error;
} gti_loader;

/* Room for bytes in the model's memory; a place that must not be written to while memory is only counted. */
void *gti_reserve(gti_loader *loader, uint64_t bytes);
/* pack.c. Row row of matrix, as floats. */
void gti_read_row(const gti_matrix *matrix, uint32_t row, float *out);
/* Asks the memory for what gti_read_row will read. */
void gti_ask_for_row(const gti_matrix *matrix, uint32_t row);

/* model_tensors.c. A matrix that every way of computing reads as it is is copied, where linears are not. */
void gti_keep(gti_loader *loader, gti_matrix *matrix);
/* Each fills one part of loader->model. Status: OK, FORMAT, UNSUPPORTED. */
int32_t gti_load_encoder(gti_loader *loader);
/* A matrix that is a tensor of the file, [rows][columns]. needed: an error when it is not there. */
int32_t gti_load_matrix(gti_loader *loader, const char *name, uint32_t rows, uint32_t columns, bool needed,
                        gti_matrix *matrix);
/* The same, and of F32 only. */
int32_t gti_load_vector(gti_loader *loader, const char *name, uint32_t columns, bool needed, gti_matrix *matrix);
/* A matrix that is an F32 array among the keys; always copied. matrix->data stays NULL when the key is missing. */
int32_t gti_load_array(gti_loader *loader, const char *key, uint32_t rows, uint32_t columns, gti_matrix *matrix);

/* model_heads.c. Fills model->heads, info.head_count, kept and kept_count. Status: OK, FORMAT, UNSUPPORTED. */
int32_t gti_load_heads(gti_loader *loader);

/*
 * model_masks.c. The weights of head index, which fills masks, and model->info.mask_token: dense, activation, norm, and
 * the table of tokens once more, as the linear that gives each token its logit. Status: OK, FORMAT, UNSUPPORTED.
 */
int32_t gti_load_mask_head(gti_loader *loader, uint32_t index, gti_head *head);

#endif
