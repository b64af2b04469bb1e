/* The GGUF reader alone, on hand-made images. */
#include "check.h"
#include "image.h"

#include "gguf.h"
#include "keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static gtt_bytes sample(size_t *metadata) {
    gtt_image image = {{0}, {0}, {0}, 0, 0};
    const float floats[4] = {1, 2, 3, 4};
    const uint32_t numbers[3] = {7, 8, 9};
    gtt_key_u32(&image, "a.number", 12);
    gtt_key_f32(&image, "a.float", 0.5f);
    gtt_key_bool(&image, "a.bool", 1);
    gtt_key_text(&image, "a.text", "hello");
    gtt_key_text(&image, "a.empty", "");
    gtt_key_texts(&image, "a.texts", 100);
    gtt_key_u32s(&image, "a.numbers", numbers, 3);
    gtt_key_u32(&image, "twice", 1);
    gtt_key_u32(&image, "twice", 1);
    gtt_key_f32(&image, "a.nan", NAN);
    gtt_tensor(&image, "t.first", 0, 4, 0, floats, sizeof(floats));
    gtt_tensor(&image, "t.second", 0, 2, 2, floats, sizeof(floats));
    return gtt_finish(&image, metadata);
}

static void reads_values(const gti_gguf *gguf, gt_error *error) {
    uint32_t number = 0;
    float real = 0;
    bool yes = false, found = false;
    gti_text text = {NULL, 0};
    gti_value value;
    CHECK(gti_need_u32(gguf, "a.number", 1, 20, &number, error) == GT_OK && number == 12, "%s", error->message);
    CHECK(gti_need_u32(gguf, "a.number", 13, 20, &number, error) == GT_ERROR_FORMAT, "below its least");
    CHECK(gti_need_u32(gguf, "a.missing", 0, 20, &number, error) == GT_ERROR_FORMAT, "missing");
    CHECK(gti_need_u32(gguf, "a.text", 0, 20, &number, error) == GT_ERROR_FORMAT, "a text");
    CHECK(gti_need_u32(gguf, "twice", 0, 20, &number, error) == GT_ERROR_FORMAT, "there twice");
    CHECK(strcmp(error->message, "key twice is in the file twice") == 0, "%s", error->message);
    CHECK(gti_key_f32(gguf, "a.float", &real, &found, error) == GT_OK && found && real == 0.5f, "%g", (double)real);
    CHECK(gti_key_f32(gguf, "a.nan", &real, &found, error) == GT_ERROR_FORMAT, "NaN");
    CHECK(gti_key_bool(gguf, "a.bool", &yes, &found, error) == GT_OK && yes, "bool");
    CHECK(gti_key_text(gguf, "a.text", &text, &found, error) == GT_OK && gti_text_is(text, "hello"), "text");
    CHECK(gti_key_text(gguf, "a.empty", &text, &found, error) == GT_OK && found && text.length == 0, "empty text");
    CHECK(gti_key_text(gguf, "a.none", &text, &found, error) == GT_OK && !found, "no text");
    CHECK(gti_key_array(gguf, "a.texts", GTI_GGUF_STRING, 1, 100, &value, error) == GT_OK && value.count == 100,
          "%llu texts", (unsigned long long)value.count);
    CHECK(gti_key_array(gguf, "a.texts", GTI_GGUF_STRING, 1, 99, &value, error) == GT_ERROR_FORMAT, "too many");
    CHECK(gti_key_array(gguf, "a.numbers", GTI_GGUF_U32, 3, 3, &value, error) == GT_OK
              && gti_read_u32(value.data + 8) == 9,
          "numbers");
    CHECK(gti_key_array(gguf, "a.numbers", GTI_GGUF_F32, 3, 3, &value, error) == GT_ERROR_FORMAT, "another type");
}

static void reads_tensors(const gti_gguf *gguf, gt_error *error) {
    gti_tensor tensor;
    CHECK(gti_gguf_tensor(gguf, "t.second", &tensor, error) == GT_OK && tensor.data != NULL, "%s", error->message);
    CHECK(tensor.shape[0] == 2 && tensor.shape[1] == 2 && tensor.bytes == 16, "shape");
    CHECK(memcmp(tensor.data + 12, &(float){4}, 4) == 0, "data");
    CHECK(gti_gguf_tensor(gguf, "t.third", &tensor, error) == GT_OK && tensor.data == NULL, "no such tensor");
}

/* Every shorter file is refused, and not one byte behind its end is read (the block is exactly that long). */
static void refuses_truncation(const gtt_bytes *file, gt_error *error) {
    for (size_t size = 0; size < file->size; size++) {
        uint8_t *cut = malloc(size + 1);
        gti_gguf gguf;
        uint8_t *exact = realloc(cut, size == 0 ? 1 : size);
        memcpy(exact, file->data, size);
        CHECK(gti_gguf_open(&gguf, exact, size, error) == GT_ERROR_FORMAT, "accepted %zu of %zu bytes", size,
              file->size);
        free(exact);
    }
}

static void refuses(const char *what, int32_t expected, const gtt_bytes *file, size_t at, uint64_t value,
                    size_t width) {
    gt_error error = {.struct_size = sizeof(error)};
    gti_gguf gguf;
    uint64_t before = 0;
    memcpy(&before, file->data + at, width);
    memcpy(file->data + at, &value, width);
    const int32_t status = gti_gguf_open(&gguf, file->data, file->size, &error);
    CHECK(status == expected && (status == GT_OK || error.message[0] != '\0'), "%s: status %d, %s", what, status,
          error.message);
    memcpy(file->data + at, &before, width);
}

