package io.gatun.kernel;

/**
 * An instruction set that the library has code for.
 *
 * @param name as {@code GATUN_CPU} names it
 * @param supported whether this processor has it
 * @param inUse whether this process computes with it
 * @param bf16 whether {@link Compute#BF16} runs with it
 */
public record InstructionSet(String name, boolean supported, boolean inUse, boolean bf16) {}
