/*
 * ops.h - everything of gti_kernels but the multiplies, written once over a vector of floats and compiled anew for each
 * instruction set. The file that includes it has defined, before that:
 *
 *   GTI_LANES        floats of a vector; a divisor of 16
 *   GTI_TILE_VECTORS vectors side by side in a tile of float products
 *   vf, vi           vectors of floats and of int32
 *   vf_load, vf_store, vf_load_some(p, n), vf_store_some(p, v, n)   n < GTI_LANES; lanes from n on are 0, not stored
 *   vf_set, vf_add, vf_sub, vf_mul, vf_fma(a, b, c) = a b + c, vf_min, vf_max
 *   vf_sum, vf_least, vf_most        of all lanes
 *   vf_equal(vf, vf)                 a bit a lane, the first lane's lowest
 *   vf_unless_equal(vf a, vf b)      a, but 0 where it equals b
 *   vf_exp2i(vf n, vf x)             x 2^n, n integral, -126 to 127
 *   vf_round(vf)                     to integral floats, ties to even
 *   vf_from_int(const int32_t *)     exact for what a float holds
 *   store_bytes(uint8_t *, vf)       0 to 255, rounded, ties to even; one byte a lane
 *   int8_sums                        see kernels.h
 *   int8_peak                        see kernels.h
 *
 * and, where it has better than what stands here: GTI_TRANSPOSE with transpose_block, GTI_GELU with gelu_short;
 * GTI_INT8_TILE, and GTI_BF16 with all of its name, whose tiles are defined behind this.
 */
#include "kernels.h"

#include <math.h>
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))
/* Rows of a tile. */
#define TILE GTI_TILE
/* Vectors that a sum is kept in, so that no addition waits for the one before. */
#define CHAINS 4

/* Splits count rows into the fewest tiles, as even as can be. */
ALWAYS uint32_t tile_rows(uint32_t left) {
    const uint32_t tiles = (left + TILE - 1) / TILE;
    return (left + tiles - 1) / tiles;
}

#include "elementwise.h"
#include "operands.h"
#include "float_tiles.h"
#include "linears.h"
#include "attention.h"
