/* Which models are opened, what is said of them, and the sentence for each that is refused. */
#include "check.h"
#include "model_builder.h"

#include <stdlib.h>
#include <string.h>

#define LONG_TEXT (2u << 20)

static void expect(const char *what, const gtt_shape *shape, gtt_change change, int status, const char *message) {
    gtt_model *model = gtt_build(shape, change);
    gtt_opened opened;
    const int actual = gtt_open(&opened, &model->file, 4, 1);
    CHECK(actual == status && (message == NULL || strcmp(opened.error.message, message) == 0),
          "%s: status %d, expected %d: %s", what, actual, status, opened.error.message);
    CHECK((actual == GT_OK) == (opened.error.message[0] == '\0') && opened.error.status == actual, "%s: %s", what,
          opened.error.message);
    gtt_close(&opened);
    gtt_model_free(model);
}

static void opens_all_shapes(void) {
    gtt_shape shape = gtt_small_shape();
    expect("bert", &shape, NULL, GT_OK, NULL);
    shape.token_types = 0;
    expect("distilbert", &shape, NULL, GT_OK, NULL);
    shape.fused = 1;
    expect("fused", &shape, NULL, GT_OK, NULL);
    shape.foreign = 1;
    expect("foreign", &shape, NULL, GT_OK, NULL);
    shape.no_biases = 1;
    expect("no biases", &shape, NULL, GT_OK, NULL);
}

static void describes(void) {
    const gtt_shape shape = gtt_small_shape();
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_opened opened;
    gt_model_info info = {.struct_size = sizeof(info)};
    gt_head_info head = {.struct_size = sizeof(head)};
    CHECK(gtt_open(&opened, &model->file, 0, 0) == GT_OK, "%s", opened.error.message);
    const gt_model_params how = {sizeof(how), gtt_compute};
    CHECK(gt_model_measure(model->file.data, model->file.size, &how, &info, NULL) == GT_OK, "measure");
    CHECK(info.vocabulary_size == 50 && info.context_length == 40 && info.embedding_length == 64, "sizes");
    CHECK(info.layer_count == 2 && info.attention_head_count == 4 && info.feed_forward_length == 96, "sizes");
    CHECK(info.token_type_count == 2 && info.head_count == 6 && info.mask_token == GTT_MASK, "counts");
    CHECK(gt_model_head(opened.model, 2, &head, &opened.error) == GT_OK, "%s", opened.error.message);
    CHECK(strcmp(head.name, "tags") == 0 && head.task == GT_TASK_TOKEN_CLASSIFICATION && head.label_count == 2, "head");
    CHECK(head.layer_count == 2 && head.layers[0] == 1 && head.layers[1] == 2, "layers");
    CHECK(gt_model_head(opened.model, 4, &head, &opened.error) == GT_OK, "%s", opened.error.message);
    CHECK(head.task == GT_TASK_QUESTION_ANSWERING && head.label_count == 2, "answers");
    CHECK(gt_model_head(opened.model, 5, &head, &opened.error) == GT_OK, "%s", opened.error.message);
    CHECK(head.task == GT_TASK_FILL_MASK && head.label_count == 50, "words");
    CHECK(gt_model_head(opened.model, 6, &head, &opened.error) == GT_ERROR_ARGUMENT, "no seventh head");
    CHECK(strcmp(opened.error.message, "head 6 is asked for, the model has 6") == 0, "%s", opened.error.message);
    gtt_close(&opened);
    gtt_model_free(model);
}

static void needs(const char *name, const char *message) {
    const gtt_shape shape = gtt_small_shape();
    gtt_left_out = name;
    expect(name, &shape, NULL, message == NULL ? GT_OK : GT_ERROR_FORMAT, message);
    gtt_left_out = NULL;
}

