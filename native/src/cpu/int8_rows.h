/*
 * int8_rows.h - int8_sums of kernels.h, by an int8_sums_of(rows, ...) that is compiled anew for each number of rows, so
 * that its sums stay in registers.
 */
#include <stdint.h>

static void int8_sums(const uint8_t *a, uint64_t stride, uint32_t rows, const int8_t *w, uint32_t columns,
                      int32_t *sums) {
    switch (rows) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        int8_sums_of(n, a, stride, w, columns, sums);                                                                  \
        break
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
#undef CASE
    }
}
