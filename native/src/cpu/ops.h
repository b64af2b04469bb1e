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

/* ---- elementwise ---- */

/* 2^x for x <= 0, by a polynomial for the fraction that is fitted to -0.5..0.5; relative error 1e-7. */
ALWAYS vf exp2_negative(vf x) {
    x = vf_max(x, vf_set(-125.0f));
    const vf n = vf_round(x);
    const vf f = vf_sub(x, n);
    vf p = vf_set(0.000153458118f);
    p = vf_fma(p, f, vf_set(0.00133999314f));
    p = vf_fma(p, f, vf_set(0.00961848896f));
    p = vf_fma(p, f, vf_set(0.0555032878f));
    p = vf_fma(p, f, vf_set(0.240226469f));
    p = vf_fma(p, f, vf_set(0.693147206f));
    p = vf_fma(p, f, vf_set(1.0f));
    return vf_exp2i(n, p);
}


/*
 * x Phi(x), Phi the normal distribution: BERT's GELU. It is max(x, 0) - a Phi(-a) with a = |x|, cut at 5.4, and Phi(-a) is
 * a polynomial of degree 13 in a / 2.7 - 1, fitted so that the whole errs by at most 9e-7, and not at 0.
 */
ALWAYS vf gelu_erf(vf x) {
    const vf a = vf_min(vf_max(x, vf_sub(vf_set(0.0f), x)), vf_set(5.4f));
    const vf s = vf_fma(a, vf_set((float)(2.0 / 5.4)), vf_set(-1.0f));
    vf p = vf_set(-0x1.4901540p-7f);
    p = vf_fma(p, s, vf_set(0x1.8e03b00p-6f));
    p = vf_fma(p, s, vf_set(0x1.20a35a0p-6f));
    p = vf_fma(p, s, vf_set(-0x1.955f9c0p-4f));
    p = vf_fma(p, s, vf_set(0x1.df426a0p-5f));
    p = vf_fma(p, s, vf_set(0x1.f766040p-4f));
    p = vf_fma(p, s, vf_set(-0x1.b75e0c0p-3f));
    p = vf_fma(p, s, vf_set(0x1.3595d80p-4f));
    p = vf_fma(p, s, vf_set(0x1.3e14bc0p-3f));
    p = vf_fma(p, s, vf_set(-0x1.1237e40p-2f));
    p = vf_fma(p, s, vf_set(0x1.b84b880p-3f));
    p = vf_fma(p, s, vf_set(-0x1.a3f8100p-4f));
    p = vf_fma(p, s, vf_set(0x1.ccff5e0p-6f));
    p = vf_fma(p, s, vf_set(-0x1.c673760p-9f));
    return vf_fma(p, a, vf_max(x, vf_set(0.0f)));
}

#ifndef GTI_GELU
/* The same for what is rounded to 8 bits next. */
ALWAYS vf gelu_short(vf x) {
    return gelu_erf(x);
}
#endif

/* The activations that few models have: a value at a time. */
static void activate_scalar(gti_activation activation, float *x, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const float v = x[i];
        x[i] = activation == GTI_ACTIVATION_TANH
                   ? tanhf(v)
                   : 0.5f * v * (1.0f + tanhf(0.79788456080286535588f * v * (1.0f + 0.044715f * v * v)));
    }
}

static void add(float *x, const float *y, uint64_t count) {
    uint64_t i = 0;
    for (; i + GTI_LANES <= count; i += GTI_LANES) {
        vf_store(x + i, vf_add(vf_load(x + i), vf_load(y + i)));
    }
    if (i < count) {
        const uint32_t rest = (uint32_t)(count - i);
        vf_store_some(x + i, vf_add(vf_load_some(x + i, rest), vf_load_some(y + i, rest)), rest);
    }
}

/* ---- operands ---- */

