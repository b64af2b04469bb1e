package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.Entity;
import io.gatun.task.TextClassification;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What all heads of a model say of texts, each text read once. Thread-safe. */
public final class Analyzer {
    private final Catalogue catalogue;
    private final Computation computation;
    private final MaskFiller masks;

    Analyzer(Catalogue catalogue, Computation computation, MaskFiller masks) {
        this.catalogue = catalogue;
        this.computation = computation;
        this.masks = masks;
    }

    /**
     * A text, and the heads that have something to say of it.
     *
     * @param masks where they are in the encoding
     */
    @SuppressWarnings("ArrayRecordComponent") // made once a text, never compared
    private record Reading(String text, Encoding encoding, int[] masks, List<Head> heads) {
        long logits(int vocabulary) {
            long logits = 0;
            for (Head head : heads) {
                logits += switch (head.task()) {
                    case TEXT_CLASSIFICATION -> head.labels().size();
                    case TOKEN_CLASSIFICATION, QUESTION_ANSWERING ->
                        (long) encoding.length() * head.labels().size();
                    case FILL_MASK -> (long) masks.length * vocabulary;
                };
            }
            return logits;
        }
    }

    /**
     * What heads say of each text, by their names. Of heads that fill masks nothing is said where there are none.
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
            List<Reading> readings = readings(call, served, heads, texts, truncation);
            int vocabulary = served.model().description().vocabularySize();
            List<Map<String, Finding>> findings = new ArrayList<>(texts.size());
            for (List<Reading> part : Computation.parts(readings, reading -> reading.logits(vocabulary))) {
                List<Reading> asked = part.stream()
                        .filter(reading -> !reading.heads.isEmpty())
                        .toList();
                List<Answer> answers = asked.isEmpty() ? List.of() : answers(call, served, asked);
                int next = 0;
                for (Reading reading : part) {
                    findings.add(
                            reading.heads.isEmpty()
                                    ? Map.of()
                                    : findings(call, served.model(), reading, answers.get(next++), tokens));
                }
            }
            return findings;
        }
    }

    private List<Answer> answers(Call call, ServedModel served, List<Reading> readings) throws InterruptedException {
        return computation.answers(
                call,
                served,
                readings.stream().map(Reading::encoding).toList(),
                readings.stream().map(reading -> Outputs.ofHeads(reading.heads)).toList());
    }

    private static List<Head> heads(ServedModel served) {
        List<Head> heads = served.model().description().heads().stream()
                .filter(head -> head.task() != Task.QUESTION_ANSWERING)
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
            if (head.task() == Task.QUESTION_ANSWERING) {
                throw RequestException.validation(
                        "The head \"" + head.name() + "\" answers questions, and a text alone has none; post to /qa.");
            }
            heads.add(head);
        }
        return heads.stream().distinct().toList();
    }

    private List<Reading> readings(
            Call call, ServedModel served, List<Head> heads, List<String> texts, Truncation truncation)
            throws InterruptedException {
        List<Input> inputs = Input.texts(texts);
        List<Encoding> encodings = computation.encoder().encodeWithOffsets(call, served, inputs, truncation);
        boolean fills = heads.stream().anyMatch(head -> head.task() == Task.FILL_MASK);
        int mask = fills ? served.model().maskToken().orElse(-1) : -1;
        List<Head> others =
                heads.stream().filter(head -> head.task() != Task.FILL_MASK).toList();
        List<Reading> readings = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int[] places = MaskFiller.places(encodings.get(i), mask);
            MaskFiller.checkLimit(served, texts.size() == 1 ? "The text" : "inputs[" + i + "]", places.length);
            readings.add(new Reading(texts.get(i), encodings.get(i), places, places.length > 0 ? heads : others));
        }
        MaskFiller.checkAnswer(encodings, readings.stream().map(Reading::masks).toList(), FillOptions.DEFAULT.topK());
        return readings;
    }

    private Map<String, Finding> findings(
            Call call, TextModel model, Reading reading, Answer answer, TokenOptions tokens)
            throws InterruptedException {
        Map<String, Finding> findings = new LinkedHashMap<>();
        for (Head head : reading.heads) {
            float[] logits = answer.logits(head);
            findings.put(
                    head.name(),
                    switch (head.task()) {
                        case TEXT_CLASSIFICATION -> new Finding.Labels(TextClassification.scores(head, logits, false));
                        case TOKEN_CLASSIFICATION ->
                            new Finding.Entities(entities(model, head, reading, logits, tokens));
                        case FILL_MASK ->
                            new Finding.Fills(masks.fills(
                                    call,
                                    model,
                                    head,
                                    reading.encoding,
                                    reading.masks,
                                    logits,
                                    FillOptions.DEFAULT.topK(),
                                    Optional.empty()));
                        case QUESTION_ANSWERING -> throw new IllegalStateException(head.name());
                    });
        }
        return findings;
    }

    private static List<Entity> entities(
            TextModel model, Head head, Reading reading, float[] logits, TokenOptions tokens) {
        return TokenClassifier.task(model, head, tokens)
                .entities(new CodePoints(reading.text), reading.encoding, logits)
                .stream()
                .filter(entity -> entity.score() >= (float) tokens.threshold())
                .toList();
    }
}
