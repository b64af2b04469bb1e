#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool gti_error_usable(const gt_error *error) {
    return error == NULL || error->struct_size == sizeof(gt_error);
}

int32_t gti_fail(gt_error *error, int32_t status, const char *format, ...) {
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        vsnprintf(error->message, sizeof(error->message), format, arguments);
        va_end(arguments);
    }
    return status;
}

int32_t gti_succeed(gt_error *error) {
    if (error != NULL) {
        error->status = GT_OK;
        error->message[0] = '\0';
    }
    return GT_OK;
}

const char *gti_printable(char out[GTI_PRINTABLE], const char *text, uint64_t length) {
    const size_t room = GTI_PRINTABLE - 4;
    const size_t shown = length < room ? (size_t)length : room;
    for (size_t i = 0; i < shown; i++) {
        out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    }
    if (shown < length) {
        memcpy(out + shown, "...", 3);
        out[shown + 3] = '\0';
    } else {
        out[shown] = '\0';
    }
    return out;
}