/* The least and the most of x, but for what equals without. */
ALWAYS void range_of(const float *x, uint32_t columns, float without, float *low, float *high) {
    vf least[CHAINS];
    vf most[CHAINS];
    const vf skipped = vf_set(without);
    uint32_t i = 0;
    for (uint32_t j = 0; j < CHAINS; j++) {
        least[j] = most[j] = vf_set(x[0] == without ? 0.0f : x[0]);
    }
    for (; i + CHAINS * GTI_LANES <= columns; i += CHAINS * GTI_LANES) {
        for (uint32_t j = 0; j < CHAINS; j++) {
            const vf v = vf_unless_equal(vf_load(x + i + j * GTI_LANES), skipped);
            least[j] = vf_min(least[j], v);
            most[j] = vf_max(most[j], v);
        }
    }
    for (uint32_t j = 1; j < CHAINS; j++) {
        least[0] = vf_min(least[0], least[j]);
        most[0] = vf_max(most[0], most[j]);
    }
    *low = vf_least(least[0]);
    *high = vf_most(most[0]);
    for (; i < columns; i++) {
        const float v = x[i] == without ? 0.0f : x[i];
        *low = v < *low ? v : *low;
        *high = v > *high ? v : *high;
    }
}

/* The column that alone has this value; columns when it is not alone. */
ALWAYS uint32_t column_of(const float *x, uint32_t columns, float value) {
    const vf wanted = vf_set(value);
    uint32_t found = columns;
    uint32_t i = 0;
    for (; i + GTI_LANES <= columns; i += GTI_LANES) {
        const uint32_t bits = vf_equal(vf_load(x + i), wanted);
        if (bits != 0) {
            if (found < columns || (bits & (bits - 1)) != 0) {
                return columns;
            }
            found = i + (uint32_t)__builtin_ctz(bits);
        }
    }
    for (; i < columns; i++) {
        if (x[i] == value) {
            if (found < columns) {
                return columns;
            }
            found = i;
        }
    }
    return found;
}

/*
 * One group of a row, as packed.h says: shift is the least value and scale a 255th of the range. The farthest value stands
 * apart, where it may, if it is 0.4 of the range away from the others.
 */
ALWAYS void quantize_group(const float *x, uint32_t columns, bool apart, uint8_t *q, gti_scaling *to) {
    float low;
    float high;
    uint32_t column = columns;
    range_of(x, columns, NAN, &low, &high);
    if (apart) {
        const float far = high > -low ? high : low;
        float inner_low;
        float inner_high;
        range_of(x, columns, far, &inner_low, &inner_high);
        if (inner_high * 0.5f - inner_low * 0.5f < 0.6f * (high * 0.5f - low * 0.5f)) {
            column = column_of(x, columns, far);
        }
        if (column < columns) {
            low = inner_low;
            high = inner_high;
        }
    }
    /* Halves first: the range itself may be too large for a float. */
    const float step = (high * 0.5f - low * 0.5f) * (2.0f / 255.0f);
    const float inverse = step > 1e-35f ? 1.0f / step : 0.0f;
    const vf offset = vf_set(low);
    const vf factor = vf_set(inverse);
    uint32_t i = 0;
    for (; i + GTI_LANES <= columns; i += GTI_LANES) {
        store_bytes(q + i, vf_mul(vf_sub(vf_load(x + i), offset), factor));
    }
    for (; i < columns; i++) {
        q[i] = i == column ? 0 : (uint8_t)lrintf((x[i] - low) * inverse);
    }
    *to = (gti_scaling){.scale = step > 1e-35f ? step : 0.0f, .shift = low};
    if (column < columns) {
        q[column] = 0;
        to->column = column;
        to->excess = x[column] - low;
    }
}

