package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.model.Head;
import io.gatun.service.ClassifiedDocuments;
import io.gatun.service.Input;
import io.gatun.task.DocumentClassification;
import io.gatun.task.LabelScore;
import io.gatun.task.Passage;
import io.gatun.task.TextClassification;
import io.gatun.text.CodePoints;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Texts of any length and what a head says of their windows, as a request wants it written. */
final class DocumentAnswers {
    /** As an object and as text. */
    private static final long HEAP_PER_SCORE = 64;

    private final DocumentParameters parameters;
    private final ClassifiedDocuments documents;
    private final List<Input> inputs;
    private final TextClassification.Function function;
    private final int topK;

    /**
     * Answers for each text.
     *
     * @param function or nothing: the head's own
     * @param topK how many labels are wanted at most
     */
    DocumentAnswers(
            DocumentParameters parameters,
            ClassifiedDocuments documents,
            List<Input> inputs,
            Optional<TextClassification.Function> function,
            int topK) {
        this.parameters = parameters;
        this.documents = documents;
        this.inputs = inputs;
        this.function = function.orElse(TextClassification.function(documents.head()));
        this.topK = topK;
    }

    /** All of them: one answer, or a list of answers. */
    Reply reply(Asked asked, boolean batch) {
        long answers = parameters.pooling().isEmpty()
                ? documents.passages().stream().mapToLong(List::size).sum()
                : inputs.size();
        asked.reserve(HEAP_PER_SCORE * answers * documents.head().labels().size());
        return Reply.json(out -> {
            if (batch) {
                out.writeStartArray();
            }
            for (int i = 0; i < inputs.size(); i++) {
                write(documents.passages().get(i), inputs.get(i), out);
            }
            if (batch) {
                out.writeEndArray();
            }
        });
    }

    private void write(List<Passage> passages, Input input, JsonGenerator out) throws IOException {
        Head head = documents.head();
        CodePoints text = new CodePoints(text(input));
        if (parameters.pooling().isEmpty()) {
            out.writeStartArray();
            for (Passage passage : passages) {
                out.writeStartObject();
                writePlace(passage, text, out);
                out.writeFieldName("scores");
                writeScores(TextClassification.scores(head, passage.logits(), function), out);
                out.writeEndObject();
            }
            out.writeEndArray();
            return;
        }
        DocumentClassification.Verdict verdict = DocumentClassification.verdict(
                head, passages, function, parameters.pooling().get());
        if (!parameters.passage()) {
            writeScores(verdict.scores(), out);
            return;
        }
        out.writeStartObject();
        out.writeFieldName("scores");
        writeScores(verdict.scores(), out);
        out.writeObjectFieldStart("passage");
        writePlace(passages.get(verdict.carrier()), text, out);
        out.writeStringField("label", verdict.carried().label());
        out.writeNumberField("score", verdict.carried().score());
        out.writeEndObject();
        out.writeEndObject();
    }

    private void writePlace(Passage passage, CodePoints text, JsonGenerator out) throws IOException {
        out.writeNumberField("start", passage.start());
        out.writeNumberField("end", passage.end());
        if (parameters.passage()) {
            out.writeStringField("text", text.piece(passage.start(), passage.end()));
        }
    }

    private void writeScores(List<LabelScore> scores, JsonGenerator out) throws IOException {
        LabelScore.write(scores.subList(0, Math.min(topK, scores.size())), out);
    }

    /** The one that was cut into windows. */
    private static String text(Input input) {
        return switch (input) {
            case Input.Text(String text) -> text;
            case Input.Pair pair -> pair.second();
            case Input.Tokens tokens ->
                throw new IllegalArgumentException(tokens.ids().length + " tokens without a text");
        };
    }
}
