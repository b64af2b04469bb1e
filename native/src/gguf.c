#include "gguf.h"

#include <string.h>

/* A position in the image. Every read is checked against the end. */
typedef struct cursor {
    const uint8_t *base;
    uint64_t size;
    uint64_t at;
} cursor;

static const struct {
    uint32_t type;
    uint32_t elements;
    uint32_t bytes;
    const char *name;
} types[] = {
    {0, 1, 4, "F32"},      {1, 1, 2, "F16"},      {2, 32, 18, "Q4_0"},   {3, 32, 20, "Q4_1"},   {6, 32, 22, "Q5_0"},
    {7, 32, 24, "Q5_1"},   {8, 32, 34, "Q8_0"},   {10, 256, 84, "Q2_K"}, {11, 256, 110, "Q3_K"}, {12, 256, 144, "Q4_K"},
    {13, 256, 176, "Q5_K"}, {14, 256, 210, "Q6_K"}, {20, 32, 18, "IQ4_NL"}, {30, 1, 2, "BF16"},
};

bool gti_type_block(uint32_t type, uint32_t *elements, uint32_t *bytes) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type) {
            *elements = types[i].elements;
            *bytes = types[i].bytes;
            return true;
        }
    }
    return false;
}

const char *gti_type_name(uint32_t type) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type) {
            return types[i].name;
        }
    }
    return "of an unknown type";
}

uint32_t gti_read_u32(const uint8_t *data) {
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

uint64_t gti_read_u64(const uint8_t *data) {
    return (uint64_t)gti_read_u32(data) | (uint64_t)gti_read_u32(data + 4) << 32;
}

static bool skip(cursor *c, uint64_t bytes) {
    if (bytes > c->size - c->at) {
        return false;
    }
    c->at += bytes;
    return true;
}

static bool take_u32(cursor *c, uint32_t *value) {
    if (!skip(c, 4)) {
        return false;
    }
    *value = gti_read_u32(c->base + c->at - 4);
    return true;
}

static bool take_u64(cursor *c, uint64_t *value) {
    if (!skip(c, 8)) {
        return false;
    }
    *value = gti_read_u64(c->base + c->at - 8);
    return true;
}

static bool take_text(cursor *c, gti_text *text) {
    if (!take_u64(c, &text->length)) {
        return false;
    }
    text->data = (const char *)c->base + c->at;
    return skip(c, text->length);
}

/* Bytes of a scalar type, 0 for strings, arrays and what is no type. */
static uint32_t scalar_bytes(uint32_t type) {
    static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < sizeof(bytes) ? bytes[type] : 0;
}

/* Steps over count strings. Bounded by the image: a string takes at least 8 bytes. */
static bool skip_strings(cursor *c, const gti_gguf *gguf, uint64_t count) {
    for (uint32_t i = 0; i < gguf->long_array_count; i++) {
        if (gguf->long_arrays[i].at == c->at) {
            c->at = gguf->long_arrays[i].end;
            return true;
        }
    }
    if (count > (c->size - c->at) / 8) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        gti_text text;
        if (!take_text(c, &text)) {
            return false;
        }
    }
    return true;
}

static bool take_array(cursor *c, const gti_gguf *gguf, gti_value *value) {
    if (!take_u32(c, &value->element_type) || !take_u64(c, &value->count)) {
        return false;
    }
    value->data = c->base + c->at;
    if (value->element_type == GTI_GGUF_STRING) {
        return skip_strings(c, gguf, value->count);
    }
    const uint32_t bytes = scalar_bytes(value->element_type);
    return bytes != 0 && value->count <= (c->size - c->at) / bytes && skip(c, value->count * bytes);
}

/* Takes one key with its value. false: it does not fit the image, or its type is none. */
static bool take_value(cursor *c, const gti_gguf *gguf, gti_value *value) {
    memset(value, 0, sizeof(*value));
    value->count = 1;
    if (!take_text(c, &value->key) || !take_u32(c, &value->type)) {
        return false;
    }
    if (value->type == GTI_GGUF_ARRAY) {
        return take_array(c, gguf, value);
    }
    if (value->type == GTI_GGUF_STRING) {
        gti_text text;
        if (!take_text(c, &text)) {
            return false;
        }
        value->data = (const uint8_t *)text.data;
        value->length = text.length;
        return true;
    }
    const uint32_t bytes = scalar_bytes(value->type);
    value->data = c->base + c->at;
    return bytes != 0 && skip(c, bytes);
}

