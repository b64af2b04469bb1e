/* error.h - how every call of the kernel reports: a status, and one sentence. No state; any thread. */
#ifndef GTI_ERROR_H
#define GTI_ERROR_H

#include "gatun.h"

#include <stdbool.h>
#include <stddef.h>

/* Room for a name from a file, made printable. */
#define GTI_PRINTABLE 72

/* Whether error may be written to: NULL may be passed but not written, a struct of another size may not be passed. */
bool gti_error_usable(const gt_error *error);

/* Writes the status and the sentence, cut to fit, where error is not NULL. Returns status. */
int32_t gti_fail(gt_error *error, int32_t status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Writes GT_OK and no sentence. Returns GT_OK. */
int32_t gti_succeed(gt_error *error);

/* Copies text from a file to out with everything but printable ASCII replaced and the end cut off. Returns out. */
const char *gti_printable(char out[GTI_PRINTABLE], const char *text, uint64_t length);

#endif