static void refuses_headers(const gtt_bytes *file) {
    refuses("magic", GT_ERROR_FORMAT, file, 0, 0x47475546, 4);
    refuses("version 1", GT_ERROR_UNSUPPORTED, file, 4, 1, 4);
    refuses("version 2", GT_OK, file, 4, 2, 4);
    refuses("version 4", GT_ERROR_UNSUPPORTED, file, 4, 4, 4);
    refuses("big endian", GT_ERROR_UNSUPPORTED, file, 4, 3u << 24, 4);
    refuses("2^63 tensors", GT_ERROR_FORMAT, file, 8, 1ull << 63, 8);
    refuses("one tensor too many", GT_ERROR_FORMAT, file, 8, 3, 8);
    refuses("2^32 keys", GT_ERROR_FORMAT, file, 16, 1ull << 32, 8);
    refuses("4096 keys", GT_ERROR_FORMAT, file, 16, 4096, 8);
    refuses("4097 keys", GT_ERROR_FORMAT, file, 16, 4097, 8);
    refuses("a key of 2^64-1 bytes", GT_ERROR_FORMAT, file, 24, UINT64_MAX, 8);
    refuses("a key of 2^63 bytes", GT_ERROR_FORMAT, file, 24, 1ull << 63, 8);
}

/* Offsets of the first tensor's description, from the end of its name on. */
static void refuses_tensors(const gtt_bytes *file, size_t metadata) {
    const size_t second = metadata - (8 + 8 + 4 + 16 + 4 + 8);
    const size_t first = second - (8 + 7 + 4 + 8 + 4 + 8);
    const size_t dimensions = first + 8 + 7;
    refuses("no dimension", GT_ERROR_FORMAT, file, dimensions, 0, 4);
    refuses("five dimensions", GT_ERROR_FORMAT, file, dimensions, 5, 4);
    refuses("an empty dimension", GT_ERROR_FORMAT, file, dimensions + 4, 0, 8);
    refuses("2^62 elements", GT_ERROR_FORMAT, file, dimensions + 4, 1ull << 62, 8);
    refuses("more than the file", GT_ERROR_FORMAT, file, dimensions + 4, 1000, 8);
    refuses("over the next tensor", GT_ERROR_FORMAT, file, dimensions + 4, 9, 8);
    refuses("type 4, which was removed", GT_ERROR_UNSUPPORTED, file, dimensions + 12, 4, 4);
    refuses("type 2^32-1", GT_ERROR_UNSUPPORTED, file, dimensions + 12, UINT32_MAX, 4);
    refuses("a part of a block", GT_ERROR_FORMAT, file, dimensions + 12, 8, 4);
    refuses("an odd offset", GT_ERROR_FORMAT, file, dimensions + 16, 1, 8);
    refuses("an offset behind the file", GT_ERROR_FORMAT, file, second + 8 + 8 + 4 + 16 + 4, 1ull << 40, 8);
    refuses("an offset that wraps", GT_ERROR_FORMAT, file, second + 8 + 8 + 4 + 16 + 4, UINT64_MAX - 31, 8);
}

static void checks_alignment(void) {
    const struct {
        uint32_t alignment;
        int32_t status;
    } cases[] = {{32, GT_OK}, {8, GT_OK}, {0, GT_ERROR_FORMAT}, {33, GT_ERROR_FORMAT}, {1u << 31, GT_ERROR_FORMAT}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gtt_image image = {{0}, {0}, {0}, 0, 0};
        gt_error error = {.struct_size = sizeof(error)};
        gti_gguf gguf;
        size_t metadata;
        gtt_key_u32(&image, "general.alignment", cases[i].alignment);
        gtt_bytes file = gtt_finish(&image, &metadata);
        const int32_t status = gti_gguf_open(&gguf, file.data, file.size, &error);
        CHECK(status == cases[i].status, "alignment %u: %d", cases[i].alignment, status);
        gtt_free(&file);
    }
}

/* A text of 2 MiB is read whole, and so is what stands behind it. */
static void reads_long_texts(gt_error *error) {
    const size_t length = 2u << 20;
    gtt_image image = {{0}, {0}, {0}, 0, 0};
    gti_text text = {NULL, 0};
    gti_gguf gguf;
    uint32_t number = 0;
    bool found = false;
    size_t metadata;
    char *long_text = malloc(length + 1);
    memset(long_text, 'x', length);
    long_text[length] = '\0';
    gtt_key_text(&image, "a.long", long_text);
    gtt_key_u32(&image, "a.number", 12);
    gtt_bytes file = gtt_finish(&image, &metadata);
    CHECK(gti_gguf_open(&gguf, file.data, file.size, error) == GT_OK, "%s", error->message);
    CHECK(gti_key_text(&gguf, "a.long", &text, &found, error) == GT_OK && gti_text_is(text, long_text), "%s",
          error->message);
    CHECK(gti_need_u32(&gguf, "a.number", 1, 20, &number, error) == GT_OK && number == 12, "%s", error->message);
    gtt_free(&file);
    free(long_text);
}

void gtt_gguf_suite(void) {
    gt_error error = {.struct_size = sizeof(error)};
    gti_gguf gguf;
    size_t metadata;
    gtt_bytes file = sample(&metadata);
    CHECK(gti_gguf_open(&gguf, file.data, file.size, &error) == GT_OK, "%s", error.message);
    reads_values(&gguf, &error);
    reads_tensors(&gguf, &error);
    refuses_truncation(&file, &error);
    refuses_headers(&file);
    refuses_tensors(&file, metadata);
    checks_alignment();
    reads_long_texts(&error);
    gtt_free(&file);
}