/* Columns at to at+width of a row, width up to a group and at its start. */
ALWAYS void prepare_columns(gti_compute compute, const float *x, uint32_t at, uint32_t width, uint64_t row,
                            const gti_operand *operand) {
    uint8_t *to = (uint8_t *)operand->rows + row * operand->stride;
    const uint32_t padding = GTI_PADDED_COLUMNS(width) - width;
    if (compute == GTI_COMPUTE_INT8) {
        const uint64_t group = row * GTI_GROUPS_OF(operand->columns) + at / GTI_GROUP;
        quantize_group(x, width, operand->apart, to + at, operand->scaling + group);
        memset(to + at + width, 0, padding);
        return;
    }
#ifdef GTI_BF16
    if (compute == GTI_COMPUTE_BF16) {
        bf16_round(x, width, (uint16_t *)to + at);
        memset((uint16_t *)to + at + width, 0, padding * sizeof(uint16_t));
        return;
    }
#endif
    memcpy((float *)to + at, x, width * sizeof(float));
    memset((float *)to + at + width, 0, padding * sizeof(float));
}

ALWAYS uint32_t group_width(uint32_t columns, uint32_t at) {
    return columns - at < GTI_GROUP ? columns - at : GTI_GROUP;
}

ALWAYS void prepare_row(gti_compute compute, const float *x, uint64_t row, const gti_operand *operand) {
    for (uint32_t at = 0; at < operand->columns; at += GTI_GROUP) {
        prepare_columns(compute, x + at, at, group_width(operand->columns, at), row, operand);
    }
}

static void prepare(gti_compute compute, const float *x, uint64_t stride, uint64_t first, uint32_t count,
                    const gti_operand *operand) {
    for (uint32_t i = 0; i < count; i++) {
        prepare_row(compute, x + i * stride, first + i, operand);
    }
}

/* The sum of x - center, or of its squares. */
ALWAYS float sum_of(const bool squares, const float *x, uint32_t columns, float center) {
    vf sums[CHAINS];
    const vf from = vf_set(center);
    uint32_t i = 0;
    for (uint32_t j = 0; j < CHAINS; j++) {
        sums[j] = vf_set(0.0f);
    }
    for (; i + CHAINS * GTI_LANES <= columns; i += CHAINS * GTI_LANES) {
        for (uint32_t j = 0; j < CHAINS; j++) {
            const vf d = vf_sub(vf_load(x + i + j * GTI_LANES), from);
            sums[j] = squares ? vf_fma(d, d, sums[j]) : vf_add(sums[j], d);
        }
    }
    for (uint32_t j = 1; j < CHAINS; j++) {
        sums[0] = vf_add(sums[0], sums[j]);
    }
    float sum = vf_sum(sums[0]);
    for (; i < columns; i++) {
        const float d = x[i] - center;
        sum += squares ? d * d : d;
    }
    return sum;
}

static void norm(gti_compute compute, const gti_norm *with, float epsilon, float *x, uint64_t stride, uint64_t first,
                 uint32_t count, const gti_operand *operand) {
    const uint32_t columns = with->weight.columns;
    const float *weight = with->weight.data;
    const float *bias = with->bias.data;
    const uint32_t whole = columns / GTI_LANES * GTI_LANES;
    const uint32_t rest = columns - whole;
    for (uint32_t r = 0; r < count; r++) {
        float *row = x + r * stride;
        const float mean = sum_of(false, row, columns, 0.0f) / (float)columns;
        const float variance = sum_of(true, row, columns, mean) / (float)columns;
        const vf center = vf_set(mean);
        const vf scale = vf_set(1.0f / sqrtf(variance + epsilon));
        for (uint32_t i = 0; i < whole; i += GTI_LANES) {
            const vf d = vf_mul(vf_sub(vf_load(row + i), center), scale);
            vf_store(row + i, vf_fma(d, vf_load(weight + i), vf_load(bias + i)));
        }
        if (rest > 0) {
            const vf d = vf_mul(vf_sub(vf_load_some(row + whole, rest), center), scale);
            vf_store_some(row + whole,
                          vf_fma(d, vf_load_some(weight + whole, rest), vf_load_some(bias + whole, rest)), rest);
        }
        if (operand != NULL) {
            prepare_row(compute, row, first + r, operand);
        }
    }
}

/* ---- products ---- */

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

