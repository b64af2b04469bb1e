package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.task.Passage;
import io.gatun.text.Encoding;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Classifies texts of any length, window by window. Thread-safe.
 *
 * <p>Of a pair the second text is cut, and each window has the whole first one.
 */
public final class DocumentClassifier {
    private final Catalogue catalogue;
    private final Computation computation;

    DocumentClassifier(Catalogue catalogue, Computation computation) {
        this.catalogue = catalogue;
        this.computation = computation;
    }

    /** What a head says of each window. {@code head}: or nothing, the model's first that classifies texts. */
    public ClassifiedDocuments classify(
            Call call, Optional<String> model, Optional<String> headName, List<Input> inputs, WindowSize size)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(model)) {
            ServedModel served = lease.served();
            Head head = Computation.head(served, headName, Task.TEXT_CLASSIFICATION);
            List<List<Encoding>> windows = computation.encoder().encodeWindows(call, served, inputs, size);
            List<Encoding> all = windows.stream().flatMap(List::stream).toList();
            Iterator<Answer> answers = computation
                    .answers(call, served, all, Outputs.ofHead(head.index()))
                    .iterator();
            List<List<Passage>> passages = windows.stream()
                    .map(text -> text.stream()
                            .map(window -> new Passage(
                                    window.start(), window.end(), answers.next().logits(head)))
                            .toList())
                    .toList();
            return new ClassifiedDocuments(served.name(), head, passages);
        }
    }
}
