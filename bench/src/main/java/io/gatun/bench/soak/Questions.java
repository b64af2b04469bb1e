package io.gatun.bench.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.bench.load.LoadException;
import io.gatun.bench.load.Texts;
import io.gatun.grpc.tei.PredictResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All that is asked, and what the server answered when it was asked alone. Immutable. */
final class Questions {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TEXTS = 24;
    private static final int BATCH = 6;

    private final List<Question> all;
    private final Map<Question, ByteBuffer> answers;

    private Questions(Map<Question, ByteBuffer> answers) {
        this.all = List.copyOf(answers.keySet());
        this.answers = answers;
    }

    /**
     * Asks everything once, one after the other, and checks that the two doors, and batches and single texts, agree.
     *
     * @param reloaded the model that will come and go
     * @throws LoadException when a question is not answered, or two answers contradict each other
     */
    static Questions ask(Line line, String reloaded) throws IOException {
        List<String> texts = Texts.mixed().all().subList(0, TEXTS);
        Map<Question, ByteBuffer> answers = new LinkedHashMap<>();
        for (Question question : list(texts, reloaded)) {
            Reply reply = question.ask(line, Map.of(), Optional.empty());
            if (!reply.isAnswer()) {
                throw new LoadException("The server answers " + question.name() + " with status " + reply.status()
                        + ": " + text(reply.body()));
            }
            answers.put(question, reply.body());
        }
        Questions questions = new Questions(answers);
        questions.checkAgreement(texts);
        return questions;
    }

    private static List<Question> list(List<String> texts, String reloaded) {
        List<Question> list = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            list.add(predict(text));
            list.add(new Question.Predict(text));
            list.add(post("/predict", inputs(text).put("head", "emotion")));
            list.add(post("/embed", inputs(text)));
            list.add(post("/tokenize", inputs(text)));
            list.add(post("/v2/models/default/infer", infer(text)));
            list.add(new Question.Http(
                    "/embed",
                    inputs(text).put("model", reloaded).put("truncate", true).toString(),
                    true));
        }
        for (int i = 0; i + BATCH <= texts.size(); i += BATCH) {
            list.add(batch(texts.subList(i, i + BATCH)));
            list.add(post(
                    "/embed", JSON.createObjectNode().set("inputs", JSON.valueToTree(texts.subList(i, i + BATCH)))));
            list.add(post(
                    "/v1/embeddings",
                    JSON.createObjectNode()
                            .put("model", "default")
                            .set("input", JSON.valueToTree(texts.subList(i, i + 2)))));
            list.add(post(
                    "/rerank",
                    JSON.createObjectNode()
                            .put("query", texts.get(i))
                            .set("texts", JSON.valueToTree(texts.subList(i, i + BATCH)))));
        }
        return list;
    }

    private static Question post(String path, ObjectNode json) {
        return new Question.Http(path, json.toString(), false);
    }

    private static Question predict(String text) {
        return post("/predict", inputs(text));
    }

    private static Question batch(List<String> texts) {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode inputs = json.putArray("inputs");
        texts.forEach(text -> inputs.addArray().add(text));
        return post("/predict", json);
    }

    private static ObjectNode inputs(String text) {
        return JSON.createObjectNode().put("inputs", text);
    }

    private static ObjectNode infer(String text) {
        ObjectNode json = JSON.createObjectNode();
        ObjectNode input = json.putArray("inputs").addObject();
        input.put("name", "text").put("datatype", "BYTES");
        input.putArray("shape").add(1);
        input.putArray("data").add(text);
        return json;
    }

    private void checkAgreement(List<String> texts) throws IOException {
        for (int i = 0; i + BATCH <= texts.size(); i += BATCH) {
            List<String> some = texts.subList(i, i + BATCH);
            List<String> singles =
                    some.stream().map(text -> text(answer(predict(text)))).toList();
            if (!text(answer(batch(some))).equals("[" + String.join(",", singles) + "]")) {
                throw new LoadException("Texts " + i + " to " + (i + BATCH - 1)
                        + " are answered otherwise in a batch than each alone, at /predict.");
            }
        }
        for (String text : texts) {
            PredictResponse grpc =
                    PredictResponse.parseFrom(answer(new Question.Predict(text)).duplicate());
            float overHttp = JSON.readTree(text(answer(predict(text))))
                    .path(0)
                    .path("score")
                    .floatValue();
            if (grpc.getPredictions(0).getScore() != overHttp) {
                throw new LoadException("gRPC answers " + grpc.getPredictions(0).getScore() + " where HTTP answers "
                        + overHttp + " to \"" + text + "\".");
            }
        }
    }

    List<Question> all() {
        return all;
    }

    /** What the server answered alone. */
    ByteBuffer answer(Question question) {
        ByteBuffer answer = answers.get(question);
        if (answer == null) {
            throw new IllegalArgumentException("never asked: " + question.name());
        }
        return answer;
    }

    static String text(ByteBuffer body) {
        return StandardCharsets.UTF_8.decode(body.duplicate()).toString();
    }
}
