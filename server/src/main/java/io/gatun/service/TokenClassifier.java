package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.Entity;
import io.gatun.task.TokenClassification;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What heads for tokens find in texts: names, toxic passages. Each method waits for its answer. Thread-safe. */
public final class TokenClassifier {
    private final Catalogue catalogue;
    private final Computation computation;

    TokenClassifier(Catalogue catalogue, Computation computation) {
        this.catalogue = catalogue;
        this.computation = computation;
    }

    /**
     * The entities of each text, in the order in which they are there. All windows of all texts are computed together.
     *
     * @param headName or nothing: the model's first with labels {@code B-…}, or else its first that classifies tokens
     * @param truncation what becomes of a text that is too long, unless the options have a stride
     */
    public List<List<Entity>> entities(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            List<String> texts,
            Truncation truncation,
            TokenOptions options)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Head head = head(served, headName);
            List<Input> inputs = Input.texts(texts);
            List<List<Encoding>> windows = options.stride().isPresent()
                    ? computation
                            .encoder()
                            .encodeWindows(
                                    call,
                                    served,
                                    inputs,
                                    new WindowSize(
                                            OptionalInt.empty(),
                                            options.stride().getAsInt()))
                    : computation.encoder().encodeWithOffsets(call, served, inputs, truncation).stream()
                            .map(List::of)
                            .toList();
            return entities(call, served, head, texts, windows, options);
        }
    }

    /** The head that is named; without a name it is one that tags names, if there is one: most ask for those. */
    private static Head head(ServedModel served, Optional<String> name) {
        Optional<String> usual = served.model().description().heads().stream()
                .filter(head -> head.task() == Task.TOKEN_CLASSIFICATION)
                .filter(head -> head.labels().stream().anyMatch(label -> label.startsWith("B-")))
                .map(Head::name)
                .findFirst();
        return Computation.head(served, name.or(() -> usual), Task.TOKEN_CLASSIFICATION);
    }

    private List<List<Entity>> entities(
            Call call,
            ServedModel served,
            Head head,
            List<String> texts,
            List<List<Encoding>> windows,
            TokenOptions options)
            throws InterruptedException {
        TokenClassification task = task(served.model(), head, options);
        List<CodePoints> codePoints = texts.stream().map(CodePoints::new).toList();
        List<List<Entity>> found = new ArrayList<>();
        texts.forEach(_ -> found.add(new ArrayList<>()));
        List<Place> places = new ArrayList<>();
        for (int text = 0; text < windows.size(); text++) {
            for (Encoding window : windows.get(text)) {
                places.add(new Place(text, window));
            }
        }
        int labels = head.labels().size();
        for (List<Place> part : Computation.parts(places, place -> (long) place.window.length() * labels)) {
            List<Encoding> encodings = part.stream().map(Place::window).toList();
            List<Answer> answers = computation.answers(call, served, encodings, Outputs.ofHead(head.index()));
            for (int i = 0; i < part.size(); i++) {
                int text = part.get(i).text;
                float[] logits = answers.get(i).logits(head);
                found.get(text).addAll(task.entities(codePoints.get(text), encodings.get(i), logits));
            }
        }
        List<List<Entity>> entities = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            boolean overlaps = windows.get(i).size() > 1;
            List<Entity> once = overlaps ? TokenClassification.withoutOverlaps(found.get(i)) : found.get(i);
            entities.add(once.stream()
                    .filter(entity -> entity.score() >= (float) options.threshold())
                    .toList());
        }
        return entities;
    }

    /** A window and which text it is of. */
    private record Place(int text, Encoding window) {}

    /** A head's task, for a request that has these options. */
    static TokenClassification task(TextModel model, Head head, TokenOptions options) {
        return new TokenClassification(
                head, options.aggregation(), options.ignoredLabels(), model.tokenizer()::tokenOf, model.unknownToken());
    }
}