static void needs_its_parts(void) {
    needs("token_embd.weight", "tensor token_embd.weight is missing");
    needs("position_embd.weight", "tensor position_embd.weight is missing");
    needs("token_types.weight", "tensor token_types.weight is missing");
    needs("token_embd_norm.bias", "tensor token_embd_norm.bias is missing");
    needs("blk.1.ffn_up.weight", "tensor blk.1.ffn_up.weight is missing");
    needs("blk.0.attn_q.weight", "tensor blk.0.attn_q.weight is missing");
    needs("blk.0.attn_q.bias", NULL);
    needs("cls.output.weight", "tensor cls.output.weight is missing");
    needs("bert.block_count", "key bert.block_count is missing");
    needs("bert.attention.layer_norm_epsilon", "key bert.attention.layer_norm_epsilon is missing");
    needs("gatun.head.1.output.weight", "key gatun.head.1.output.weight is missing");
    needs("gatun.head.1.output.bias", "key gatun.head.1.output.bias is missing");
    needs("gatun.head.1.dense.weight", "key gatun.head.1.dense.weight is missing");
    needs("gatun.head.2.output.weight", "key gatun.head.2.output.weight is missing");
    needs("gatun.head.5.dense.weight", "key gatun.head.5.dense.weight is missing");
    needs("gatun.head.5.dense.bias", "key gatun.head.5.dense.bias is missing");
    needs("gatun.head.5.norm.weight", "key gatun.head.5.norm.weight is missing");
    needs("gatun.head.5.norm.bias", "key gatun.head.5.norm.bias is missing");
    needs("gatun.head.5.output.bias", "key gatun.head.5.output.bias is missing");
    needs("tokenizer.ggml.mask_token_id", "key tokenizer.ggml.mask_token_id is missing");
}

static void twice_a_key(gtt_image *image) {
    gtt_key_u32(image, "bert.block_count", 2);
}

static void twice_a_tensor(gtt_image *image) {
    const float zeros[64] = {0};
    gtt_tensor(image, "token_embd_norm.bias", 0, 64, 0, zeros, sizeof(zeros));
}

static void misshapen(gtt_image *image) {
    static const float zeros[64 * 95] = {0};
    gtt_tensor(image, "blk.1.ffn_up.weight", 0, 64, 95, zeros, sizeof(zeros));
}

static void half_norm(gtt_image *image) {
    const uint16_t zeros[64] = {0};
    gtt_tensor(image, "token_embd_norm.bias", 1, 64, 0, zeros, sizeof(zeros));
}

static void negative_epsilon(gtt_image *image) {
    gtt_key_f32(image, "bert.attention.layer_norm_epsilon", -1e-12f);
}

static void zero_epsilon(gtt_image *image) {
    gtt_key_f32(image, "bert.attention.layer_norm_epsilon", 0.0f);
}

static void large_epsilon(gtt_image *image) {
    gtt_key_f32(image, "bert.attention.layer_norm_epsilon", 1.5f);
}

static void nan_epsilon(gtt_image *image) {
    gtt_key_f32(image, "bert.attention.layer_norm_epsilon", 0.0f / 0.0f);
}

static void unknown_key(gtt_image *image) {
    gtt_key_text(image, "some.other.key", "is ignored");
}

/* A whole tokenizer.json, which some converters put among the keys. */
static void long_text(gtt_image *image) {
    char *text = malloc(LONG_TEXT + 1);
    memset(text, 'x', LONG_TEXT);
    text[LONG_TEXT] = '\0';
    gtt_key_text(image, "tokenizer.huggingface.json", text);
    free(text);
}

static void refuses_contradictions(void) {
    gtt_shape shape = gtt_small_shape();
    expect("twice a key", &shape, twice_a_key, GT_ERROR_FORMAT, "key bert.block_count is in the file twice");
    expect("twice a tensor", &shape, twice_a_tensor, GT_ERROR_FORMAT,
           "tensor token_embd_norm.bias is in the file twice");
    expect("another key", &shape, unknown_key, GT_OK, NULL);
    expect("2 MiB of text", &shape, long_text, GT_OK, NULL);
    gtt_left_out = "blk.1.ffn_up.weight";
    expect("shape", &shape, misshapen, GT_ERROR_FORMAT, "tensor blk.1.ffn_up.weight has shape 64x95, expected 64x96");
    gtt_left_out = "token_embd_norm.bias";
    expect("F16 norm", &shape, half_norm, GT_ERROR_UNSUPPORTED, "tensor token_embd_norm.bias is F16, expected F32");
    gtt_left_out = "bert.attention.layer_norm_epsilon";
    expect("negative epsilon", &shape, negative_epsilon, GT_ERROR_FORMAT, NULL);
    expect("zero epsilon", &shape, zero_epsilon, GT_ERROR_FORMAT,
           "key bert.attention.layer_norm_epsilon is 0, expected a number above 0 and up to 1");
    expect("large epsilon", &shape, large_epsilon, GT_ERROR_FORMAT,
           "key bert.attention.layer_norm_epsilon is 1.5, expected a number above 0 and up to 1");
    expect("NaN epsilon", &shape, nan_epsilon, GT_ERROR_FORMAT,
           "key bert.attention.layer_norm_epsilon is not a finite number");
    gtt_left_out = NULL;
    shape.attention_heads = 3;
    expect("heads", &shape, NULL, GT_ERROR_FORMAT, "key bert.embedding_length, 64, is no multiple of the 3 heads");
    shape = gtt_small_shape();
    shape.activation = "swish";
    expect("activation", &shape, NULL, GT_ERROR_UNSUPPORTED,
           "key gatun.activation is swish, expected gelu_erf, gelu_tanh or relu");
}

