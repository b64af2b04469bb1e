/*
 * linears.h - part of ops.h: linears, with all that becomes of their results.
 */
#ifndef GTI_LINEARS_H
#define GTI_LINEARS_H

/* How a tile ends: each kind is compiled by itself. GROUP: other groups of its columns follow. */
typedef enum end_kind { END_GROUP, END_PLAIN, END_RESIDUAL, END_GELU, END_RELU, END_BF16 } end_kind;

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
    if (e->out_bf16 != NULL) {
        return END_BF16;
    }
    if (e->residual != NULL) {
        return END_RESIDUAL;
    }
    return e->activation == GTI_ACTIVATION_GELU_ERF ? END_GELU
           : e->activation == GTI_ACTIVATION_RELU   ? END_RELU
                                                    : END_PLAIN;
}

/* Calls end(kind) with the kind that it is, as a constant. */
#define EACH_KIND(kind, end)                                                                                           \
    switch (kind) {                                                                                                    \
        case END_GROUP:                                                                                                \
            end(END_GROUP);                                                                                            \
            break;                                                                                                     \
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
    /* Of the current row: */
    const gti_scaling *scaling;
    uint64_t groups;
    const float *before;    /* [64]: what this group is added to */
    uint64_t before_stride; /* 0: all rows have the same */
    bool apart;             /* before is weights of the column that all rows share, times each row's excess */
    float *c; /* [64], and behind it the next row's: what they come to with this group; END_GROUP only */
} int8_product;

/* The exact sums x of the outputs from i on: scaled, shifted, added to those of the groups before, and ended. */
ALWAYS void end_sums(const end_kind kind, const bool apart, const int8_product *p, const tile_end *e, uint32_t i,
                     vf x) {
    const vf scale = vf_set(p->scaling->scale);
    const vf shift = vf_set(p->scaling->shift);
    vf before = vf_load(p->before + i);
    if (apart) {
        before = vf_mul(vf_set(p->scaling->excess), before);
    }
    const vf y = vf_fma(shift, vf_load(p->sums_w + i), vf_fma(scale, x, before));
    if (kind == END_GROUP) {
        vf_store(p->c + i, y);
    } else {
        end_vector(kind, true, e, i, y);
    }
}

ALWAYS void next_product_row(int8_product *p, tile_end *e) {
    STEP(p->scaling, p->groups);
    STEP(p->before, p->before_stride);
    STEP(p->c, GTI_PANEL);
    next_row(e);
}

#ifndef GTI_INT8_TILE
ALWAYS void end_tile(const end_kind kind, int8_product p, tile_end e, uint32_t rows, const int32_t *sums) {
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t i = 0; i < GTI_PANEL; i += GTI_LANES) {
            end_sums(kind, p.apart, &p, &e, i, vf_from_int(sums + r * GTI_PANEL + i));
        }
        next_product_row(&p, &e);
    }
}

ALWAYS void int8_tile(uint32_t rows, const int8_product *p, const tile_end *e) {
    int32_t sums[TILE * GTI_PANEL];
    int8_sums(p->a, p->stride, rows, p->w, p->columns, sums);
#define END(kind) end_tile(kind, *p, *e, rows, sums)
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

/* at = the column that stands apart in a row; false if there is none. */
static bool find_apart(const int8_product *p, uint32_t row, apart_column *at) {
    const gti_scaling *scaling = p->scaling + row * p->groups;
    if (scaling->excess != 0 && scaling->column != at->column) {
        at->column = scaling->column;
        column_weights(p->w, at->column, at->weights);
    }
    return scaling->excess != 0;
}

/* Adds to before what comes from the columns that stand apart in a tile's rows. */
static void add_apart(int8_product *p, uint32_t rows, apart_column *at) {
    bool some = false;
    bool shared = p->before_stride == 0;
    for (uint32_t r = 0; r < rows; r++) {
        const uint32_t column = at->column;
        if (find_apart(p, r, at)) {
            shared &= !some || at->column == column;
            some = true;
        }
    }
    if (!some) {
        return;
    }
    if (shared) {
        p->before = at->weights;
        p->apart = true;
        return;
    }
    for (uint32_t r = 0; r < rows; r++) {
        const vf excess = vf_set(p->scaling[r * p->groups].excess);
        find_apart(p, r, at);
        for (uint32_t i = 0; i < GTI_PANEL; i += GTI_LANES) {
            const vf before = vf_load(p->before + r * p->before_stride + i);
            vf_store(p->c + r * GTI_PANEL + i, vf_fma(excess, vf_load(at->weights + i), before));
        }
    }
    p->before = p->c;
    p->before_stride = GTI_PANEL;
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
        const bool last = g + 1 == groups;
        tile_end end = *e;
        end.kind = last ? e->kind : END_GROUP;
        p.columns = left < GTI_GROUP ? GTI_PADDED_COLUMNS(left) : GTI_GROUP;
        p.sums_w = w->sums + ((uint64_t)panel * groups + g) * GTI_PANEL;
        p.ahead = last ? next : p.w + p.columns * GTI_PANEL;
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
            if (last) {
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
                      GTI_PANEL, k == 0, NULL);
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

#endif
