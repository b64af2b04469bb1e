package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Job;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** What all tasks share: which head answers, texts to tokens, and tokens to what the kernel says of them. Thread-safe. */
final class Computation {
    /** Logits that a request holds at a time: 16 MiB. */
    private static final long MAX_LOGITS = 1 << 22;

    private final Encoder encoder;
    private final Inference inference;

    Computation(Encoder encoder, Inference inference) {
        this.encoder = encoder;
        this.inference = inference;
    }

    Encoder encoder() {
        return encoder;
    }

    /** What the kernel says of each input. */
    List<Answer> answers(Call call, ServedModel served, List<Encoding> encodings, Outputs outputs)
            throws InterruptedException {
        return answers(call, served, encodings, Collections.nCopies(encodings.size(), outputs));
    }

    /** What the kernel says of each input, of each what is wanted of it. */
    List<Answer> answers(Call call, ServedModel served, List<Encoding> encodings, List<Outputs> outputs)
            throws InterruptedException {
        long deadline = inference.deadline(call);
        List<Job> jobs = new ArrayList<>(encodings.size());
        for (int i = 0; i < encodings.size(); i++) {
            Encoding encoding = encodings.get(i);
            jobs.add(new Job(encoding.ids(), served.model().typeIds(encoding), outputs.get(i), deadline));
        }
        return inference.answers(call, served, jobs);
    }

    /**
     * Cuts what a request computes into parts whose logits may be held together: nearly always one. Each holds at least
     * one item, however many logits that has.
     */
    static <T> List<List<T>> parts(List<T> items, ToLongFunction<T> logits) {
        List<List<T>> parts = new ArrayList<>();
        int start = 0;
        long held = 0;
        for (int i = 0; i < items.size(); i++) {
            long added = logits.applyAsLong(items.get(i));
            if (i > start && held + added > MAX_LOGITS) {
                parts.add(items.subList(start, i));
                start = i;
                held = 0;
            }
            held += added;
        }
        if (start < items.size()) {
            parts.add(items.subList(start, items.size()));
        }
        return parts;
    }

    /**
     * The head that answers.
     *
     * @param name or nothing: the model's first head of that task
     * @throws RequestException when the model has no such head, or one of another task
     */
    static Head head(ServedModel served, Optional<String> name, Task task) {
        TextModel model = served.model();
        requireHeads(model);
        Head head = name.isEmpty() ? model.defaultHead(task) : head(served, name.get());
        if (head.task() != task && model.defaultHead(task).task() != task) {
            throw RequestException.validation("The model \"" + model.name() + "\" has no head for " + task.id()
                    + "; ask another model, as the heads of this one are " + names(model) + ".");
        }
        if (head.task() != task) {
            throw RequestException.validation("The head \"" + head.name() + "\" is for "
                    + head.task().id() + ", and this request wants " + task.id() + "; name another of the heads "
                    + names(model) + ".");
        }
        return head;
    }

    /**
     * The head of a name.
     *
     * @throws RequestException when the model has no such head
     */
    static Head head(ServedModel served, String name) {
        TextModel model = served.model();
        requireHeads(model);
        return model.head(name)
                .orElseThrow(() -> RequestException.validation(
                        "The model \"" + model.name() + "\" has no head of that name; it has " + names(model) + "."));
    }

    private static void requireHeads(TextModel model) {
        if (model.description().heads().isEmpty()) {
            throw RequestException.validation(
                    "The model \"" + model.name() + "\" has no heads, so it predicts nothing; ask another model.");
        }
    }

    private static String names(TextModel model) {
        return model.description().heads().stream()
                .map(head -> "\"" + head.name() + "\" (" + head.task().id() + ")")
                .collect(Collectors.joining(", "));
    }
}
