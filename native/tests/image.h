/* image.h - writes GGUF images byte by byte, sound or not, independently of ggml's own writer. */
#ifndef GTT_IMAGE_H
#define GTT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* A growing run of bytes, aligned to 64. */
typedef struct gtt_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
} gtt_bytes;

void gtt_put(gtt_bytes *bytes, const void *data, size_t size);
void gtt_put_u32(gtt_bytes *bytes, uint32_t value);
void gtt_put_u64(gtt_bytes *bytes, uint64_t value);
void gtt_put_text(gtt_bytes *bytes, const char *text);
void gtt_pad(gtt_bytes *bytes, size_t alignment);
void gtt_free(gtt_bytes *bytes);

/* An image in the making: keys and tensors are added in any order, then gtt_finish puts them together. */
typedef struct gtt_image {
    gtt_bytes keys;
    gtt_bytes tensors;
    gtt_bytes data;
    uint64_t key_count;
    uint64_t tensor_count;
} gtt_image;

void gtt_key_u32(gtt_image *image, const char *key, uint32_t value);
void gtt_key_f32(gtt_image *image, const char *key, float value);
void gtt_key_bool(gtt_image *image, const char *key, int value);
void gtt_key_text(gtt_image *image, const char *key, const char *value);
void gtt_key_texts(gtt_image *image, const char *key, uint64_t count);
void gtt_key_u32s(gtt_image *image, const char *key, const uint32_t *values, uint64_t count);
void gtt_key_f32s(gtt_image *image, const char *key, const float *values, uint64_t count);
/* A tensor of [rows][columns]; rows 0 makes it one-dimensional. */
void gtt_tensor(gtt_image *image, const char *name, uint32_t type, uint64_t columns, uint64_t rows, const void *data,
                size_t size);
/* The whole file; *metadata is where the data section starts. Frees the image. */
gtt_bytes gtt_finish(gtt_image *image, size_t *metadata);

#endif
