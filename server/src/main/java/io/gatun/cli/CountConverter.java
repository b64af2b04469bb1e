package io.gatun.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A whole number above 0. */
final class CountConverter implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
        try {
            int count = Integer.parseInt(text.strip());
            if (count > 0) {
                return count;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new TypeConversionException("'" + text + "' is no whole number from 1 to " + Integer.MAX_VALUE);
    }
}