#define TILE_CASE(tile, rows, vectors)                                                                                 \
    case rows:                                                                                                         \
        tile(rows, vectors, a, a_stride, b, b_stride, depth, c, c_stride, first);                                      \
        break

#define TILE_ROWS(tile, vectors)                                                                                       \
    switch (rows) {                                                                                                    \
        TILE_CASE(tile, 1, vectors);                                                                                   \
        TILE_CASE(tile, 2, vectors);                                                                                   \
        TILE_CASE(tile, 3, vectors);                                                                                   \
        TILE_CASE(tile, 4, vectors);                                                                                   \
        TILE_CASE(tile, 5, vectors);                                                                                   \
        TILE_CASE(tile, 6, vectors);                                                                                   \
    }

/* The same for any number of columns, rounded up to whole vectors. */
static void f32_tile(uint32_t rows, uint32_t columns, const float *a, uint64_t a_stride, const float *b,
                     uint64_t b_stride, uint32_t depth, float *c, uint64_t c_stride, bool first) {
    for (uint32_t left = (columns + GTI_LANES - 1) / GTI_LANES; left > 0;) {
        uint32_t vectors = left < GTI_TILE_VECTORS ? left : GTI_TILE_VECTORS;
#if GTI_TILE_VECTORS == 4
        if (vectors >= 3) {
            TILE_ROWS(f32_tile_of, 4);
            vectors = 4;
        } else
#endif
            if (vectors == 2) {
            TILE_ROWS(f32_tile_of, 2);
        } else {
            TILE_ROWS(f32_tile_of, 1);
        }
        left = left > vectors ? left - vectors : 0;
        b += vectors * GTI_LANES;
        c += vectors * GTI_LANES;
    }
}

/* How a tile ends: each kind is compiled by itself. */
typedef enum end_kind { END_PLAIN, END_RESIDUAL, END_GELU, END_RELU, END_BF16 } end_kind;

/* What becomes of a panel's sums that are complete, a row at a time: pointers are to the current one. */
typedef struct tile_end {
    end_kind kind;
    const float *scales; /* [64], of outputs; NULL where products have none */
    const float *bias;   /* [64] */
    const float *residual;
    uint64_t residual_stride; /* 0 without */
    uint8_t *out;             /* bf16 or floats */
    uint64_t out_stride;      /* bytes */
    bool staged;
} tile_end;

static end_kind kind_of(const gti_epilogue *e) {
    return e->out_bf16 != NULL                           ? END_BF16
           : e->residual != NULL                         ? END_RESIDUAL
           : e->activation == GTI_ACTIVATION_GELU_ERF ? END_GELU
           : e->activation == GTI_ACTIVATION_RELU     ? END_RELU
                                                         : END_PLAIN;
}

/* Calls end(kind) with the kind that it is, as a constant. */
#define EACH_KIND(kind, end)                                                                                           \
    switch (kind) {                                                                                                    \
        case END_PLAIN:                                                                                                \
            end(END_PLAIN);                                                                                            \
            break;                                                                                                     \
        case END_RESIDUAL:                                                                                             \
            end(END_RESIDUAL);                                                                                         \
            break;                                                                                                     \
        case END_GELU:                                                                                                 \
            end(END_GELU);                                                                                             \
            break;                                                                                                     \
        case END_RELU:                                                                                                 \
            end(END_RELU);                                                                                             \
            break;                                                                                                     \
        case END_BF16:                                                                                                 \
            end(END_BF16);                                                                                             \
            break;                                                                                                     \
    }

/* The complete sums x of the outputs from i on, finished and stored. */
ALWAYS void end_vector(const end_kind kind, const bool scaled, const tile_end *e, uint32_t i, vf x) {
    const vf bias = vf_load(e->bias + i);
    vf y = scaled ? vf_fma(x, vf_load(e->scales + i), bias) : vf_add(x, bias);
    if (kind == END_RESIDUAL) {
        y = vf_add(y, vf_load(e->residual + i));
    } else if (kind == END_GELU) {
        y = scaled ? gelu_short(y) : gelu_erf(y);
    } else if (kind == END_RELU) {
        y = vf_max(y, vf_set(0.0f));
    }
#ifdef GTI_BF16
    if (kind == END_BF16) {
        bf16_store((uint16_t *)e->out + i, y);
        return;
    }
#endif
    vf_store((float *)e->out + i, y);
}

