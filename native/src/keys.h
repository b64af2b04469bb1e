/*
 * keys.h - typed look-ups of GGUF keys, each with its bounds. *found tells whether the key is there; when it is not,
 * the value is left as the caller set it. Status: GT_OK, GT_ERROR_FORMAT. Any thread.
 */
#ifndef GTI_KEYS_H
#define GTI_KEYS_H

#include "gguf.h"

/* Any integer type that holds a number from least to most. */
int32_t gti_key_u32(const gti_gguf *gguf, const char *key, uint32_t least, uint32_t most, uint32_t *value, bool *found,
                    gt_error *error);

/* The same, and the key must be there. */
int32_t gti_need_u32(const gti_gguf *gguf, const char *key, uint32_t least, uint32_t most, uint32_t *value,
                     gt_error *error);

/* A finite number, of F32 or F64. */
int32_t gti_key_f32(const gti_gguf *gguf, const char *key, float *value, bool *found, gt_error *error);

int32_t gti_key_bool(const gti_gguf *gguf, const char *key, bool *value, bool *found, gt_error *error);

int32_t gti_key_text(const gti_gguf *gguf, const char *key, gti_text *value, bool *found, gt_error *error);

/* An array of that element type, with least to most elements; value->data is NULL when the key is not there. */
int32_t gti_key_array(const gti_gguf *gguf, const char *key, uint32_t element_type, uint64_t least, uint64_t most,
                      gti_value *value, gt_error *error);

/* Whether text is those characters. */
bool gti_text_is(gti_text text, const char *characters);

#endif
