/*
 * attention.h - part of ops.h: attention, a head of a sequence at a time.
 */
#ifndef GTI_ATTENTION_H
#define GTI_ATTENTION_H

#ifndef GTI_TRANSPOSE
/* to[16][to_stride] = transposed from[16][from_stride], 32-bit elements. */
ALWAYS void transpose_block(const uint32_t *from, uint64_t from_stride, uint32_t *to, uint64_t to_stride) {
    for (uint32_t r = 0; r < 16; r++) {
        for (uint32_t c = 0; c < 16; c++) {
            to[c * to_stride + r] = from[r * from_stride + c];
        }
    }
}
#endif

/*
 * Rows [count][columns] of 32-bit elements into panels of 64 rows, each [columns][64]. What lies beyond the last row in
 * its panel is left as it was.
 */
static void pack_transposed(const uint32_t *rows, uint64_t stride, uint32_t count, uint32_t columns, uint32_t *panels) {
    for (uint32_t r = 0; r < count; r += 16) {
        uint32_t *panel = panels + (uint64_t)(r / GTI_PANEL) * GTI_PANEL * columns + r % GTI_PANEL;
        uint32_t c = 0;
        if (count - r >= 16) {
            for (; c + 16 <= columns; c += 16) {
                transpose_block(rows + r * stride + c, stride, panel + c * GTI_PANEL, GTI_PANEL);
            }
        }
        const uint32_t block = count - r < 16 ? count - r : 16;
        for (; c < columns; c++) {
            for (uint32_t i = 0; i < block; i++) {
                panel[c * GTI_PANEL + i] = rows[(r + i) * stride + c];
            }
        }
    }
}

ALWAYS float highest_of(const float *scores, uint32_t count) {
    vf most = vf_set(scores[0]);
    uint32_t i = 0;
    for (; i + GTI_LANES <= count; i += GTI_LANES) {
        most = vf_max(most, vf_load(scores + i));
    }
    float top = vf_most(most);
    for (; i < count; i++) {
        top = scores[i] > top ? scores[i] : top;
    }
    return top;
}

/* scores = exp(scale (scores - most)), not yet divided by their sum, which is returned. */
ALWAYS float softmax_row(float *scores, uint32_t count, float scale) {
    const uint32_t whole = count / GTI_LANES * GTI_LANES;
    const vf factor = vf_set(scale * 1.4426950408889634f);
    const vf highest = vf_set(highest_of(scores, count));
    vf sum = vf_set(0.0f);
    uint32_t i = 0;
    for (; i < whole; i += GTI_LANES) {
        const vf p = exp2_negative(vf_mul(vf_sub(vf_load(scores + i), highest), factor));
        sum = vf_add(sum, p);
        vf_store(scores + i, p);
    }
    float total = vf_sum(sum);
    if (whole < count) {
        const uint32_t rest = count - whole;
        vf_store_some(scores + whole,
                      exp2_negative(vf_mul(vf_sub(vf_load_some(scores + whole, rest), highest), factor)), rest);
        for (i = whole; i < count; i++) {
            total += scores[i];
        }
    }
    return total;
}

ALWAYS void store_scaled(const float *c, uint32_t width, float factor, float *out) {
    uint32_t i = 0;
    const vf f = vf_set(factor);
    for (; i + GTI_LANES <= width; i += GTI_LANES) {
        vf_store(out + i, vf_mul(vf_load(c + i), f));
    }
    for (; i < width; i++) {
        out[i] = c[i] * factor;
    }
}

static uint32_t padded_to_panels(uint32_t count) {
    return GTI_PANELS_OF(count) * GTI_PANEL;
}

/*
 * Queries TILE at a time: their scores with all keys, softmax, and the values weighted by it. Sums run over the keys in
 * their order, so that nothing depends on the tile.
 */
static void attend_f32(const gti_attention *at) {
    const uint32_t padded = padded_to_panels(at->key_count);
    float *keys = at->scratch;                     /* [panels][width][64] */
    float *scores = keys + (uint64_t)padded * at->width; /* [TILE][padded] */
    float *mixed = scores + TILE * (uint64_t)padded;     /* [TILE][width, padded] */
    const uint32_t out_width = padded_to_panels(at->width);
    pack_transposed(at->keys, at->stride, at->key_count, at->width, (uint32_t *)keys);
    for (uint32_t q = 0; q < at->query_count;) {
        const uint32_t rows = tile_rows(at->query_count - q);
        const float *queries = (const float *)at->queries + q * at->query_stride;
        for (uint32_t k = 0; k < at->key_count; k += GTI_PANEL) {
            const uint32_t count = at->key_count - k < GTI_PANEL ? at->key_count - k : GTI_PANEL;
            f32_tile(rows, count, queries, at->query_stride, keys + (uint64_t)k * at->width, GTI_PANEL, at->width,
                     scores + k, padded, true);
        }
        float factors[TILE];
        for (uint32_t r = 0; r < rows; r++) {
            factors[r] = 1.0f / softmax_row(scores + r * (uint64_t)padded, at->key_count, at->scale);
        }
        f32_tile(rows, at->width, scores, padded, at->values, at->stride, at->key_count, mixed, out_width, true);
        for (uint32_t r = 0; r < rows; r++) {
            store_scaled(mixed + r * out_width, at->width, factors[r], at->out + (q + r) * at->out_stride);
        }
        q += rows;
    }
}