/* Keeps the compiler from working out every row's address beforehand, which takes longer than the rows. */
#define STEP(pointer, by)                                                                                              \
    do {                                                                                                               \
        (pointer) += (by);                                                                                             \
        __asm__("" : "+r"(pointer));                                                                                   \
    } while (0)

ALWAYS void next_row(tile_end *e) {
    STEP(e->residual, e->residual_stride);
    STEP(e->out, e->out_stride);
}

ALWAYS void end_rows_of(const end_kind kind, tile_end e, uint32_t count, const float *c) {
    for (uint32_t r = 0; r < count; r++) {
        for (uint32_t i = 0; i < GTI_PANEL; i += GTI_LANES) {
            end_vector(kind, false, &e, i, vf_load(c + r * GTI_PANEL + i));
        }
        next_row(&e);
    }
}

/* Ends count rows of c, [count][64], whose products have no scales. */
static void end_rows(const tile_end *e, uint32_t count, const float *c) {
#define END(kind) end_rows_of(kind, *e, count, c)
    EACH_KIND(e->kind, END)
#undef END
}

/* Up to TILE rows times one group of a panel. */
typedef struct int8_product {
    const uint8_t *a; /* [rows][stride] */
    uint64_t stride;
    const int8_t *w;
    uint32_t columns;
    const int8_t *ahead; /* at each step of four columns, so many bytes of it are asked for: 0, 32, 64, 128 or 256 */
    uint32_t ahead_step;
    const float *sums_w; /* [64] */
    bool last;           /* of the groups */
    /* Of the current row: */
    const gti_scaling *scaling;
    uint64_t groups;
    const float *before; /* [64]: what the groups before and the column that stands apart come to; or with */
    bool apart;          /* the weights of that column, which all rows share, in the first group */
    uint64_t before_stride;
    float *c; /* [64], and behind it the next row's: what they come to with this group; unless it is the last */
} int8_product;

/* The exact sums x of the outputs from i on: scaled, shifted and added to those of the groups before. */
ALWAYS vf add_group(const bool apart, const int8_product *p, uint32_t i, vf scale, vf shift, vf x) {
    vf before = vf_load(p->before + i);
    if (apart) {
        before = vf_mul(vf_set(p->scaling->excess), before);
    }
    return vf_fma(shift, vf_load(p->sums_w + i), vf_fma(scale, x, before));
}

ALWAYS void next_product_row(int8_product *p, tile_end *e) {
    STEP(p->scaling, p->groups);
    STEP(p->before, p->before_stride);
    STEP(p->c, GTI_PANEL);
    next_row(e);
}

#ifndef GTI_INT8_TILE
ALWAYS void end_sums(const end_kind kind, int8_product p, tile_end e, uint32_t rows, const int32_t *sums) {
    for (uint32_t r = 0; r < rows; r++) {
        const vf scale = vf_set(p.scaling->scale);
        const vf shift = vf_set(p.scaling->shift);
        for (uint32_t i = 0; i < GTI_PANEL; i += GTI_LANES) {
            const vf y = add_group(p.apart, &p, i, scale, shift, vf_from_int(sums + r * GTI_PANEL + i));
            if (p.last) {
                end_vector(kind, true, &e, i, y);
            } else {
                vf_store(p.c + i, y);
            }
        }
        next_product_row(&p, &e);
    }
}

ALWAYS void int8_tile(uint32_t rows, const int8_product *p, const tile_end *e) {
    int32_t sums[TILE * GTI_PANEL];
    int8_sums(p->a, p->stride, rows, p->w, p->columns, sums);
#define END(kind) end_sums(kind, *p, *e, rows, sums)
    EACH_KIND(e->kind, END)
#undef END
}
#else
ALWAYS void int8_tile(uint32_t rows, const int8_product *p, const tile_end *e);
#endif

