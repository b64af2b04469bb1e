package io.gatun.bench.soak;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** A client that behaves as clients do: it asks, errs, gives up and leaves. Used by one thread. */
final class Worker {
    private static final int OVERSIZE = 3 << 20;

    private static final List<byte[]> BAD = List.of(
            post("/predict", "application/json", "{\"inputs\": "),
            post("/predict", "application/json", "{}"),
            post("/predict", "application/json", "{\"inputs\": 7}"),
            post("/predict", "application/json", "{\"inputs\": \"a\", \"model\": \"none\"}"),
            post("/predict", "text/plain", "a text"),
            post("/nowhere", "application/json", "{}"),
            post("/v2/models/none/infer", "application/json", "{\"inputs\": []}"),
            Line.request("DELETE", "/predict", Map.of(), new byte[0]));

    private final Line line;
    private final Questions questions;
    private final Faults faults;
    private final AtomicLong asked;
    private final Random random;
    private final byte[] oversize =
            post("/predict", "application/json", "{\"inputs\": \"" + "a".repeat(OVERSIZE) + "\"}");

    /**
     * A client.
     *
     * @param asked counts what it does
     */
    Worker(Line line, Questions questions, Faults faults, AtomicLong asked, Random random) {
        this.line = line;
        this.questions = questions;
        this.faults = faults;
        this.asked = asked;
        this.random = random;
    }

    private static byte[] post(String path, String type, String body) {
        return Line.request("POST", path, Map.of("Content-Type", type), body.getBytes(StandardCharsets.UTF_8));
    }

    /** Does one of the things that clients do. */
    void act() throws InterruptedException {
        asked.incrementAndGet();
        int dice = random.nextInt(100);
        try {
            if (dice < 60) {
                ask(Map.of(), Optional.empty());
            } else if (dice < 68) {
                ask(Map.of("x-priority", "bulk"), Optional.empty());
            } else if (dice < 76) {
                ask(Map.of(), Optional.of(Duration.ofMillis(1 + random.nextInt(100))));
            } else if (dice < 82) {
                line.cancel(Question.Predict.METHOD, grpc().message(), random.nextInt(10));
            } else if (dice < 92) {
                byte[] request = http().request(Map.of());
                int count = random.nextBoolean() ? request.length : 1 + random.nextInt(request.length);
                line.hangUp(request, count, random.nextInt(10), random.nextBoolean());
            } else if (dice < 97) {
                expect(line.send(BAD.get(random.nextInt(BAD.size()))), 400, 499);
            } else if (dice < 99) {
                slowly();
            } else {
                oversize();
            }
        } catch (IOException e) {
            faults.add("A request broke: " + e.getMessage() + ".");
        }
    }

    private void ask(Map<String, String> headers, Optional<Duration> timeout) throws IOException {
        Question question = questions.all().get(random.nextInt(questions.all().size()));
        compare(question, question.ask(line, headers, timeout));
    }

    private void slowly() throws IOException, InterruptedException {
        Question.Http question = http();
        byte[] request = question.request(Map.of());
        compare(question, line.sendSlowly(request, 1 + random.nextInt(request.length - 1), random.nextInt(200)));
    }

    private void compare(Question question, Reply reply) {
        if (reply.isAnswer()) {
            if (!reply.body().equals(questions.answer(question))) {
                faults.add("Another answer than alone to " + question.name() + ".");
            }
        } else if (reply.status() != Reply.REFUSED && !(question.reloaded() && isAway(reply.status()))) {
            faults.add("Status " + reply.status() + " for " + question.name() + ": " + Questions.text(reply.body()));
        }
    }

    /** How a model that is not loaded, or is being loaded, is told of. */
    private static boolean isAway(int status) {
        return status == 404 || status == 422 || status == 503;
    }

    /** The server may close the connection while the body is still being sent; then its answer is lost. */
    private void oversize() {
        try {
            expect(line.send(oversize), 413, 413);
        } catch (IOException e) {
            // Refused either way.
        }
    }

    private void expect(Reply reply, int from, int to) {
        if (reply.status() < from || reply.status() > to) {
            faults.add("Status " + reply.status() + " for a bad request: " + Questions.text(reply.body()));
        }
    }

    private Question.Http http() {
        while (true) {
            if (questions.all().get(random.nextInt(questions.all().size())) instanceof Question.Http question) {
                return question;
            }
        }
    }

    private Question.Predict grpc() {
        while (true) {
            if (questions.all().get(random.nextInt(questions.all().size())) instanceof Question.Predict question) {
                return question;
            }
        }
    }
}
