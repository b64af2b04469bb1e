/* Every rule of the header that a caller can break: the status and the sentence. */
#include "check.h"
#include "model_builder.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS 16
#define SEQUENCES 3

typedef struct fixture {
    gtt_model *model;
    gtt_opened opened;
    int32_t ids[TOKENS + 1];
    int32_t types[TOKENS + 1];
    int32_t starts[SEQUENCES + 2];
    uint32_t outputs[SEQUENCES + 1];
    float logits[512];
    gt_batch batch;
} fixture;

/* Two sequences of 3 and 2 tokens that want the first head. */
static void reset(fixture *f) {
    for (int i = 0; i <= TOKENS; i++) {
        f->ids[i] = i;
        f->types[i] = i % 2;
    }
    memcpy(f->starts, (int32_t[]){0, 3, 5, 0, 0}, sizeof(f->starts));
    memcpy(f->outputs, (uint32_t[]){1, 1, 0, 0}, sizeof(f->outputs));
    f->batch = (gt_batch){sizeof(gt_batch), 5, 2, 1, f->ids, f->types, f->starts, f->outputs, f->logits, 512};
}

/* Runs the batch, expects that status and sentence, and that the session still runs a sound batch afterwards. */
static void expect(fixture *f, int status, const char *message) {
    const int actual = gt_session_run(f->opened.session, &f->batch, &f->opened.error);
    CHECK(actual == status && f->opened.error.status == status, "status %d, expected %d", actual, status);
    CHECK(strcmp(f->opened.error.message, message) == 0, "%s, expected %s", f->opened.error.message, message);
    reset(f);
    CHECK(gt_session_run(f->opened.session, &f->batch, NULL) == GT_OK, "unusable after: %s", message);
}

static void checks_counts(fixture *f) {
    f->batch.token_count = 0;
    expect(f, GT_ERROR_BATCH, "the batch has 0 tokens, the session runs 1 to 16");
    f->batch.token_count = TOKENS + 1;
    expect(f, GT_ERROR_BATCH, "the batch has 17 tokens, the session runs 1 to 16");
    f->batch.sequence_count = 0;
    expect(f, GT_ERROR_BATCH, "the batch has 0 sequences, the session runs 1 to 3");
    f->batch.sequence_count = 4;
    expect(f, GT_ERROR_BATCH, "the batch has 4 sequences, the session runs 1 to 3");
    f->batch.logits_capacity = 5;
    expect(f, GT_ERROR_BATCH, "sequence 1 ends at 6 logits, logits_capacity is 5");
    f->ids[1] = GTT_MASK; /* and ids[2] is one, too */
    f->outputs[0] = 32;
    f->batch.logits_capacity = 2 * 50 - 1;
    expect(f, GT_ERROR_BATCH, "sequence 0 ends at 100 logits, logits_capacity is 99");
    f->outputs[1] = GT_OUTPUT_STATES;
    f->batch.logits_capacity = 3 + 2 * 64 - 1;
    expect(f, GT_ERROR_BATCH, "sequence 1 ends at 131 logits, logits_capacity is 130");
}

static void checks_threads(fixture *f) {
    f->batch.threads = 0;
    expect(f, GT_ERROR_ARGUMENT, "threads of the batch is 0, expected at least 1");
    f->batch.threads = UINT32_MAX; /* nobody comes: the one that runs computes all */
    expect(f, GT_OK, "");
    CHECK(gt_session_join(f->opened.session) == 0 && gt_session_join(NULL) == 0, "joined what does not run");
}

static void checks_starts(fixture *f) {
    f->starts[0] = 1;
    expect(f, GT_ERROR_BATCH, "sequence 0 starts at token 1, expected 0");
    f->starts[1] = 0;
    expect(f, GT_ERROR_BATCH, "sequence 0 goes from token 0 to 0 of 5, expected a length of 1 to 12");
    f->starts[1] = -1;
    expect(f, GT_ERROR_BATCH, "sequence 0 goes from token 0 to -1 of 5, expected a length of 1 to 12");
    f->starts[1] = 6;
    expect(f, GT_ERROR_BATCH, "sequence 0 goes from token 0 to 6 of 5, expected a length of 1 to 12");
    f->starts[1] = INT32_MIN;
    expect(f, GT_ERROR_BATCH, "sequence 0 goes from token 0 to -2147483648 of 5, expected a length of 1 to 12");
    f->starts[2] = 4;
    expect(f, GT_ERROR_BATCH, "sequence 1 ends at token 4, the batch has 5");
    f->batch.token_count = 16;
    f->starts[1] = 13;
    f->starts[2] = 16;
    expect(f, GT_ERROR_BATCH, "sequence 0 goes from token 0 to 13 of 16, expected a length of 1 to 12");
}