ALWAYS void ask_for(const float *panel) {
    for (uint32_t i = 0; i < GTI_PANEL; i += 16) {
        __builtin_prefetch(panel + i);
    }
}

/* What the end of a tile will read and write, unless that was staged: it is near. */
ALWAYS void ask_for_rows(const tile_end *e, uint32_t rows) {
    const uint32_t bytes = GTI_PANEL * (e->kind == END_BF16 ? sizeof(uint16_t) : sizeof(float));
    if (e->staged) {
        return;
    }
    for (uint32_t r = 0; r < rows; r++) {
        if (e->kind == END_RESIDUAL) {
            ask_for(e->residual + r * e->residual_stride);
        }
        for (uint32_t i = 0; i < bytes; i += 64) {
            __builtin_prefetch(e->out + r * e->out_stride + i, 1);
        }
    }
}

/* A column's weights, of a panel's group. */
static void column_weights(const int8_t *w, uint32_t column, float *out) {
    const uint32_t left = 24 - column % 4 * 8;
    w += column / 4 * 4 * GTI_PANEL;
    for (uint32_t i = 0; i < GTI_PANEL; i++) {
        uint32_t four;
        memcpy(&four, w + i * 4, sizeof(four));
        out[i] = (float)((int32_t)(four << left) >> 24);
    }
}

/* The columns that stand apart in the rows of a tile, once their weights are known. */
typedef struct apart_column {
    uint32_t column;
    float weights[GTI_PANEL] __attribute__((aligned(64)));
} apart_column;

/* Adds to before what comes from the columns that stand apart in a tile's rows. */
static void add_apart(int8_product *p, uint32_t rows, apart_column *at) {
    bool some = false;
    bool shared = p->before_stride == 0;
    for (uint32_t r = 0; r < rows; r++) {
        const gti_scaling *scaling = p->scaling + r * p->groups;
        if (scaling->excess != 0) {
            shared &= !some || scaling->column == at->column;
            if (scaling->column != at->column) {
                at->column = scaling->column;
                column_weights(p->w, at->column, at->weights);
            }
            some = true;
        }
    }
    if (some && shared) {
        p->before = at->weights;
        p->apart = true;
        return;
    }
    for (uint32_t r = 0; some && r < rows; r++) {
        const gti_scaling *scaling = p->scaling + r * p->groups;
        const vf excess = vf_set(scaling->excess);
        if (scaling->excess != 0 && scaling->column != at->column) {
            at->column = scaling->column;
            column_weights(p->w, at->column, at->weights);
        }
        for (uint32_t i = 0; i < GTI_PANEL; i += GTI_LANES) {
            const vf before = vf_load(p->before + r * p->before_stride + i);
            vf_store(p->c + r * GTI_PANEL + i, vf_fma(excess, vf_load(at->weights + i), before));
        }
    }
    if (some) {
        p->before = p->c;
        p->before_stride = GTI_PANEL;
    }
}

