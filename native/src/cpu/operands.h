/*
 * operands.h - part of ops.h: rows made ready to be multiplied, as packed.h says; norms.
 */
#ifndef GTI_OPERANDS_H
#define GTI_OPERANDS_H

/* The least and the most of x; with some, of 0 and what does not equal without. */
ALWAYS void range_of(const float *x, uint32_t columns, const bool some, float without, float *low, float *high) {
    vf least[CHAINS];
    vf most[CHAINS];
    const vf skipped = vf_set(without);
    uint32_t i = 0;
    for (uint32_t j = 0; j < CHAINS; j++) {
        least[j] = most[j] = vf_set(some ? 0.0f : x[0]);
    }
    for (; i + CHAINS * GTI_LANES <= columns; i += CHAINS * GTI_LANES) {
        for (uint32_t j = 0; j < CHAINS; j++) {
            const vf all = vf_load(x + i + j * GTI_LANES);
            const vf v = some ? vf_unless_equal(all, skipped) : all;
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
        const float v = some && x[i] == without ? 0.0f : x[i];
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
 * One group of a row, as packed.h says: shift is the least value and scale a 255th of the range. The value that is
 * farthest from 0 stands apart, where it may, if the others and 0 lie within 0.6 of the range.
 */
ALWAYS void quantize_group(const float *x, uint32_t columns, bool apart, uint8_t *q, gti_scaling *to) {
    float low;
    float high;
    uint32_t column = columns;
    range_of(x, columns, false, 0.0f, &low, &high);
    if (apart) {
        const float far = high > -low ? high : low;
        float inner_low;
        float inner_high;
        range_of(x, columns, true, far, &inner_low, &inner_high);
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

#endif