static void checks_tokens(fixture *f) {
    f->ids[4] = 50;
    expect(f, GT_ERROR_BATCH, "sequence 1 has token id 50 at position 1, expected 0 to 49");
    f->ids[0] = -1;
    expect(f, GT_ERROR_BATCH, "sequence 0 has token id -1 at position 0, expected 0 to 49");
    f->ids[0] = INT32_MIN;
    expect(f, GT_ERROR_BATCH, "sequence 0 has token id -2147483648 at position 0, expected 0 to 49");
    f->types[2] = 2;
    expect(f, GT_ERROR_BATCH, "sequence 0 has token type 2 at position 2, expected 0 to 1");
    f->types[3] = -1;
    expect(f, GT_ERROR_BATCH, "sequence 1 has token type -1 at position 0, expected 0 to 1");
    f->outputs[1] = 64;
    expect(f, GT_ERROR_BATCH, "sequence 1 wants outputs 0x40, the model has 6 heads");
}

static void checks_pointers(fixture *f) {
    const char *null = "ids, starts, outputs or logits of the batch is NULL";
    f->batch.ids = NULL;
    expect(f, GT_ERROR_ARGUMENT, null);
    f->batch.starts = NULL;
    expect(f, GT_ERROR_ARGUMENT, null);
    f->batch.outputs = NULL;
    expect(f, GT_ERROR_ARGUMENT, null);
    f->batch.logits = NULL;
    expect(f, GT_ERROR_ARGUMENT, null);
    f->batch.types = NULL;
    expect(f, GT_OK, "");
    f->batch.struct_size++;
    expect(f, GT_ERROR_ARGUMENT, "session or batch is NULL, or the batch's struct_size is not 64");
    CHECK(gt_session_run(NULL, &f->batch, &f->opened.error) == GT_ERROR_ARGUMENT, "no session");
    CHECK(gt_session_run(f->opened.session, NULL, &f->opened.error) == GT_ERROR_ARGUMENT, "no batch");
    gt_error other = {.struct_size = 8, .status = 77};
    CHECK(gt_session_run(f->opened.session, &f->batch, &other) == GT_ERROR_ARGUMENT && other.status == 77,
          "wrote to an error of another size");
    memset(f->outputs, 0, sizeof(f->outputs));
    expect(f, GT_OK, "");
}

static void checks_session_params(fixture *f) {
    gt_session_params params = {sizeof(params), 8, 2, 1};
    gt_session *session = NULL;
    gt_error *error = &f->opened.error;
    uint64_t bytes = 0;
    gt_model *model = f->opened.model;
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_OK && bytes > 0, "%s", error->message);
    uint8_t *memory = aligned_alloc(64, bytes + 64);
    CHECK(gt_session_open(model, &params, memory, bytes - 1, &session, error) == GT_ERROR_MEMORY, "too little memory");
    CHECK(gt_session_open(model, &params, memory + 1, bytes, &session, error) == GT_ERROR_ARGUMENT, "not aligned");
    CHECK(gt_session_open(model, &params, NULL, bytes, &session, error) == GT_ERROR_ARGUMENT, "no memory");
    CHECK(gt_session_open(model, &params, memory, bytes, NULL, error) == GT_ERROR_ARGUMENT, "no place");
    CHECK(gt_session_open(NULL, &params, memory, bytes, &session, error) == GT_ERROR_ARGUMENT, "no model");
    CHECK(session == NULL, "a session in spite of errors");
    free(memory);
    CHECK(gt_session_measure(model, NULL, &bytes, error) == GT_ERROR_ARGUMENT, "no params");
    CHECK(gt_session_measure(model, &params, NULL, error) == GT_ERROR_ARGUMENT, "no place for the size");
    params.struct_size = 0;
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_ARGUMENT, "struct_size");
    params = (gt_session_params){sizeof(params), 0, 0, 1};
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_ARGUMENT, "no tokens");
    params = (gt_session_params){sizeof(params), 8, 9, 1};
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_ARGUMENT, "more sequences than tokens");
    params = (gt_session_params){sizeof(params), 8, 2, 0};
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_ARGUMENT, "no threads");
    params = (gt_session_params){sizeof(params), 8, 2, 513};
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_ARGUMENT, "too many threads");
    params = (gt_session_params){sizeof(params), UINT32_MAX, 1, 1};
    CHECK(gt_session_measure(model, &params, &bytes, error) == GT_ERROR_MEMORY, "more than 2^40 bytes");
    CHECK(strstr(error->message, "more than 2^40") != NULL, "%s", error->message);
}

