package io.gatun.inference;

import io.gatun.service.Classified;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Triton's classification extension: the largest values of a row as texts. */
final class Classes {
    private Classes() {}

    /** {@code [texts][count]} of {@code value:index:label}, the largest first. */
    static OutputTensor of(String name, Classified classified, long count) {
        List<String> labels = classified.head().labels();
        int kept = (int) Math.min(count, labels.size());
        List<byte[]> elements = new ArrayList<>();
        for (float[] logits : classified.logits()) {
            IntStream.range(0, logits.length)
                    .boxed()
                    .sorted(Comparator.<Integer>comparingDouble(i -> -logits[i]))
                    .limit(kept)
                    .map(i -> String.format(Locale.ROOT, "%f:%d:%s", logits[i], i, labels.get(i)))
                    .forEach(text -> elements.add(text.getBytes(StandardCharsets.UTF_8)));
        }
        return new OutputTensor.Texts(name, List.of((long) classified.logits().size(), (long) kept), elements);
    }
}
