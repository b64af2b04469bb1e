package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.task.LabelScore;
import io.gatun.task.ZeroShotClassification;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Texts to labels that no head was trained for: a head that knows natural language inference says of each label whether
 * it follows from the text. Each method waits for its answer. Thread-safe.
 */
public final class ZeroShotClassifier {
    /** What labels are called that nobody has named. */
    private static final Pattern NAMELESS = Pattern.compile("LABEL_[0-9]+");

    private final Catalogue catalogue;
    private final Computation computation;
    private final ServiceLimits limits;

    ZeroShotClassifier(Catalogue catalogue, Computation computation, ServiceLimits limits) {
        this.catalogue = catalogue;
        this.computation = computation;
        this.limits = limits;
    }

    /** Whether a head can answer, so that it does without being named. */
    public static boolean infers(Head head) {
        return head.task() == Task.TEXT_CLASSIFICATION
                && (ZeroShotClassification.entailment(head).isPresent()
                        || head.labels().stream()
                                .allMatch(label -> NAMELESS.matcher(label).matches()));
    }

    /**
     * The labels of each text with their scores, the best first. Each text is read with each label, all as one
     * submission; a text that leaves no room for a hypothesis is cut at its end, as Hugging Face's pipeline does.
     *
     * @param headName or nothing: the model's first that has a label that begins with "entail"
     * @throws RequestException when the model has no such head, a hypothesis is too long, or texts and labels together
     *     are more than the limit
     */
    public List<List<LabelScore>> classify(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            List<String> texts,
            ZeroShotOptions options)
            throws InterruptedException {
        List<String> labels = options.labels();
        long count = (long) texts.size() * labels.size();
        if (count > limits.maxTexts()) {
            throw RequestException.validation(texts.size() + " texts with " + labels.size() + " labels are " + count
                    + " inputs, more than the limit of " + limits.maxTexts()
                    + "; send fewer texts in one request, or fewer labels.");
        }
        HypothesisTemplate template = new HypothesisTemplate(options.hypothesisTemplate());
        List<String> hypotheses = labels.stream().map(template::with).toList();
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Head head = head(served, headName);
            List<Input.Pair> pairs = texts.stream()
                    .flatMap(text -> hypotheses.stream().map(hypothesis -> new Input.Pair(text, hypothesis)))
                    .toList();
            List<Encoding> encodings = computation.encoder().encodePairs(call, served, pairs);
            List<float[]> logits = computation.answers(call, served, encodings, Outputs.ofHead(head.index())).stream()
                    .map((Answer answer) -> answer.logits(head))
                    .toList();
            List<List<LabelScore>> scores = new ArrayList<>();
            for (int i = 0; i < logits.size(); i += labels.size()) {
                scores.add(ZeroShotClassification.scores(
                        head, labels, logits.subList(i, i + labels.size()), options.multiLabel()));
            }
            return scores;
        }
    }

    /** The head that is named, whatever its labels; without a name none whose labels say that it knows something else. */
    private static Head head(ServedModel served, Optional<String> name) {
        List<Head> heads = served.model().description().heads();
        if (name.isPresent() || heads.isEmpty()) {
            return Computation.head(served, name, Task.TEXT_CLASSIFICATION);
        }
        return heads.stream()
                .filter(head -> ZeroShotClassification.entailment(head).isPresent())
                .filter(ZeroShotClassifier::infers)
                .findFirst()
                .or(() -> heads.stream().filter(ZeroShotClassifier::infers).findFirst())
                .orElseThrow(() -> RequestException.validation("The model \"" + served.name()
                        + "\" has no head for zero-shot-classification, which is a head for text-classification with a"
                        + " label that begins with \"entail\"; ask a model that was trained on natural language"
                        + " inference."));
    }
}