/* Takes one tensor's description. tensor->data is left to the caller, offset is relative to the data section. */
static bool take_tensor(cursor *c, gti_tensor *tensor, uint64_t *offset) {
    memset(tensor, 0, sizeof(*tensor));
    if (!take_text(c, &tensor->name) || !take_u32(c, &tensor->dimensions)
        || tensor->dimensions < 1 || tensor->dimensions > 4) {
        return false;
    }
    for (uint32_t i = 0; i < 4; i++) {
        tensor->shape[i] = 1;
        if (i < tensor->dimensions && !take_u64(c, &tensor->shape[i])) {
            return false;
        }
    }
    return take_u32(c, &tensor->type) && take_u64(c, offset);
}

/* Computes tensor->bytes. */
static int32_t size_tensor(gti_tensor *tensor, gt_error *error) {
    char name[GTI_PRINTABLE];
    uint32_t block, bytes;
    gti_printable(name, tensor->name.data, tensor->name.length);
    if (!gti_type_block(tensor->type, &block, &bytes)) {
        return gti_fail(error, GT_ERROR_UNSUPPORTED, "tensor %s has type %u, which this kernel does not read", name,
                        tensor->type);
    }
    uint64_t elements = 1;
    for (uint32_t i = 0; i < 4; i++) {
        if (tensor->shape[i] == 0 || tensor->shape[i] > (1ull << 40) / elements) {
            return gti_fail(error, GT_ERROR_FORMAT, "tensor %s has a dimension of %llu", name,
                            (unsigned long long)tensor->shape[i]);
        }
        elements *= tensor->shape[i];
    }
    if (tensor->shape[0] % block != 0) {
        return gti_fail(error, GT_ERROR_FORMAT, "tensor %s has rows of %llu elements, no multiple of %s's block of %u",
                        name, (unsigned long long)tensor->shape[0], gti_type_name(tensor->type), block);
    }
    tensor->bytes = elements / block * bytes;
    return GT_OK;
}

static int32_t read_header(gti_gguf *gguf, cursor *c, gt_error *error) {
    if (c->size < 4 || memcmp(c->base, "GGUF", 4) != 0) {
        return gti_fail(error, GT_ERROR_FORMAT, "the file does not start with GGUF: it is no GGUF file");
    }
    c->at = 4;
    if (!take_u32(c, &gguf->version) || !take_u64(c, &gguf->tensor_count) || !take_u64(c, &gguf->key_count)) {
        return gti_fail(error, GT_ERROR_FORMAT, "the file ends inside its header: it is truncated");
    }
    if (gguf->version != 2 && gguf->version != 3) {
        return gti_fail(error, GT_ERROR_UNSUPPORTED, "the file is GGUF version %u, this kernel reads 2 and 3",
                        gguf->version);
    }
    if (gguf->key_count > GTI_GGUF_MAX_KEYS || gguf->tensor_count > GTI_GGUF_MAX_TENSORS) {
        return gti_fail(error, GT_ERROR_FORMAT, "the file claims %llu keys and %llu tensors, more than %d of either",
                        (unsigned long long)gguf->key_count, (unsigned long long)gguf->tensor_count,
                        GTI_GGUF_MAX_KEYS);
    }
    gguf->keys_at = c->at;
    return GT_OK;
}

static int32_t walk_keys(gti_gguf *gguf, cursor *c, gt_error *error) {
    for (uint64_t i = 0; i < gguf->key_count; i++) {
        gti_value value;
        if (!take_value(c, gguf, &value)) {
            return gti_fail(error, GT_ERROR_FORMAT, "key %llu of %llu is broken: the file is truncated or damaged",
                            (unsigned long long)(i + 1), (unsigned long long)gguf->key_count);
        }
        const bool strings = value.type == GTI_GGUF_ARRAY && value.element_type == GTI_GGUF_STRING;
        if (strings && value.count > 64 && gguf->long_array_count < GTI_GGUF_LONG_ARRAYS) {
            gguf->long_arrays[gguf->long_array_count].at = (uint64_t)(value.data - gguf->base);
            gguf->long_arrays[gguf->long_array_count].end = c->at;
            gguf->long_array_count++;
        }
    }
    gguf->tensors_at = c->at;
    return GT_OK;
}

static int32_t read_alignment(gti_gguf *gguf, gt_error *error) {
    gti_value value;
    const int32_t status = gti_gguf_find(gguf, "general.alignment", &value, error);
    if (status != GT_OK) {
        return status;
    }
    gguf->alignment = 32;
    if (value.data == NULL) {
        return GT_OK;
    }
    gguf->alignment = value.type == GTI_GGUF_U32 ? gti_read_u32(value.data) : 0;
    if (gguf->alignment == 0 || (gguf->alignment & (gguf->alignment - 1)) != 0 || gguf->alignment > (1u << 24)) {
        return gti_fail(error, GT_ERROR_FORMAT, "key general.alignment is no u32 that is a power of two up to 2^24");
    }
    return GT_OK;
}

