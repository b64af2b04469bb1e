package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Questions over HTTP: the forms in which they come, conversations, long contexts, and what cannot be answered. */
@Timeout(300)
final class QuestionsTest {
    private static final String CONTEXT = "Anna Smith was born in Berlin 🎉🎉 in 1987. She moved to New York by train.";
    private static final String QUESTION = "Where was Anna Smith born?";

    @TempDir
    private static Path folder = Path.of("");

    private static RunningServer running;

    @BeforeAll
    static void start() {
        Path golden = RunningServer.resource("/io/gatun/golden/distilbert-uncased/question-answering");
        running = new RunningServer(Compute.F32, Map.of("qa", RunningServer.convert(folder, "qa", golden)));
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void everyDoorGivesTheSame() {
        JsonNode expected = qa(question(QUESTION, CONTEXT));
        assertThat(expected.properties().stream().map(Map.Entry::getKey))
                .containsExactly("score", "start", "end", "answer");
        assertThat(CONTEXT.substring(
                        CONTEXT.offsetByCodePoints(0, expected.get("start").intValue()),
                        CONTEXT.offsetByCodePoints(0, expected.get("end").intValue())))
                .isEqualTo(expected.get("answer").textValue());
        String body = question(QUESTION, CONTEXT).toString();
        for (String path : List.of("/", "/models/qa", "/models/qa/pipeline/question-answering")) {
            assertThat(ok(running.post(path, body))).as(path).isEqualTo(expected);
        }
        JsonNode inferred = ok(running.post(
                "/v2/models/qa/infer",
                RunningServer.MAPPER
                        .createObjectNode()
                        .set("inputs", list(tensor("text", QUESTION), tensor("text_pair", CONTEXT)))
                        .toString()));
        assertThat(inferred.at("/outputs/0/name").textValue()).isEqualTo("answers");
        assertThat(RunningServer.json(inferred.at("/outputs/0/data/0").textValue()))
                .isEqualTo(expected);
        assertThat(ok(running.get("/v2/models/qa")).get("outputs").findValuesAsText("name"))
                .containsExactly("answers", "embedding");
        assertThat(running.post(
                                "/v2/models/qa/infer",
                                RunningServer.MAPPER
                                        .createObjectNode()
                                        .set("inputs", list(tensor("text", QUESTION)))
                                        .toString())
                        .body())
                .contains("text_pair");
    }

    @Test
    void severalQuestionsAreAnsweredWithAList() {
        JsonNode where = qa(question(QUESTION, CONTEXT));
        JsonNode how = qa(question("How did she move?", CONTEXT));
        ObjectNode several = RunningServer.MAPPER.createObjectNode();
        several.putObject("inputs").put("context", CONTEXT).set("question", texts(QUESTION, "How did she move?"));
        assertThat(qa(several)).isEqualTo(list(where, how));
        ((ObjectNode) several.get("inputs")).set("context", texts(CONTEXT, CONTEXT));
        assertThat(qa(several)).isEqualTo(list(where, how));
        several.set("inputs", list(inputs(QUESTION), inputs("How did she move?")));
        assertThat(qa(several)).isEqualTo(list(where, how));
        assertThat(ok(running.post("/", several.toString()))).isEqualTo(list(where, how));
        several.set("inputs", list(inputs(QUESTION)));
        assertThat(qa(several)).isEqualTo(where);
    }

    @Test
    void severalAnswersAreAList() {
        ObjectNode request = with(question(QUESTION, CONTEXT), parameters -> parameters.put("top_k", 3));
        JsonNode answers = qa(request);
        assertThat(answers).hasSize(3);
        assertThat(answers.get(0)).isEqualTo(qa(question(QUESTION, CONTEXT)));
        request = with(question(QUESTION, "Berlin"), parameters -> parameters.put("top_k", 3));
        assertThat(qa(request).get("answer").textValue()).isEqualTo("Berlin");
    }

    @Test
    void aConversationIsPutBeforeTheQuestion() {
        JsonNode alone = qa(question("And then?", CONTEXT));
        JsonNode joined = qa(question("Who? Anna Where was she born? Berlin And then?", CONTEXT));
        assertThat(alone).isNotEqualTo(joined);
        ArrayNode pairs = list(texts("Who?", "Anna"), texts("Where was she born?", "Berlin"));
        ArrayNode objects = list(turn("Who?", "Anna"), turn("Where was she born?", "Berlin"));
        for (ArrayNode history : List.of(pairs, objects)) {
            ObjectNode withQuestion = question("And then?", CONTEXT);
            ((ObjectNode) withQuestion.get("inputs")).set("history", history);
            assertThat(qa(withQuestion)).isEqualTo(joined);
            ObjectNode asParameter =
                    with(question("And then?", CONTEXT), parameters -> parameters.set("history", history));
            assertThat(qa(asParameter)).isEqualTo(joined);
        }
    }

    @Test
    void ofALongConversationTheLatestTurnsCount() {
        String recent = "Who? Anna Where was she born? Berlin";
        ArrayNode history = list(texts("Where does she live?", "New York"));
        for (int i = 0; i < 2000; i++) {
            history.add(texts("Where does she live?", "New York"));
        }
        history.add(texts("Who?", "Anna"));
        history.add(texts("Where was she born?", "Berlin"));
        int tokens = tokens(recent);
        for (int more = 0; more < 2; more++) {
            int room = tokens + more;
            ObjectNode request = with(
                    question("And then?", CONTEXT),
                    parameters -> parameters.put("max_history_tokens", room).set("history", history));
            assertThat(qa(request)).isEqualTo(qa(question(recent + " And then?", CONTEXT)));
        }
        ObjectNode none = with(
                question("And then?", CONTEXT),
                parameters -> parameters.put("max_history_tokens", 0).set("history", history));
        assertThat(qa(none)).isEqualTo(qa(question("And then?", CONTEXT)));
        // However much history there may be, a window keeps room for the context.
        ObjectNode much = with(
                question("And then?", CONTEXT.repeat(20)),
                parameters -> parameters.put("max_history_tokens", 100_000).set("history", history));
        assertThat(running.post("/qa", much.toString()).statusCode()).isEqualTo(200);
    }

    @Test
    void aDocumentOfAHundredThousandWords() {
        String document = "She moved to New York by train with two friends. ".repeat(10_000);
        String context = document + CONTEXT + document;
        JsonNode answer = qa(question(QUESTION, context));
        int start = answer.get("start").intValue();
        assertThat(answer.get("answer").textValue())
                .isEqualTo(context.substring(
                        context.offsetByCodePoints(0, start),
                        context.offsetByCodePoints(0, answer.get("end").intValue())));
    }

    @Test
    void fiftyQuestionsOverOneContext() {
        String context = CONTEXT.repeat(40);
        ObjectNode request = RunningServer.MAPPER.createObjectNode();
        ArrayNode questions =
                request.putObject("inputs").put("context", context).putArray("question");
        for (int i = 0; i < 50; i++) {
            questions.add("Where was Anna Smith in " + (1940 + i) + "?");
        }
        HttpResponse<String> response = running.post("/qa", request.toString());
        JsonNode answers = ok(response);
        assertThat(answers).hasSize(50);
        assertThat(answers.get(49)).isEqualTo(qa(question("Where was Anna Smith in 1989?", context)));
        int windows = Integer.parseInt(
                response.headers().firstValue("x-compute-tokens").orElseThrow());
        assertThat(windows).isGreaterThan(50 * tokens(context));
    }

    @Test
    void windowsMayHaveNoTokensInCommon() {
        ObjectNode request =
                with(question(QUESTION, CONTEXT.repeat(20)), parameters -> parameters.put("doc_stride", 0));
        assertThat(qa(request).get("answer").textValue()).isNotEmpty();
    }

    @Test
    void aContextOfSpacesHasNoAnswer() {
        JsonNode answer = qa(question(QUESTION, " \n "));
        assertThat(answer.get("answer").textValue()).isEmpty();
        assertThat(answer.get("score").doubleValue()).isZero();
        answer = qa(with(question(QUESTION, "  "), parameters -> parameters.put("handle_impossible_answer", true)));
        assertThat(answer.get("score").doubleValue()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | \"inputs\" is missing",
                "{\"inputs\":\"who?\"} | must be an object with a question and a context",
                "{\"inputs\":{\"question\":\"who?\"}} | \"context\" is missing",
                "{\"inputs\":{\"context\":\"Anna\"}} | \"question\" is missing",
                "{\"inputs\":{\"question\":\"\",\"context\":\"Anna\"}} | The question is empty",
                "{\"inputs\":{\"question\":\"who?\",\"context\":\"\"}} | The context is empty",
                "{\"inputs\":{\"question\":1,\"context\":\"Anna\"}} | the question must be a text, not a number",
                "{\"inputs\":{\"question\":\"who?\",\"context\":[\"a\",\"b\"]}} | the context must be a text, not a list",
                "{\"inputs\":{\"question\":[\"who?\"],\"context\":[\"a\",\"b\"]}} | 1 questions and 2 contexts",
                "{\"inputs\":[{\"question\":\"who?\",\"context\":\"a\"},{\"question\":\"who?\",\"context\":\"\"}]} | inputs[1]: the context is empty",
                "{\"inputs\":[{\"question\":\"who?\",\"context\":\"a\"},1]} | inputs[1] must be an object",
                "{\"inputs\":{\"question\":\"who?\",\"context\":\"a\",\"history\":[\"who?\"]}} | history[0] must be an earlier question and its answer",
                "{\"inputs\":{\"question\":\"who?\",\"context\":\"a\",\"history\":[[\"who?\",\"a\",\"b\"]]}} | history[0] must be",
                "{\"inputs\":{\"question\":\"who?\",\"context\":\"a\",\"history\":\"who?\"}} | \"history\" must be a list, not a text",
                "{\"inputs\":{\"question\":\"who?\",\"context\":\"a\",\"history\":{\"a\":[\"b\",\"c\"]}}} | \"history\" must be a list, not an object"
            })
    void whatIsNoQuestion(String body, String message) {
        refused(body, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"top_k\":0 | \"top_k\" must be 1 or more",
                "\"max_answer_len\":0 | \"max_answer_len\" must be 1 or more",
                "\"doc_stride\":-1 | \"doc_stride\" must be 0 or more",
                "\"doc_stride\":129 | more than the 128 tokens of \"max_seq_len\"",
                "\"doc_stride\":127 | must be more than the \"doc_stride\" of 127",
                "\"max_seq_len\":0 | \"max_seq_len\" must be 1 or more",
                "\"max_seq_len\":7 | leaves room for 0 tokens of the context in a sequence of 7",
                "\"max_seq_len\":129 | reads no more than 128 tokens",
                "\"max_history_tokens\":-1 | \"max_history_tokens\" must be 0 or more",
                "\"align_to_words\":1 | \"align_to_words\" must be true or false",
                "\"head\":\"none\" | no head of that name"
            })
    void whatMakesNoSense(String parameter, String message) {
        refused(
                "{\"inputs\":{\"question\":\"%s\",\"context\":\"%s\"},\"parameters\":{%s}}"
                        .formatted(QUESTION, CONTEXT.repeat(20), parameter),
                message);
    }

    @Test
    void whatIsTooMuch() {
        refused(question("who? ".repeat(100), CONTEXT).toString(), "leaves room for 0 tokens of the context");
        refused(question("who? ".repeat(30), CONTEXT.repeat(20)).toString(), "send a shorter question");
        refused(question(QUESTION, "a ".repeat(900_000)).toString(), "more than the limit of 1048576");
        ObjectNode all = question(QUESTION, CONTEXT.repeat(4000));
        refused(
                with(all, parameters -> parameters.put("top_k", Integer.MAX_VALUE))
                        .toString(),
                "is too large for");
        ObjectNode many = RunningServer.MAPPER.createObjectNode();
        ArrayNode questions = many.putObject("inputs").put("context", CONTEXT).putArray("question");
        for (int i = 0; i < 1025; i++) {
            questions.add("who?");
        }
        refused(many.toString(), "1025 inputs are more than the limit of 1024");
        assertThat(running.post("/qa", "{\"inputs\":[]}").statusCode()).isEqualTo(400);
        assertThat(running.post("/qa", "{\"inputs\":{\"question\":[],\"context\":\"a\"}}")
                        .statusCode())
                .isEqualTo(400);
    }

    private static void refused(String body, String message) {
        HttpResponse<String> response = running.post("/qa", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(RunningServer.json(response).get("error").textValue()).contains(message);
    }

    private static JsonNode qa(ObjectNode request) {
        return ok(running.post("/qa", request.toString()));
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }

    private static int tokens(String text) {
        ObjectNode request =
                RunningServer.MAPPER.createObjectNode().put("inputs", text).put("add_special_tokens", false);
        return ok(running.post("/tokenize", request.toString())).get(0).size();
    }

    private static ObjectNode inputs(String question) {
        return RunningServer.MAPPER.createObjectNode().put("question", question).put("context", CONTEXT);
    }

    private static ObjectNode question(String question, String context) {
        ObjectNode request = RunningServer.MAPPER.createObjectNode();
        request.putObject("inputs").put("question", question).put("context", context);
        return request;
    }

    private static ObjectNode with(ObjectNode request, Consumer<ObjectNode> parameters) {
        parameters.accept(request.putObject("parameters"));
        return request;
    }

    private static ObjectNode turn(String question, String answer) {
        return RunningServer.MAPPER.createObjectNode().put("question", question).put("answer", answer);
    }

    private static ObjectNode tensor(String name, String text) {
        ObjectNode tensor =
                RunningServer.MAPPER.createObjectNode().put("name", name).put("datatype", "BYTES");
        tensor.putArray("shape").add(1);
        tensor.putArray("data").add(text);
        return tensor;
    }

    private static ArrayNode texts(String... texts) {
        ArrayNode list = RunningServer.MAPPER.createArrayNode();
        for (String text : texts) {
            list.add(text);
        }
        return list;
    }

    private static ArrayNode list(JsonNode... nodes) {
        return RunningServer.MAPPER.createArrayNode().addAll(List.of(nodes));
    }
}