#ifdef GTI_BF16
/* weights = exp(scale (scores - most)) as bf16, up to a whole pair; returns their sum before they were rounded. */
ALWAYS float softmax_bf16(const float *scores, uint32_t count, float scale, uint16_t *weights) {
    const vf factor = vf_set(scale * 1.4426950408889634f);
    const vf offset = vf_set(-highest_of(scores, count) * (scale * 1.4426950408889634f));
    vf sum = vf_set(0.0f);
    uint32_t i = 0;
    for (; i + GTI_LANES <= count; i += GTI_LANES) {
        const vf p = exp2_short(vf_fma(vf_load(scores + i), factor, offset));
        sum = vf_add(sum, p);
        bf16_store(weights + i, p);
    }
    if (i < count) {
        const vf x = vf_load_some(scores + i, count - i);
        const vf p = bf16_keep(exp2_short(vf_fma(x, factor, offset)), count - i);
        sum = vf_add(sum, p);
        bf16_store(weights + i, p);
    }
    return vf_sum(sum);
}

static void attend_bf16(const gti_attention *at) {
    const uint32_t padded = padded_to_panels(at->key_count);
    const uint32_t pairs = at->width / 2;
    const uint32_t key_pairs = (at->key_count + 1) / 2;
    const uint32_t out_width = padded_to_panels(at->width);
    uint32_t *keys = at->scratch;                                        /* [panels][pairs][64] pairs of columns */
    uint32_t *values = keys + (uint64_t)padded * pairs;                  /* [key_pairs][out_width] pairs of keys */
    float *scores = (float *)(values + (uint64_t)key_pairs * out_width); /* [TILE][padded] */
    float *mixed = scores + TILE * (uint64_t)padded;                     /* [TILE][out_width] */
    uint16_t *weights = (uint16_t *)(mixed + TILE * (uint64_t)out_width); /* [TILE][padded] */
    const uint16_t *rows = at->values;
    /* Tiles of bf16 write whole vectors, and four where there are three. */
    const bool direct = at->width % GTI_LANES == 0 && at->width / GTI_LANES % 4 != 3;
    pack_transposed(at->keys, at->stride / 2, at->key_count, pairs, keys);
    for (uint32_t k = 0; k < key_pairs; k++) {
        const uint16_t *even = rows + 2 * k * at->stride;
        bf16_interleave(even, 2 * k + 1 < at->key_count ? even + at->stride : NULL, at->width,
                        values + (uint64_t)k * out_width);
    }
    for (uint32_t q = 0; q < at->query_count;) {
        const uint32_t count = tile_rows(at->query_count - q);
        const uint16_t *queries = (const uint16_t *)at->queries + q * at->query_stride;
        for (uint32_t k = 0; k < at->key_count; k += GTI_PANEL) {
            const uint32_t columns = at->key_count - k < GTI_PANEL ? at->key_count - k : GTI_PANEL;
            bf16_tile(count, columns, (const uint32_t *)queries, at->query_stride / 2, keys + (uint64_t)k * pairs,
                      GTI_PANEL, pairs, scores + k, padded, true, NULL);
        }
        float factors[TILE];
        for (uint32_t r = 0; r < count; r++) {
            factors[r] = 1.0f / softmax_bf16(scores + r * (uint64_t)padded, at->key_count, at->scale,
                                             weights + r * (uint64_t)padded);
        }
        float *out = at->out + q * at->out_stride;
        bf16_tile(count, at->width, (const uint32_t *)weights, padded / 2, values, out_width, key_pairs,
                  direct ? out : mixed, direct ? at->out_stride : out_width, true, factors);
        for (uint32_t r = 0; r < count && !direct; r++) {
            memcpy(out + r * at->out_stride, mixed + r * out_width, at->width * sizeof(float));
        }
        q += count;
    }
}
#endif

static void attend(const gti_attention *at) {
#ifdef GTI_BF16
    if (at->bf16) {
        attend_bf16(at);
        return;
    }
#endif
    attend_f32(at);
}

#endif
