/*
 * A small model cut off anywhere and with any one bit of its metadata flipped: it opens and runs, or is refused with a
 * sentence. Under the sanitizers this shows that nothing outside the image is read.
 */
#include "check.h"
#include "model_builder.h"

#include <stdlib.h>
#include <string.h>

/* A copy in a block of exactly its size, so that AddressSanitizer sees one byte too many. */
static gtt_bytes exact(const gtt_bytes *file, size_t size) {
    gtt_bytes copy = {NULL, size, size};
    void *block = NULL;
    if (posix_memalign(&block, 64, size == 0 ? 1 : size) != 0) {
        abort();
    }
    memcpy(block, file->data, size);
    copy.data = block;
    return copy;
}

/* How many heads the model has, so that all can be asked for. */
static uint32_t all_heads(const gt_model *model) {
    gt_head_info head = {.struct_size = sizeof(head)};
    uint32_t count = 0;
    while (gt_model_head(model, count, &head, NULL) == GT_OK) {
        count++;
    }
    return (uint32_t)((1ull << count) - 1);
}

/* Opens and runs every head; the status of the first call that failed. */
static int try_model(const gtt_bytes *file) {
    const int32_t ids[4] = {0, 1, 2, 3};
    const int32_t starts[3] = {0, 3, 4};
    float logits[512];
    gtt_opened opened;
    int status = gtt_open(&opened, file, 4, 2);
    if (status == GT_OK) {
        const uint32_t outputs[2] = {all_heads(opened.model), GT_OUTPUT_STATES};
        gt_batch batch = {sizeof(batch), 4, 2, 1, ids, NULL, starts, outputs, logits, 512};
        status = gt_session_run(opened.session, &batch, &opened.error);
    }
    CHECK(status == GT_OK || (opened.error.message[0] != '\0' && opened.error.status == status), "no sentence");
    CHECK(strchr(opened.error.message, '\n') == NULL, "%s", opened.error.message);
    gtt_close(&opened);
    return status;
}

/* The next byte behind at, in front of the data, that is not one of many numbers in a row: those are worth a sample. */
static size_t next_byte(const gtt_model *model, size_t at) {
    static const char many[] = "gatun.head.5.dense.weight";
    const size_t bytes = (size_t)model->shape.width * model->shape.width * sizeof(float);
    const uint8_t *key = memmem(model->file.data, model->metadata, many, strlen(many));
    if (key == NULL) {
        return at + 1;
    }
    /* Behind the key are the types of the value and of its elements, and their count. */
    const size_t first = (size_t)(key - model->file.data) + strlen(many) + 16;
    return at + (at >= first && at + 97 < first + bytes ? 97 : 1);
}

static void survives_truncation(const gtt_model *model) {
    const size_t step = model->file.size / 4000 + 1;
    for (size_t size = 0; size < model->file.size; size = size < model->metadata ? next_byte(model, size) : size + step) {
        gtt_bytes cut = exact(&model->file, size);
        CHECK(try_model(&cut) == GT_ERROR_FORMAT, "accepted %zu of %zu bytes", size, model->file.size);
        gtt_free(&cut);
    }
}

/* Flips every step-th bit in front of the data. */
static void survives_flips(gtt_model *model, size_t step) {
    gtt_bytes copy = exact(&model->file, model->file.size);
    int opened = 0;
    for (size_t at = 0, bit = 0; at < model->metadata; at = next_byte(model, at)) {
        for (; bit < 8; bit += step) {
            copy.data[at] ^= (uint8_t)(1 << bit);
            opened += try_model(&copy) == GT_OK;
            copy.data[at] ^= (uint8_t)(1 << bit);
        }
        bit -= 8;
    }
    CHECK(opened > 0, "none of %zu bytes' flips opened", model->metadata);
    gtt_free(&copy);
}

/* Any bits at all are numbers: whatever stands in the data section, the model runs. */
static void survives_any_data(gtt_model *model) {
    gtt_bytes copy = exact(&model->file, model->file.size);
    uint64_t seed = 7;
    for (int round = 0; round < 20; round++) {
        for (size_t i = model->metadata + 32; i < copy.size; i++) {
            seed = seed * 6364136223846793005ull + 1;
            copy.data[i] = round == 0 ? 0xff : (uint8_t)(seed >> 56);
        }
        CHECK(try_model(&copy) == GT_OK, "round %d", round);
    }
    gtt_free(&copy);
}

void gtt_damage_suite(void) {
    gtt_shape shape = {.layers = 1, .width = 32, .attention_heads = 2, .feed_forward = 32, .vocabulary = 4,
                       .context = 4, .token_types = 0, .type = 0, .activation = "gelu_erf"};
    static const uint32_t types[] = {0, 1, 2, 3, 6, 7, 8, 20, 30};
    gtt_model *model = gtt_build(&shape, NULL);
    survives_truncation(model);
    survives_flips(model, 1);
    gtt_model_free(model);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        shape.type = types[i];
        model = gtt_build(&shape, NULL);
        survives_any_data(model);
        gtt_model_free(model);
    }
    shape.fused = 1;
    shape.token_types = 2;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        shape.type = types[i];
        shape.foreign = i % 2 == 1;
        model = gtt_build(&shape, NULL);
        survives_truncation(model);
        survives_flips(model, 11);
        survives_any_data(model);
        gtt_model_free(model);
    }
    shape.foreign = 0;
    shape.width = 256;
    shape.feed_forward = 256;
    for (uint32_t type = 10; type <= 14; type++) {
        shape.type = type;
        model = gtt_build(&shape, NULL);
        survives_any_data(model);
        gtt_model_free(model);
    }
}
