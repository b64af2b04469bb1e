package io.gatun.cli;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes as people write it: {@code 512m}, {@code 2g}, {@code 1.5GiB}, {@code 1048576}. Units are of 1024. */
record MemorySize(long bytes) {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?) ?([kmgt]?)(?:i?b)?");
    private static final String UNITS = "kmgt";

    /**
     * Reads a size.
     *
     * @throws IllegalArgumentException with a sentence that shows the form
     */
    static MemorySize parse(String text) {
        Matcher form = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!form.matches()) {
            throw invalid(text);
        }
        long unit = form.group(2).isEmpty() ? 1 : 1L << (10 * (UNITS.indexOf(form.group(2)) + 1));
        BigDecimal bytes = new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(unit));
        if (bytes.signum() == 0 || bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw invalid(text);
        }
        return new MemorySize(bytes.longValue());
    }

    private static IllegalArgumentException invalid(String text) {
        return new IllegalArgumentException(
                "'" + text + "' is no size of memory; write it like 512m, 2g, 1GiB or a number of bytes");
    }

    /** Rounded up, so that the size shown is never less than the size meant. */
    static String show(long bytes) {
        if (bytes < 1 << 10) {
            return bytes + " bytes";
        }
        int unit = Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, 3);
        double scaled = Math.ceil(bytes * 10.0 / (1L << (10 * unit))) / 10;
        return String.format(
                Locale.ROOT,
                "%.1f %sB",
                scaled,
                switch (unit) {
                    case 1 -> "Ki";
                    case 2 -> "Mi";
                    default -> "Gi";
                });
    }
}
