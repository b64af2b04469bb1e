/*
 * gatun.h - the whole C interface of Gatun's kernel.
 *
 * The kernel runs text encoders of the BERT family (DistilBERT, BERT) and their heads on ggml. It reads a model from
 * a GGUF image in memory and answers flat batches of token ids with logits.
 *
 * Memory     The caller owns every buffer: the GGUF image, the model's memory, a session's memory, the batch and the
 *            logits. Sizes are asked for first (the *_measure functions). Nothing is allocated while a batch runs.
 * Loading    Open a model, then pack its parts, on as many threads as there are; after that the image may go.
 * Threads    A packed model is immutable: any number of sessions may use it at once. A session belongs to one thread
 *            at a time and runs on the thread that calls it; others may join it for as long as a batch runs
 *            (gt_session_join). The kernel starts no threads; but ggml does, one less than max_threads, for a session
 *            of a model that it computes itself: they end with the session, and nobody joins it.
 * Errors     Every call that can fail returns a status and, where error is not NULL, writes one sentence to it.
 *            Nothing prints, exits or aborts, whatever the image holds.
 * Versions   Each struct starts with struct_size, which the caller sets to sizeof(the struct) before every call.
 *            GT_ABI_VERSION changes with anything that an older caller would misread.
 */
#ifndef GATUN_H
#define GATUN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GT_ABI_VERSION 3

/* Longest text of one error, its closing zero included. */
#define GT_MESSAGE_CAPACITY 256
/* Longest name of a head, its closing zero included. */
#define GT_NAME_CAPACITY 64
/* Most heads of one model: each is a bit of gt_batch.outputs, whose last bit asks for the rows themselves. */
#define GT_MAX_HEADS 31
/* Most layers that one head reads. */
#define GT_MAX_HEAD_LAYERS 16
/* The bit of gt_batch.outputs that asks for the last layer's rows themselves. */
#define GT_OUTPUT_STATES 0x80000000u
/* No token at all, where an id is told. */
#define GT_NO_TOKEN 0xffffffffu
/* Every memory block that the caller lends starts at a multiple of this many bytes. */
#define GT_ALIGNMENT 64

enum {
    GT_OK = 0,
    GT_ERROR_ARGUMENT = 1,    /* the caller broke a rule of this header */
    GT_ERROR_FORMAT = 2,      /* the image is no GGUF file, is truncated, or contradicts itself */
    GT_ERROR_UNSUPPORTED = 3, /* a sound GGUF file of an architecture, size or type that this kernel does not run */
    GT_ERROR_MEMORY = 4,      /* the memory lent is too small, or the system gave none */
    GT_ERROR_BATCH = 5,       /* a batch breaks the bounds of its session or its model */
    GT_ERROR_INTERNAL = 6     /* a fault of the kernel itself */
};

enum {
    GT_TASK_TEXT_CLASSIFICATION = 0,  /* one row of logits a sequence, read from its first row */
    GT_TASK_TOKEN_CLASSIFICATION = 1, /* one row of logits a token */
    GT_TASK_QUESTION_ANSWERING = 2,   /* one row a token: how well an answer starts and how well it ends there */
    GT_TASK_FILL_MASK = 3             /* one row a mask token, in their order: a logit for each of the vocabulary */
};

/* How linear layers are multiplied. Everything else is computed in floats, attention's products partly in bf16. */
enum {
    GT_COMPUTE_INT8 = 0, /* 8-bit weights, and rows quantized to 8 bits as they come */
    GT_COMPUTE_F32 = 1,
    GT_COMPUTE_BF16 = 2, /* only where the processor multiplies bf16 */
    GT_COMPUTE_GGML = 3  /* ggml's own graph on the weights as they are in the file, to compare with: see below */
};

/* What a batch's time goes to. Linears include the activation or the residual behind them. */
enum {
    GT_STAGE_EMBED = 0,     /* tokens, positions and types looked up, added and normed */
    GT_STAGE_QKV = 1,       /* the linears of queries, keys and values */
    GT_STAGE_ATTENTION = 2,
    GT_STAGE_PREPARE = 3,   /* attention's rows rounded to what linears multiply; picking the rows that are needed */
    GT_STAGE_OUT = 4,       /* the linear behind attention */
    GT_STAGE_NORM = 5,      /* layer norms, their rows rounded to what linears multiply */
    GT_STAGE_UP = 6,        /* the feed-forward's linears */
    GT_STAGE_DOWN = 7,
    GT_STAGE_HEAD = 8,
    GT_STAGE_WAIT = 9,      /* for other threads */
    GT_STAGE_COUNT = 10
};