static void checks_model_arguments(fixture *f) {
    gt_model_info info = {.struct_size = sizeof(info)};
    gt_head_info head = {.struct_size = sizeof(head)};
    gt_model_params how = {sizeof(how), gtt_compute};
    gt_model *model = f->opened.model;
    gt_error *error = &f->opened.error;
    const gtt_bytes *file = &f->model->file;
    CHECK(gt_model_measure(NULL, 100, &how, &info, error) == GT_ERROR_ARGUMENT, "no image");
    CHECK(gt_model_measure(file->data + 8, file->size - 8, &how, &info, error) == GT_ERROR_ARGUMENT, "not aligned");
    CHECK(gt_model_measure(file->data, UINT64_MAX, &how, &info, error) == GT_ERROR_ARGUMENT, "size");
    CHECK(gt_model_measure(file->data, 0, &how, &info, error) == GT_ERROR_FORMAT, "empty");
    CHECK(gt_model_measure(file->data, file->size, &how, NULL, error) == GT_ERROR_ARGUMENT, "no info");
    CHECK(gt_model_measure(file->data, file->size, &how, &info, error) == GT_OK, "%s", error->message);
    uint8_t *memory = aligned_alloc(64, info.memory_bytes);
    gt_model *opened = model;
    CHECK(gt_model_open(file->data, file->size, &how, memory, info.memory_bytes - 1, &opened, error) == GT_ERROR_MEMORY,
          "too little memory");
    CHECK(opened == NULL, "*model after a failure");
    CHECK(gt_model_open(file->data, file->size, &how, memory, info.memory_bytes, NULL, error) == GT_ERROR_ARGUMENT, "place");
    CHECK(gt_model_open(file->data, file->size, &how, NULL, info.memory_bytes, &opened, error) == GT_ERROR_ARGUMENT, "NULL");
    free(memory);
    info.struct_size = 1;
    CHECK(gt_model_measure(file->data, file->size, &how, &info, error) == GT_ERROR_ARGUMENT, "struct_size");
    CHECK(gt_model_head(NULL, 0, &head, error) == GT_ERROR_ARGUMENT, "no model");
    CHECK(gt_model_head(model, 0, NULL, error) == GT_ERROR_ARGUMENT, "no head");
    head.struct_size = 0;
    CHECK(gt_model_head(model, 0, &head, error) == GT_ERROR_ARGUMENT, "struct_size");
    gt_model_close(NULL);
    gt_session_close(NULL);
    CHECK(gt_abi_version() == GT_ABI_VERSION, "ABI");
    CHECK(strcmp(gt_ggml_version(), "0.25.1") == 0, "%s", gt_ggml_version());
    CHECK(strlen(gt_cpu_name()) > 0, "no name");
}

void gtt_session_suite(void) {
    gtt_shape shape = gtt_small_shape();
    shape.context = 12;
    fixture *f = calloc(1, sizeof(*f));
    f->model = gtt_build(&shape, NULL);
    CHECK(gtt_open(&f->opened, &f->model->file, TOKENS, SEQUENCES) == GT_OK, "%s", f->opened.error.message);
    reset(f);
    checks_counts(f);
    checks_threads(f);
    checks_starts(f);
    checks_tokens(f);
    checks_pointers(f);
    checks_session_params(f);
    checks_model_arguments(f);
    gtt_close(&f->opened);
    gtt_model_free(f->model);
    free(f);
}
