/*
 * int8_rows.h - int8_sums of kernels.h, by an int8_sums_of(rows, ...) that is compiled anew for each number of rows, so
 * that its sums stay in registers.
 */
#include "kernels.h"

#include <stdint.h>

static void int8_sums(const uint8_t *a, uint64_t stride, uint32_t rows, const int8_t *w, uint32_t columns,
                      int32_t *sums) {
#define SUMS_OF(n) int8_sums_of(n, a, stride, w, columns, sums)
    GTI_EACH_ROWS(rows, SUMS_OF)
#undef SUMS_OF
}