/* Checks every tensor: sizes, and that their data lie one behind the other in the file, each padded as GGUF says. */
static int32_t walk_tensors(gti_gguf *gguf, cursor *c, gt_error *error) {
    for (uint64_t i = 0; i < gguf->tensor_count; i++) {
        gti_tensor tensor;
        uint64_t offset;
        if (!take_tensor(c, &tensor, &offset)) {
            return gti_fail(error, GT_ERROR_FORMAT,
                            "the description of tensor %llu of %llu is broken: the file is truncated or damaged",
                            (unsigned long long)(i + 1), (unsigned long long)gguf->tensor_count);
        }
    }
    if (gguf->size < gguf->alignment || c->at > gguf->size - gguf->alignment) {
        gguf->data_at = gguf->size;
    } else {
        gguf->data_at = (c->at + gguf->alignment - 1) / gguf->alignment * gguf->alignment;
    }
    const uint64_t room = gguf->size - gguf->data_at;
    uint64_t end = 0;
    c->at = gguf->tensors_at;
    for (uint64_t i = 0; i < gguf->tensor_count; i++) {
        gti_tensor tensor;
        uint64_t offset;
        char name[GTI_PRINTABLE];
        take_tensor(c, &tensor, &offset);
        const int32_t status = size_tensor(&tensor, error);
        if (status != GT_OK) {
            return status;
        }
        gti_printable(name, tensor.name.data, tensor.name.length);
        if (offset % gguf->alignment != 0 || offset < end) {
            return gti_fail(error, GT_ERROR_FORMAT,
                            "tensor %s starts at %llu of the data, inside another tensor or not aligned to %llu", name,
                            (unsigned long long)offset, (unsigned long long)gguf->alignment);
        }
        /* The last tensor is padded like the others: a file without its last byte is truncated too. */
        const uint64_t padded = (tensor.bytes + gguf->alignment - 1) / gguf->alignment * gguf->alignment;
        if (offset > room || padded > room - offset) {
            return gti_fail(error, GT_ERROR_FORMAT,
                            "tensor %s, with its padding, ends behind the end of the file: it is truncated", name);
        }
        end = offset + tensor.bytes;
    }
    return GT_OK;
}

int32_t gti_gguf_open(gti_gguf *gguf, const void *image, uint64_t size, gt_error *error) {
    cursor c = {image, size, 0};
    memset(gguf, 0, sizeof(*gguf));
    gguf->base = image;
    gguf->size = size;
    int32_t status = read_header(gguf, &c, error);
    if (status == GT_OK) {
        status = walk_keys(gguf, &c, error);
    }
    if (status == GT_OK) {
        status = read_alignment(gguf, error);
    }
    if (status == GT_OK) {
        status = walk_tensors(gguf, &c, error);
    }
    return status;
}

static bool equal(gti_text text, const char *name, size_t length) {
    return text.length == length && memcmp(text.data, name, length) == 0;
}

int32_t gti_gguf_find(const gti_gguf *gguf, const char *key, gti_value *value, gt_error *error) {
    cursor c = {gguf->base, gguf->size, gguf->keys_at};
    const size_t length = strlen(key);
    memset(value, 0, sizeof(*value));
    for (uint64_t i = 0; i < gguf->key_count; i++) {
        gti_value found;
        if (!take_value(&c, gguf, &found)) {
            return gti_fail(error, GT_ERROR_FORMAT, "the keys of the file changed while it was read");
        }
        if (!equal(found.key, key, length)) {
            continue;
        }
        if (value->data != NULL) {
            return gti_fail(error, GT_ERROR_FORMAT, "key %s is in the file twice", key);
        }
        *value = found;
    }
    return GT_OK;
}

int32_t gti_gguf_tensor(const gti_gguf *gguf, const char *name, gti_tensor *tensor, gt_error *error) {
    cursor c = {gguf->base, gguf->size, gguf->tensors_at};
    const size_t length = strlen(name);
    memset(tensor, 0, sizeof(*tensor));
    for (uint64_t i = 0; i < gguf->tensor_count; i++) {
        gti_tensor found;
        uint64_t offset;
        if (!take_tensor(&c, &found, &offset)) {
            return gti_fail(error, GT_ERROR_FORMAT, "the tensors of the file changed while it was read");
        }
        if (!equal(found.name, name, length)) {
            continue;
        }
        if (tensor->data != NULL) {
            return gti_fail(error, GT_ERROR_FORMAT, "tensor %s is in the file twice", name);
        }
        const int32_t status = size_tensor(&found, error);
        if (status != GT_OK) {
            return status;
        }
        *tensor = found;
        tensor->data = gguf->base + gguf->data_at + offset;
    }
    return GT_OK;
}
