package io.gatun.bench.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Whether servers say the same, before anything is timed. */
final class Agreement {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Two forms in 8 bits may put a text that is less sure than this on either side. */
    private static final double SURE = 0.85;

    private Agreement() {}

    /**
     * Checks that a server answers as its protocol says.
     *
     * @throws LoadException naming the server when one of the answers is none
     */
    static void check(String server, Protocol protocol, List<Answer> answers) {
        for (Answer answer : answers) {
            if (answer.outcome().kind() != Outcome.Kind.ANSWERED
                    || protocol.label(answer.body()).isEmpty()) {
                throw new LoadException(server + " does not answer as " + protocol.id() + " does: the outcome was "
                        + answer.outcome().name() + ", and the answer \""
                        + StandardCharsets.UTF_8.decode(answer.body().duplicate()) + "\".");
            }
        }
    }

    /**
     * Checks that a server's labels of {@code /predict} are those of another, wherever that one is sure.
     *
     * @throws LoadException naming the server when one is not
     */
    static void compare(String server, List<Answer> answers, List<Answer> expected) {
        for (int i = 0; i < expected.size(); i++) {
            JsonNode right = best(expected.get(i).body());
            JsonNode best = best(answers.get(i).body());
            if (right.path("score").asDouble() > SURE && !right.path("label").equals(best.path("label"))) {
                throw new LoadException(
                        server + " answers text " + i + " with " + best + " where Gatun says " + right + ".");
            }
        }
    }

    private static JsonNode best(ByteBuffer body) {
        try {
            return JSON.readTree(StandardCharsets.UTF_8.decode(body.duplicate()).toString())
                    .path(0);
        } catch (IOException e) {
            throw new LoadException("An answer is no JSON: " + e.getMessage(), e);
        }
    }
}
