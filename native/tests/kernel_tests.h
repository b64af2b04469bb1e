/*
 * kernel_tests.h - what the tests of single kernels share. The references in them are plain loops in double, written
 * from packed.h and kernels.h.
 */
#ifndef GTT_KERNEL_TESTS_H
#define GTT_KERNEL_TESTS_H

#include "check.h"
#include "guarded.h"
#include "model_builder.h"

#include "cpu/cpu.h"

#define GTT_MAX_SETS 8

/* The sets that this processor has, the best first. */
extern const gti_kernels *gtt_sets[GTT_MAX_SETS];
extern uint32_t gtt_set_count;

/* Guarded random floats from -scale to scale. */
float *gtt_guarded_floats(uint64_t count, float scale, uint64_t *seed);
/* A whole number from 0 to below n. */
uint32_t gtt_random_below(uint32_t n, uint64_t *seed);
/* bf16 is the upper half of a float. */
float gtt_from_bf16(uint16_t bits);
/* An activation in double, with erf and tanh. */
double gtt_activated(gti_activation activation, double x);
/* Column of row of an operand, as linears read it. */
double gtt_operand_at(gti_compute compute, const gti_operand *operand, uint64_t row, uint32_t column);
/* A guarded operand of so many rows, all of it 0xff. */
gti_operand gtt_guarded_operand(gti_compute compute, uint64_t rows, uint32_t columns);

/* test_linear.c: linears, their epilogues and activations */
void gtt_linear_tests(void);
/* test_attention.c: attention and norms */
void gtt_attention_tests(void);
/* test_pack.c: weights from a file's types to panels */
void gtt_pack_tests(void);

#endif
