package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.TextClassification;
import io.gatun.task.TokenClassification;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What all heads of a model say of texts, each text read once. Thread-safe. */
public final class Analyzer {
    /** Logits that a request holds at a time: 16 MiB. */
    private static final long MAX_LOGITS = 1 << 22;

    private final Catalogue catalogue;
    private final Computation computation;

    Analyzer(Catalogue catalogue, Computation computation) {
        this.catalogue = catalogue;
        this.computation = computation;
    }

    /**
     * What heads say of each text, by their names.
     *
     * @param headNames or none: all that need no more than a text
     * @param tokens how the labels of tokens become entities
     * @throws RequestException when the model has no such head, or one that needs more than a text
     */
    public List<Map<String, Finding>> analyze(
            Call call,
            Optional<String> modelName,
            Optional<List<String>> headNames,
            List<String> texts,
            Truncation truncation,
            TokenOptions tokens)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            List<Head> heads = headNames.isPresent() ? heads(served, headNames.get()) : heads(served);
            Outputs outputs = Outputs.ofHeads(heads);
            List<Input> inputs = texts.stream().<Input>map(Input.Text::new).toList();
            List<Encoding> encodings = computation.encoder().encodeWithOffsets(call, served, inputs, truncation);
            List<Map<String, Finding>> findings = new ArrayList<>(texts.size());
            while (findings.size() < texts.size()) {
                int start = findings.size();
                List<Encoding> part = encodings.subList(start, partEnd(encodings, start, heads));
                List<Answer> answers = computation.answers(call, served, part, outputs);
                for (int i = 0; i < part.size(); i++) {
                    findings.add(
                            findings(served.model(), heads, texts.get(start + i), part.get(i), answers.get(i), tokens));
                }
            }
            return findings;
        }
    }

    private static List<Head> heads(ServedModel served) {
        List<Head> heads = served.model().description().heads().stream()
                .filter(head -> needsOnlyText(head.task()))
                .toList();
        if (heads.isEmpty()) {
            throw RequestException.validation("The model \"" + served.name()
                    + "\" has no head that says anything of a text alone; ask another model.");
        }
        return heads;
    }

    private static List<Head> heads(ServedModel served, List<String> names) {
        if (names.isEmpty()) {
            throw RequestException.validation(
                    "The list \"heads\" is empty; name at least one head, or leave it out to ask all.");
        }
        List<Head> heads = new ArrayList<>();
        for (String name : names) {
            Head head = Computation.head(served, name);
            if (!needsOnlyText(head.task())) {
                throw RequestException.validation("The head \"" + head.name() + "\" is for "
                        + head.task().id() + ", which needs more than a text; ask the route of that task.");
            }
            heads.add(head);
        }
        return heads.stream().distinct().toList();
    }

    private static boolean needsOnlyText(Task task) {
        return switch (task) {
            case TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION -> true;
            case QUESTION_ANSWERING, FILL_MASK -> false;
        };
    }

    /** How many texts from one on have logits that may be held together; at least one. */
    private static int partEnd(List<Encoding> encodings, int start, List<Head> heads) {
        long logits = 0;
        int end = start;
        while (end < encodings.size()) {
            for (Head head : heads) {
                int rows = head.task() == Task.TOKEN_CLASSIFICATION
                        ? encodings.get(end).length()
                        : 1;
                logits += (long) rows * head.labels().size();
            }
            if (end > start && logits > MAX_LOGITS) {
                return end;
            }
            end++;
        }
        return end;
    }

    private static Map<String, Finding> findings(
            TextModel model, List<Head> heads, String text, Encoding encoding, Answer answer, TokenOptions tokens) {
        Map<String, Finding> findings = new LinkedHashMap<>();
        for (Head head : heads) {
            float[] logits = answer.logits(head);
            findings.put(
                    head.name(),
                    switch (head.task()) {
                        case TEXT_CLASSIFICATION -> new Finding.Labels(TextClassification.scores(head, logits, false));
                        case TOKEN_CLASSIFICATION -> {
                            TokenClassification task = TokenClassifier.task(model, head, tokens);
                            yield new Finding.Entities(task.entities(new CodePoints(text), encoding, logits).stream()
                                    .filter(entity -> entity.score() >= (float) tokens.threshold())
                                    .toList());
                        }
                        case QUESTION_ANSWERING, FILL_MASK -> throw new IllegalStateException(head.name());
                    });
        }
        return findings;
    }
}
