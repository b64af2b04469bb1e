package io.gatun.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Shows the reason of a size that cannot be read. */
final class MemorySizeConverter implements ITypeConverter<MemorySize> {
    @Override
    public MemorySize convert(String text) {
        try {
            return MemorySize.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
