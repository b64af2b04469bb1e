/*
 * gguf.h - reads a GGUF image (versions 2 and 3, little endian) where it lies. Nothing is allocated or copied.
 *
 * gti_gguf_open walks the whole file once and checks every length, count and offset; after it, every value and tensor
 * that the functions below give lies inside the image. The image must outlive the reader and stay unchanged.
 * Functions that take a gt_error return GT_OK, GT_ERROR_FORMAT or GT_ERROR_UNSUPPORTED. Any thread.
 */
#ifndef GTI_GGUF_H
#define GTI_GGUF_H

#include "error.h"

/* A file of 128 layers has 2,100 tensors. Every look-up walks them all, so that their number is bounded. */
#define GTI_GGUF_MAX_KEYS 4096
#define GTI_GGUF_MAX_TENSORS 4096
/* How many long arrays of strings are remembered with their ends, so that look-ups step over them. */
#define GTI_GGUF_LONG_ARRAYS 8

enum {
    GTI_GGUF_U8 = 0,
    GTI_GGUF_I8 = 1,
    GTI_GGUF_U16 = 2,
    GTI_GGUF_I16 = 3,
    GTI_GGUF_U32 = 4,
    GTI_GGUF_I32 = 5,
    GTI_GGUF_F32 = 6,
    GTI_GGUF_BOOL = 7,
    GTI_GGUF_STRING = 8,
    GTI_GGUF_ARRAY = 9,
    GTI_GGUF_U64 = 10,
    GTI_GGUF_I64 = 11,
    GTI_GGUF_F64 = 12
};

typedef struct gti_text {
    const char *data; /* not closed by a zero */
    uint64_t length;
} gti_text;

/* One key with its value. */
typedef struct gti_value {
    gti_text key;
    uint32_t type;         /* GTI_GGUF_... */
    uint32_t element_type; /* of an array */
    uint64_t count;        /* of an array; else 1 */
    const uint8_t *data;   /* the scalar, the string's bytes or the first element; not aligned */
    uint64_t length;       /* of a string, in bytes */
} gti_value;

/* One tensor: shape[0] is the fastest dimension. */
typedef struct gti_tensor {
    gti_text name;
    uint32_t dimensions;
    uint32_t type; /* ggml's number, checked only to be one whose size is known */
    uint64_t shape[4];
    uint64_t bytes;
    const uint8_t *data;
} gti_tensor;

typedef struct gti_gguf {
    const uint8_t *base;
    uint64_t size;
    uint32_t version;
    uint64_t key_count;
    uint64_t tensor_count;
    uint64_t keys_at;    /* offset of the first key */
    uint64_t tensors_at; /* offset of the first tensor's description */
    uint64_t data_at;    /* offset of the data section */
    uint64_t alignment;
    uint32_t long_array_count;
    struct {
        uint64_t at;
        uint64_t end;
    } long_arrays[GTI_GGUF_LONG_ARRAYS];
} gti_gguf;

int32_t gti_gguf_open(gti_gguf *gguf, const void *image, uint64_t size, gt_error *error);

/* Finds the one value of key; value->data is NULL when there is none. A key that is there twice is an error. */
int32_t gti_gguf_find(const gti_gguf *gguf, const char *key, gti_value *value, gt_error *error);

/* Finds the one tensor of that name; tensor->data is NULL when there is none. A name twice is an error. */
int32_t gti_gguf_tensor(const gti_gguf *gguf, const char *name, gti_tensor *tensor, gt_error *error);

/* The little-endian number at data, which need not be aligned. */
uint32_t gti_read_u32(const uint8_t *data);
uint64_t gti_read_u64(const uint8_t *data);

/* Bytes of a block and elements in it, for the tensor types that the kernel reads. false for any other type. */
bool gti_type_block(uint32_t type, uint32_t *elements, uint32_t *bytes);

/* "F32", "Q8_0", ... for messages; "of an unknown type" for others. */
const char *gti_type_name(uint32_t type);

#endif
