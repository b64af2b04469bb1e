package io.gatun.cli;

import io.gatun.kernel.Compute;
import io.gatun.kernel.Kernel;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code --compute}, the same for all commands that run models. */
final class ComputeOption {
    /** Takes the names that users write. */
    static final class Converter implements ITypeConverter<Compute> {
        @Override
        public Compute convert(String text) {
            return Compute.of(text)
                    .orElseThrow(() -> new TypeConversionException("expected one of "
                            + Arrays.stream(Compute.values()).map(Compute::id).collect(Collectors.joining(", "))
                            + ", but was '" + text + "'"));
        }
    }

    @Option(
            names = "--compute",
            paramLabel = "HOW",
            description = "How linear layers are multiplied: int8, f32, bf16 where the processor has it, or ggml, "
                    + "which is slow (default: ${DEFAULT-VALUE}).",
            defaultValue = "int8",
            converter = Converter.class)
    private Compute compute = Compute.INT8;

    /** What was chosen, if this processor can do it. */
    Compute compute() {
        if (!Kernel.supports(compute)) {
            throw new CommandException("The instruction set in use, " + Kernel.cpu() + ", does not multiply "
                    + compute.id() + "; choose --compute int8 or f32.");
        }
        return compute;
    }
}
