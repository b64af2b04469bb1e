package io.gatun.model;

import java.io.IOException;
import java.util.Locale;

/**
 * By how much two tensors of one shape differ. Tensors of different types are the same when the coarser one holds the
 * numbers of the finer one as well as it can.
 *
 * @param largest the largest absolute difference; 0 where none is larger than a type's precision
 */
record Difference(double largest) {
    private static final int CHUNK = 1 << 16;
    private static final double SMALLEST_F16 = 0x1p-24; // steps of F16 are no finer than that

    static Difference between(Weights.Source a, Weights.Source b) throws IOException {
        int columns = Math.toIntExact(a.tensor().columns());
        long rows = a.tensor().rows();
        int chunk = (int) Math.clamp(CHUNK / columns, 1, rows);
        float[] left = new float[chunk * columns];
        float[] right = new float[chunk * columns];
        boolean sameType = a.tensor().type().equals(b.tensor().type());
        double relative = sameType
                ? 0
                : precision(a.tensor().type()) + precision(b.tensor().type());
        double largest = 0;
        for (long row = 0; row < rows; row += chunk) {
            int count = (int) Math.min(chunk, rows - row);
            a.file().read(a.tensor(), row, count, left);
            b.file().read(b.tensor(), row, count, right);
            for (int i = 0; i < count * columns; i++) {
                double difference = Math.abs((double) left[i] - right[i]);
                double size = Math.max(Math.abs(left[i]), Math.abs(right[i]));
                if (difference > largest && difference > (sameType ? 0 : relative * size + SMALLEST_F16)) {
                    largest = difference;
                }
            }
        }
        return new Difference(largest);
    }

    /** How far off a number may be, by its size, where it was cut off and not rounded. */
    private static double precision(String type) {
        return switch (type) {
            case "F16" -> 0x1p-10;
            case "BF16" -> 0x1p-7;
            default -> 0;
        };
    }

    boolean isNone() {
        return largest == 0;
    }

    static String shown(double number) {
        return String.format(Locale.ROOT, "%.3g", number);
    }
}