/* next: weights that come after this panel's */
static void multiply_int8(const gti_packed *w, const gti_operand *operand, uint64_t first, uint32_t count,
                          uint32_t panel, const tile_end *e, const int8_t *next, float *c) {
    static const float none[GTI_PANEL];
    const uint32_t columns = w->columns;
    const uint32_t groups = GTI_GROUPS_OF(columns);
    /* The first tiles share the work of asking for the group of weights that follows. */
    const uint32_t tiles = (count + TILE - 1) / TILE;
    const uint32_t share = tiles == 1 ? 256 : tiles < 4 ? 128 : tiles < 8 ? 64 : 32;
    int8_product p = {.stride = operand->stride, .w = gti_panel(w, panel), .groups = groups};
    ask_for(e->scales);
    ask_for(e->bias);
    for (uint32_t g = 0; g < groups; g++) {
        const uint32_t left = columns - g * GTI_GROUP;
        tile_end end = *e;
        p.columns = left < GTI_GROUP ? GTI_PADDED_COLUMNS(left) : GTI_GROUP;
        p.sums_w = w->sums + ((uint64_t)panel * groups + g) * GTI_PANEL;
        p.last = g + 1 == groups;
        p.ahead = p.last ? next : p.w + p.columns * GTI_PANEL;
        apart_column column = {.column = UINT32_MAX};
        ask_for(p.sums_w);
        for (uint32_t r = 0, asked = 0; r < count;) {
            const uint32_t rows = tile_rows(count - r);
            const uint64_t row = first + r;
            p.ahead_step = asked < 256 ? share : 0;
            p.a = (const uint8_t *)operand->rows + row * operand->stride + g * GTI_GROUP;
            p.scaling = operand->scaling + row * groups + g;
            p.c = c + r * GTI_PANEL;
            p.before = g == 0 ? none : p.c;
            p.before_stride = g == 0 ? 0 : GTI_PANEL;
            p.apart = false;
            if (operand->apart) {
                add_apart(&p, rows, &column);
            }
            if (p.last) {
                ask_for_rows(&end, rows);
            }
            int8_tile(rows, &p, &end);
            p.ahead += (uint64_t)share * p.columns / 4;
            asked += share;
            end.residual += rows * end.residual_stride;
            end.out += rows * end.out_stride;
            r += rows;
        }
        p.w += (uint64_t)p.columns * GTI_PANEL;
    }
}

/* Columns that are multiplied with all rows before the next: their weights stay in the first cache. */
#define F32_DEPTH 64

static void multiply_f32(const gti_packed *w, const gti_operand *operand, uint64_t first, uint32_t count,
                         uint32_t panel, const tile_end *e, float *c) {
    const float *weights = gti_panel(w, panel);
    for (uint32_t k = 0; k < w->columns; k += F32_DEPTH) {
        const uint32_t depth = w->columns - k < F32_DEPTH ? w->columns - k : F32_DEPTH;
        for (uint32_t r = 0; r < count;) {
            const uint32_t rows = tile_rows(count - r);
            const uint8_t *a = (const uint8_t *)operand->rows + (first + r) * operand->stride;
            f32_tile(rows, GTI_PANEL, (const float *)a + k, operand->stride / sizeof(float), weights + k * GTI_PANEL,
                     GTI_PANEL, depth, c + r * GTI_PANEL, GTI_PANEL, k == 0);
            r += rows;
        }
    }
    end_rows(e, count, c);
}

#ifdef GTI_BF16
#define BF16_DEPTH 128

static void multiply_bf16(const gti_packed *w, const gti_operand *operand, uint64_t first, uint32_t count,
                          uint32_t panel, const tile_end *e, float *c) {
    const uint32_t columns = GTI_PADDED_COLUMNS(w->columns);
    const uint16_t *weights = gti_panel(w, panel);
    for (uint32_t k = 0; k < columns; k += BF16_DEPTH) {
        const uint32_t depth = columns - k < BF16_DEPTH ? columns - k : BF16_DEPTH;
        for (uint32_t r = 0; r < count;) {
            const uint32_t rows = tile_rows(count - r);
            const uint8_t *a = (const uint8_t *)operand->rows + (first + r) * operand->stride;
            bf16_tile(rows, GTI_PANEL, (const uint32_t *)a + k / 2, operand->stride / sizeof(uint32_t),
                      (const uint32_t *)(weights + (uint64_t)k * GTI_PANEL), GTI_PANEL, depth / 2, c + r * GTI_PANEL,
                      GTI_PANEL, k == 0);
            r += rows;
        }
    }
    end_rows(e, count, c);
}
#endif