typedef struct gt_model gt_model;
typedef struct gt_session gt_session;

/* What went wrong, in one sentence of UTF-8 without a line break. */
typedef struct gt_error {
    uint32_t struct_size;
    int32_t status;
    char message[GT_MESSAGE_CAPACITY];
} gt_error;

/* How a model is opened. */
typedef struct gt_model_params {
    uint32_t struct_size;
    uint32_t compute; /* GT_COMPUTE_... */
} gt_model_params;

/* The sizes of a model. */
typedef struct gt_model_info {
    uint32_t struct_size;
    uint32_t vocabulary_size;
    uint32_t context_length;   /* tokens, the longest sequence */
    uint32_t embedding_length; /* d: the width of a row */
    uint32_t layer_count;
    uint32_t attention_head_count;
    uint32_t feed_forward_length;
    uint32_t token_type_count;
    uint32_t head_count;
    uint32_t part_count;   /* to be packed; 0 with GT_COMPUTE_GGML */
    uint32_t mask_token;   /* the id that heads which fill masks answer for; GT_NO_TOKEN without such a head */
    uint32_t reserved;
    uint64_t memory_bytes; /* what gt_model_open needs */
} gt_model_info;

/*
 * One head of a model. Its logits are float[rows][label_count] a sequence, rows being 1, its length or, of a head that
 * fills masks, the number of its mask tokens, which may be 0.
 */
typedef struct gt_head_info {
    uint32_t struct_size;
    uint32_t task; /* GT_TASK_... */
    uint32_t label_count; /* of a head that fills masks: vocabulary_size */
    uint32_t layer_count; /* how many layers it reads, side by side */
    uint32_t layers[GT_MAX_HEAD_LAYERS]; /* 0 is the embeddings' output, n the output of the nth layer */
    char name[GT_NAME_CAPACITY];
} gt_head_info;

/* The bounds of a session. */
typedef struct gt_session_params {
    uint32_t struct_size;
    uint32_t max_tokens;    /* of one batch; at least 1 */
    uint32_t max_sequences; /* of one batch; from 1 to max_tokens */
    uint32_t max_threads;   /* that compute one batch, the one that runs it included; at least 1 */
} gt_session_params;

/*
 * A flat batch: the sequences one behind the other, no padding.
 * Sequence s is tokens starts[s] .. starts[s+1]-1; starts[0] is 0 and starts[sequence_count] is token_count.
 * outputs[s] holds a bit a head that sequence s wants, and GT_OUTPUT_STATES.
 * The logits follow each other without gaps, by sequence and within it by head from bit 0 up; GT_OUTPUT_STATES, the
 * highest bit, comes last and gives float[length][embedding_length].
 * No layer is computed above the deepest that a sequence's own outputs read, whatever else is in the batch; only
 * GT_COMPUTE_GGML computes all as deep as the deepest.
 */
typedef struct gt_batch {
    uint32_t struct_size;
    uint32_t token_count;
    uint32_t sequence_count;
    uint32_t threads; /* that are expected to compute it: how its work is cut, not what comes out; at least 1 */
    const int32_t *ids;       /* [token_count], each below vocabulary_size */
    const int32_t *types;     /* [token_count], each below token_type_count, or NULL: all 0 */
    const int32_t *starts;    /* [sequence_count + 1] */
    const uint32_t *outputs;  /* [sequence_count] */
    float *logits;            /* [logits_capacity], written */
    uint64_t logits_capacity; /* in floats */
} gt_batch;

/* Where time went, over all threads. */
typedef struct gt_profile {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t nanos[GT_STAGE_COUNT];
} gt_profile;

/* GT_ABI_VERSION of the library. Never fails. Any thread. */
uint32_t gt_abi_version(void);

/* The ggml release that is built in, as "0.25.1". Static text. Any thread. */
const char *gt_ggml_version(void);

/* An instruction set that the library has code for. */
typedef struct gt_cpu_info {
    uint32_t struct_size;
    uint32_t supported; /* 1: by this processor */
    uint32_t bf16;      /* 1: GT_COMPUTE_BF16 runs with it */
    char name[GT_NAME_CAPACITY];
} gt_cpu_info;