static void far_mask(gtt_image *image) {
    gtt_key_u32(image, "tokenizer.ggml.mask_token_id", 50);
}

static void short_bias(gtt_image *image) {
    const float zeros[49] = {0};
    gtt_key_f32s(image, "gatun.head.5.output.bias", zeros, 49);
}

static void labelled_masks(gtt_image *image) {
    gtt_key_texts(image, "gatun.head.5.labels", 50);
}

static void three_labels(gtt_image *image) {
    gtt_key_texts(image, "gatun.head.4.labels", 3);
}

static void two_layers(gtt_image *image) {
    const uint32_t layers[] = {1, 2};
    gtt_key_u32s(image, "gatun.head.5.layers", layers, 2);
}

static void refuses_wrong_heads(void) {
    const gtt_shape shape = gtt_small_shape();
    expect("labels of masks", &shape, labelled_masks, GT_ERROR_FORMAT,
           "key gatun.head.5.labels is there, but a head that fills masks answers with the vocabulary");
    gtt_left_out = "tokenizer.ggml.mask_token_id";
    expect("mask token", &shape, far_mask, GT_ERROR_FORMAT,
           "key tokenizer.ggml.mask_token_id is 50, expected a number from 0 to 49");
    gtt_left_out = "gatun.head.5.output.bias";
    expect("bias", &shape, short_bias, GT_ERROR_FORMAT, "key gatun.head.5.output.bias has 49 elements, expected 50 to 50");
    gtt_left_out = "gatun.head.4.labels";
    expect("three labels", &shape, three_labels, GT_ERROR_FORMAT,
           "key gatun.head.4.labels has 3 labels, a head that answers questions has 2");
    gtt_left_out = "gatun.head.5.layers";
    expect("two layers", &shape, two_layers, GT_ERROR_FORMAT,
           "head words fills masks and reads 2 layers, expected one");
    gtt_left_out = NULL;
}

static void changed_text(const char *from, const char *to, int status, const char *message) {
    const gtt_shape shape = gtt_small_shape();
    gtt_model *model = gtt_build(&shape, NULL);
    gtt_opened opened;
    uint8_t *at = memmem(model->file.data, model->metadata, from, strlen(from));
    CHECK(at != NULL, "%s is not in the file", from);
    memcpy(at, to, strlen(to));
    const int actual = gtt_open(&opened, &model->file, 0, 0);
    CHECK(actual == status && strcmp(opened.error.message, message) == 0, "%s: %d %s", to, actual,
          opened.error.message);
    gtt_close(&opened);
    gtt_model_free(model);
}

static void refuses_other_models(void) {
    changed_text("bert", "gpt2", GT_ERROR_UNSUPPORTED, "the model's architecture is gpt2, this kernel runs bert");
    changed_text("sentiment", "Sentiment", GT_ERROR_FORMAT,
                 "key gatun.head.0.name is not a name of 1 to 63 characters of a-z0-9_-");
    changed_text("text-class", "next-class", GT_ERROR_UNSUPPORTED,
                 "key gatun.head.0.task is next-classification, a task that this kernel does not do");
    changed_text("gatun.head_count", "gatun.head_\n\x01unt", GT_OK, "");
}

void gtt_model_suite(void) {
    opens_all_shapes();
    describes();
    needs_its_parts();
    refuses_contradictions();
    refuses_wrong_heads();
    refuses_other_models();
}