static tile_end end_of(const gti_packed *w, const gti_epilogue *e, uint64_t first, uint32_t panel, float *staged) {
    const uint64_t column = (uint64_t)panel * GTI_PANEL;
    const uint64_t at = first * e->out_stride + column;
    tile_end end = {.kind = kind_of(e), .bias = w->bias + column, .out_stride = e->out_stride * sizeof(float)};
    if (w->compute == GTI_COMPUTE_INT8) {
        end.scales = w->scales + column;
    }
    if (e->residual != NULL) {
        end.residual = e->residual + first * e->residual_stride + column;
        end.residual_stride = e->residual_stride;
    }
    if (e->operand != NULL) {
        end.staged = true;
        end.out = (uint8_t *)(staged + column % GTI_GROUP);
        end.out_stride = GTI_GROUP * sizeof(float);
    } else if (e->out != NULL) {
        end.out = (uint8_t *)(e->out + at);
    } else {
        end.out = (uint8_t *)(e->out_bf16 + at);
        end.out_stride = e->out_stride * sizeof(uint16_t);
    }
    return end;
}

static void linear_rows(const gti_packed *w, const gti_operand *operand, uint64_t first, uint32_t count, uint32_t from,
                        uint32_t to, const gti_epilogue *e, const void *next, void *scratch) {
    float *c = scratch;
    float *staged = c + GTI_BLOCK * GTI_PANEL;
    const bool rare = e->activation == GTI_ACTIVATION_TANH || e->activation == GTI_ACTIVATION_GELU_TANH;
    for (uint32_t panel = from; panel < to; panel++) {
        const tile_end end = end_of(w, e, first, panel, staged);
        if (w->compute == GTI_COMPUTE_INT8) {
            const int8_t *following = gti_panel(w, panel + 1);
            multiply_int8(w, operand, first, count, panel, &end, panel + 1 < to || next == NULL ? following : next, c);
        }
#ifdef GTI_BF16
        else if (w->compute == GTI_COMPUTE_BF16) {
            multiply_bf16(w, operand, first, count, panel, &end, c);
        }
#endif
        else {
            multiply_f32(w, operand, first, count, panel, &end, c);
        }
        for (uint32_t r = 0; rare && r < count; r++) {
            activate_scalar(e->activation, (float *)(end.out + r * end.out_stride), GTI_PANEL);
        }
        const bool group_ends = (panel + 1) % (GTI_GROUP / GTI_PANEL) == 0 || panel + 1 == to;
        for (uint32_t r = 0; e->operand != NULL && group_ends && r < count; r++) {
            const uint32_t at = panel * GTI_PANEL / GTI_GROUP * GTI_GROUP;
            prepare_columns(w->compute, staged + r * GTI_GROUP, at, group_width(e->operand->columns, at), first + r,
                            e->operand);
        }
    }
}

static void linear(const gti_packed *w, const gti_operand *operand, uint64_t first, uint32_t count, uint32_t from,
                   uint32_t to, const gti_epilogue *e, const void *next, void *scratch) {
    const uint32_t parts = e->operand == NULL ? 1 : (count + GTI_STAGED - 1) / GTI_STAGED;
    for (uint32_t part = 0; part < parts; part++) {
        const uint32_t start = count * part / parts;
        const uint32_t end = count * (part + 1) / parts;
        linear_rows(w, operand, first + start, end - start, from, to, e, part + 1 < parts ? gti_panel(w, from) : next,
                    scratch);
    }
}

/* ---- attention ---- */

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
                      GTI_PANEL, pairs, scores + k, padded, true);
        }
        float factors[TILE];
        for (uint32_t r = 0; r < count; r++) {
            factors[r] = 1.0f / softmax_bf16(scores + r * (uint64_t)padded, at->key_count, at->scale,
                                             weights + r * (uint64_t)padded);
        }
        bf16_tile(count, at->width, (const uint32_t *)weights, padded / 2, values, out_width, key_pairs, mixed,
                  out_width, true);
        for (uint32_t r = 0; r < count; r++) {
            store_scaled(mixed + r * out_width, at->width, factors[r], at->out + (q + r) * at->out_stride);
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
