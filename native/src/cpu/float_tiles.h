/*
 * float_tiles.h - part of ops.h: tiles of float products.
 */
#ifndef GTI_FLOAT_TILES_H
#define GTI_FLOAT_TILES_H

/* c[rows][vectors] (+)= a[rows][depth] b[depth][vectors], each sum from the first column to the last. */
ALWAYS void f32_tile_of(const uint32_t rows, const uint32_t vectors, const float *a, uint64_t a_stride, const float *b,
                        uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first) {
    vf sums[TILE][GTI_TILE_VECTORS];
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t v = 0; v < vectors; v++) {
            sums[r][v] = first ? vf_set(0.0f) : vf_load(c + r * c_stride + v * GTI_LANES);
        }
    }
    for (uint32_t k = 0; k < depth; k++) {
        vf columns[GTI_TILE_VECTORS];
        for (uint32_t v = 0; v < vectors; v++) {
            columns[v] = vf_load(b + k * b_stride + v * GTI_LANES);
        }
        for (uint32_t r = 0; r < rows; r++) {
            const vf x = vf_set(a[r * a_stride + k]);
            for (uint32_t v = 0; v < vectors; v++) {
                sums[r][v] = vf_fma(x, columns[v], sums[r][v]);
            }
        }
    }
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t v = 0; v < vectors; v++) {
            vf_store(c + r * c_stride + v * GTI_LANES, sums[r][v]);
        }
    }
}

/* The same for any number of columns, rounded up to whole vectors. */
static void f32_tile(uint32_t rows, uint32_t columns, const float *a, uint64_t a_stride, const float *b,
                     uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first) {
#define FOUR(n) f32_tile_of(n, 4, a, a_stride, b, b_stride, depth, c, c_stride, first)
#define TWO(n) f32_tile_of(n, 2, a, a_stride, b, b_stride, depth, c, c_stride, first)
#define ONE(n) f32_tile_of(n, 1, a, a_stride, b, b_stride, depth, c, c_stride, first)
    for (uint32_t left = (columns + GTI_LANES - 1) / GTI_LANES; left > 0;) {
        uint32_t vectors = left < GTI_TILE_VECTORS ? left : GTI_TILE_VECTORS;
#if GTI_TILE_VECTORS == 4
        if (vectors >= 3) {
            GTI_EACH_ROWS(rows, FOUR)
            vectors = 4;
        } else
#endif
            if (vectors == 2) {
            GTI_EACH_ROWS(rows, TWO)
        } else {
            GTI_EACH_ROWS(rows, ONE)
        }
        left = left > vectors ? left - vectors : 0;
        b += vectors * GTI_LANES;
        c += vectors * GTI_LANES;
    }
#undef FOUR
#undef TWO
#undef ONE
}

#endif
