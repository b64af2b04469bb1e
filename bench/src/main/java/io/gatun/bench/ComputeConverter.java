package io.gatun.bench;

import io.gatun.kernel.Compute;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code --compute}, by the names that users write. */
final class ComputeConverter implements ITypeConverter<Compute> {
    @Override
    public Compute convert(String value) {
        return Compute.of(value)
                .orElseThrow(
                        () -> new TypeConversionException("expected int8, f32, bf16 or ggml, but was '" + value + "'"));
    }
}
