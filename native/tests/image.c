#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gtt_put(gtt_bytes *bytes, const void *data, size_t size) {
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = (bytes->size + size) * 2 + 64;
        bytes->capacity = (bytes->capacity + 63) / 64 * 64;
        uint8_t *grown = aligned_alloc(64, bytes->capacity);
        if (bytes->size > 0) {
            memcpy(grown, bytes->data, bytes->size);
        }
        free(bytes->data);
        bytes->data = grown;
    }
    if (size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
    }
    bytes->size += size;
}

void gtt_put_u32(gtt_bytes *bytes, uint32_t value) {
    gtt_put(bytes, &value, sizeof(value));
}

void gtt_put_u64(gtt_bytes *bytes, uint64_t value) {
    gtt_put(bytes, &value, sizeof(value));
}

void gtt_put_text(gtt_bytes *bytes, const char *text) {
    gtt_put_u64(bytes, strlen(text));
    gtt_put(bytes, text, strlen(text));
}

void gtt_pad(gtt_bytes *bytes, size_t alignment) {
    static const uint8_t zero = 0;
    while (bytes->size % alignment != 0) {
        gtt_put(bytes, &zero, 1);
    }
}

void gtt_free(gtt_bytes *bytes) {
    free(bytes->data);
    memset(bytes, 0, sizeof(*bytes));
}

static void begin_key(gtt_image *image, const char *key, uint32_t type) {
    gtt_put_text(&image->keys, key);
    gtt_put_u32(&image->keys, type);
    image->key_count++;
}

static void begin_array(gtt_image *image, const char *key, uint32_t type, uint64_t count) {
    begin_key(image, key, 9);
    gtt_put_u32(&image->keys, type);
    gtt_put_u64(&image->keys, count);
}

void gtt_key_u32(gtt_image *image, const char *key, uint32_t value) {
    begin_key(image, key, 4);
    gtt_put_u32(&image->keys, value);
}

void gtt_key_f32(gtt_image *image, const char *key, float value) {
    begin_key(image, key, 6);
    gtt_put(&image->keys, &value, sizeof(value));
}

void gtt_key_bool(gtt_image *image, const char *key, int value) {
    const uint8_t byte = value != 0;
    begin_key(image, key, 7);
    gtt_put(&image->keys, &byte, 1);
}

void gtt_key_text(gtt_image *image, const char *key, const char *value) {
    begin_key(image, key, 8);
    gtt_put_text(&image->keys, value);
}

void gtt_key_texts(gtt_image *image, const char *key, uint64_t count) {
    char text[32];
    begin_array(image, key, 8, count);
    for (uint64_t i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "t%llu", (unsigned long long)i);
        gtt_put_text(&image->keys, text);
    }
}

void gtt_key_u32s(gtt_image *image, const char *key, const uint32_t *values, uint64_t count) {
    begin_array(image, key, 4, count);
    gtt_put(&image->keys, values, count * sizeof(*values));
}

void gtt_key_f32s(gtt_image *image, const char *key, const float *values, uint64_t count) {
    begin_array(image, key, 6, count);
    gtt_put(&image->keys, values, count * sizeof(*values));
}

void gtt_tensor(gtt_image *image, const char *name, uint32_t type, uint64_t columns, uint64_t rows, const void *data,
                size_t size) {
    gtt_put_text(&image->tensors, name);
    gtt_put_u32(&image->tensors, rows == 0 ? 1 : 2);
    gtt_put_u64(&image->tensors, columns);
    if (rows != 0) {
        gtt_put_u64(&image->tensors, rows);
    }
    gtt_put_u32(&image->tensors, type);
    gtt_put_u64(&image->tensors, image->data.size);
    gtt_put(&image->data, data, size);
    gtt_pad(&image->data, 32);
    image->tensor_count++;
}

gtt_bytes gtt_finish(gtt_image *image, size_t *metadata) {
    gtt_bytes file = {0};
    gtt_put(&file, "GGUF", 4);
    gtt_put_u32(&file, 3);
    gtt_put_u64(&file, image->tensor_count);
    gtt_put_u64(&file, image->key_count);
    gtt_put(&file, image->keys.data, image->keys.size);
    gtt_put(&file, image->tensors.data, image->tensors.size);
    *metadata = file.size;
    gtt_pad(&file, 32);
    gtt_put(&file, image->data.data, image->data.size);
    gtt_free(&image->keys);
    gtt_free(&image->tensors);
    gtt_free(&image->data);
    memset(image, 0, sizeof(*image));
    return file;
}
