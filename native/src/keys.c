#include "keys.h"

#include <math.h>
#include <string.h>

bool gti_text_is(gti_text text, const char *characters) {
    return text.length == strlen(characters) && memcmp(text.data, characters, text.length) == 0;
}

/* Reads an integer of any width; a negative one comes out above every bound. false: no integer. */
static bool integer(const gti_value *value, uint64_t *out) {
    const uint8_t *d = value->data;
    switch (value->type) {
        case GTI_GGUF_U8:
            *out = d[0];
            return true;
        case GTI_GGUF_I8:
            *out = (uint64_t)(int64_t)(int8_t)d[0];
            return true;
        case GTI_GGUF_U16:
            *out = (uint64_t)d[0] | (uint64_t)d[1] << 8;
            return true;
        case GTI_GGUF_I16:
            *out = (uint64_t)(int64_t)(int16_t)((uint32_t)d[0] | (uint32_t)d[1] << 8);
            return true;
        case GTI_GGUF_U32:
            *out = gti_read_u32(d);
            return true;
        case GTI_GGUF_I32:
            *out = (uint64_t)(int64_t)(int32_t)gti_read_u32(d);
            return true;
        case GTI_GGUF_U64:
        case GTI_GGUF_I64:
            *out = gti_read_u64(d);
            return true;
        default:
            return false;
    }
}

int32_t gti_key_u32(const gti_gguf *gguf, const char *key, uint32_t least, uint32_t most, uint32_t *value, bool *found,
                    gt_error *error) {
    gti_value v;
    uint64_t number;
    const int32_t status = gti_gguf_find(gguf, key, &v, error);
    *found = status == GT_OK && v.data != NULL;
    if (!*found) {
        return status;
    }
    if (!integer(&v, &number)) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not an integer", key);
    }
    if (number < least || number > most) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is %lld, expected a number from %u to %u", key,
                        (long long)number, least, most);
    }
    *value = (uint32_t)number;
    return GT_OK;
}

int32_t gti_need_u32(const gti_gguf *gguf, const char *key, uint32_t least, uint32_t most, uint32_t *value,
                     gt_error *error) {
    bool found;
    const int32_t status = gti_key_u32(gguf, key, least, most, value, &found, error);
    if (status == GT_OK && !found) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is missing", key);
    }
    return status;
}

int32_t gti_key_f32(const gti_gguf *gguf, const char *key, float *value, bool *found, gt_error *error) {
    gti_value v;
    const int32_t status = gti_gguf_find(gguf, key, &v, error);
    *found = status == GT_OK && v.data != NULL;
    if (!*found) {
        return status;
    }
    double number = NAN;
    if (v.type == GTI_GGUF_F32) {
        float single;
        memcpy(&single, v.data, sizeof(single));
        number = (double)single;
    } else if (v.type == GTI_GGUF_F64) {
        memcpy(&number, v.data, sizeof(number));
    } else {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not a floating-point number", key);
    }
    if (!isfinite(number) || fabs(number) > 3e38) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not a finite number", key);
    }
    *value = (float)number;
    return GT_OK;
}

int32_t gti_key_bool(const gti_gguf *gguf, const char *key, bool *value, bool *found, gt_error *error) {
    gti_value v;
    const int32_t status = gti_gguf_find(gguf, key, &v, error);
    *found = status == GT_OK && v.data != NULL;
    if (!*found) {
        return status;
    }
    if (v.type != GTI_GGUF_BOOL || v.data[0] > 1) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not a boolean", key);
    }
    *value = v.data[0] != 0;
    return GT_OK;
}

int32_t gti_key_text(const gti_gguf *gguf, const char *key, gti_text *value, bool *found, gt_error *error) {
    gti_value v;
    const int32_t status = gti_gguf_find(gguf, key, &v, error);
    *found = status == GT_OK && v.data != NULL;
    if (!*found) {
        return status;
    }
    if (v.type != GTI_GGUF_STRING) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not a string", key);
    }
    value->data = (const char *)v.data;
    value->length = v.length;
    return GT_OK;
}

int32_t gti_key_array(const gti_gguf *gguf, const char *key, uint32_t element_type, uint64_t least, uint64_t most,
                      gti_value *value, gt_error *error) {
    static const char *const names[] = {"u8",  "i8",   "u16",    "i16",   "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};
    const int32_t status = gti_gguf_find(gguf, key, value, error);
    if (status != GT_OK || value->data == NULL) {
        return status;
    }
    if (value->type != GTI_GGUF_ARRAY || value->element_type != element_type) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s is not an array of %s", key, names[element_type]);
    }
    if (value->count < least || value->count > most) {
        return gti_fail(error, GT_ERROR_FORMAT, "key %s has %llu elements, expected %llu to %llu", key,
                        (unsigned long long)value->count, (unsigned long long)least, (unsigned long long)most);
    }
    return GT_OK;
}