/*
 * The instruction set in use, as "avx512-vnni": the best that this processor has, or a lower one that GATUN_CPU in the
 * environment names. Static text. Any thread.
 */
const char *gt_cpu_name(void);

/* Describes instruction set index, the best first. Status: OK, ARGUMENT (there is none of that index). Any thread. */
int32_t gt_cpu_describe(uint32_t index, gt_cpu_info *info, gt_error *error);

/*
 * Multiplies int8 in registers, rounds times a few dozen instructions, and returns how many multiplications that was:
 * timed, the most that one core can do with the instruction set in use. Any thread.
 */
uint64_t gt_cpu_int8_peak(uint64_t rounds);

/*
 * Validates a whole GGUF image and tells the model's sizes. image stays the caller's; nothing of it is kept.
 * Status: OK, ARGUMENT, FORMAT, UNSUPPORTED. Any thread.
 */
int32_t gt_model_measure(const void *image, uint64_t image_size, const gt_model_params *params, gt_model_info *info,
                         gt_error *error);

/*
 * Opens a model on an image that it validates again. memory must outlive the model; image is read until the last part
 * is packed, and not after that. memory_size is at least gt_model_info.memory_bytes. On failure *model is NULL and
 * nothing is kept.
 * Status: OK, ARGUMENT, FORMAT, UNSUPPORTED, MEMORY. Any thread.
 */
int32_t gt_model_open(const void *image, uint64_t image_size, const gt_model_params *params, void *memory,
                      uint64_t memory_size, gt_model **model, gt_error *error);

/*
 * Packs part, below part_count, of the weights. Every part is packed once, by any thread, several at a time, before
 * the first session runs. Status: OK, ARGUMENT.
 */
int32_t gt_model_pack(gt_model *model, uint32_t part, gt_error *error);

/* Describes head index, below head_count. Status: OK, ARGUMENT. Any thread. */
int32_t gt_model_head(const gt_model *model, uint32_t index, gt_head_info *head, gt_error *error);

/* Ends a model whose sessions are all closed. NULL is allowed. */
void gt_model_close(gt_model *model);

/* Tells how much memory a session needs. Status: OK, ARGUMENT, MEMORY (more than 2^40 bytes). Any thread. */
int32_t gt_session_measure(const gt_model *model, const gt_session_params *params, uint64_t *memory_bytes,
                           gt_error *error);

/*
 * Opens a session in memory, which must outlive it. On failure *session is NULL and nothing is kept.
 * Status: OK, ARGUMENT, MEMORY. Any thread.
 */
int32_t gt_session_open(const gt_model *model, const gt_session_params *params, void *memory, uint64_t memory_size,
                        gt_session **session, gt_error *error);

/*
 * Runs one batch on the calling thread, and on those that join it, and writes batch->logits: the same bits whatever
 * else is in the batch and whoever joins. A failed run leaves the session usable and the logits undefined.
 * Status: OK, ARGUMENT, BATCH, INTERNAL. One thread at a time a session.
 */
int32_t gt_session_run(gt_session *session, const gt_batch *batch, gt_error *error);

/*
 * Computes a share of the batch that another thread runs just now, and returns when that batch ends: how many pieces
 * this thread computed. 0 at once when no batch runs that may be joined, or max_threads compute it already. The session
 * must not be closed before this returns. Any thread.
 */
uint64_t gt_session_join(gt_session *session);

/*
 * Tells where the time of all batches since the last call went, and measures from now on: the first call gives zeros.
 * Not while a batch runs. Not with GT_COMPUTE_GGML. Status: OK, ARGUMENT.
 */
int32_t gt_session_profile(gt_session *session, gt_profile *profile, gt_error *error);

/*
 * Computes a single stage of one layer, GT_STAGE_EMBED to GT_STAGE_DOWN, for all rows of a batch on the calling thread,
 * from whatever the last run left in the session: for benchmarks. Writes no logits. Not with GT_COMPUTE_GGML.
 * Status: OK, ARGUMENT, BATCH.
 */
int32_t gt_session_run_stage(gt_session *session, const gt_batch *batch, uint32_t stage, uint32_t layer,
                             gt_error *error);

/* Ends a session. NULL is allowed. */
void gt_session_close(gt_session *session);

#ifdef __cplusplus
}
#endif

#endif
