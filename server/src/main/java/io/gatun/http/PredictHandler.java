package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.batch.Answer;
import io.gatun.batch.Job;
import io.gatun.batch.ServedModel;
import io.gatun.metrics.Metrics;
import io.gatun.metrics.Stage;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import io.gatun.text.Encoding;
import io.gatun.text.TruncationDirection;
import io.helidon.webserver.CloseConnectionException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** {@code POST /predict}: the scores of one head's labels. */
final class PredictHandler {
    private static final String EXAMPLE = "{\"inputs\": \"a text\"}";

    private static final Duration UNWATCHED = Duration.ofMillis(10);

    private final Models models;
    private final Tokenization tokenization;
    private final Metrics metrics;
    private final int maxTexts;
    private final Duration timeout;

    PredictHandler(Models models, Tokenization tokenization, Metrics metrics, ServerSettings settings) {
        this.models = models;
        this.tokenization = tokenization;
        this.metrics = metrics;
        this.maxTexts = settings.maxTexts();
        this.timeout = settings.timeout();
    }

    Reply handle(Fields fields, Client client, long start) throws InterruptedException {
        Timings timings = new Timings(start);
        ServedModel served = models.named(fields.text("model"));
        TextModel model = served.model();
        Head head = head(model, fields.text("head"));
        Inputs inputs = Inputs.pairs(fields.required("inputs", EXAMPLE), maxTexts);
        boolean raw = fields.flag("raw_scores", false);
        boolean truncate = fields.flag("truncate", false);
        TruncationDirection direction = fields.truncationDirection();
        String method = inputs.batch() ? "batch" : "single";
        metrics.request(method);

        timings.tokenizationStarts(System.nanoTime());
        List<Encoding> encodings = tokenization.run(inputs.characters(), client, () -> {
            List<Encoding> all = new ArrayList<>(inputs.all().size());
            for (int i = 0; i < inputs.all().size(); i++) {
                all.add(encode(model, inputs, i, truncate, direction));
            }
            return all;
        });
        List<Job> jobs = new ArrayList<>(encodings.size());
        for (Encoding encoding : encodings) {
            timings.addTokens(encoding.length());
            jobs.add(new Job(encoding.ids(), model.typeIds(encoding), 1 << head.index()));
        }
        timings.tokenizationEnds(System.nanoTime());

        List<List<LabelScore>> predictions = new ArrayList<>(jobs.size());
        for (Answer answer : answers(served, jobs, client)) {
            timings.add(answer);
            predictions.add(TextClassification.scores(head, answer.logits(head), raw));
        }
        byte[] body = Json.bytes(out -> write(out, inputs.batch(), predictions));
        timings.ends(System.nanoTime());
        measure(model.name(), method, timings);
        return Reply.json(body, timings.headers());
    }

    private static Head head(TextModel model, Optional<String> name) {
        if (model.description().heads().isEmpty()) {
            throw RequestException.validation(
                    "The model \"" + model.name() + "\" has no heads, so it predicts nothing; ask another model.");
        }
        Head head = name.isEmpty()
                ? model.defaultHead(Task.TEXT_CLASSIFICATION)
                : model.head(name.get())
                        .orElseThrow(() -> RequestException.validation("The model \"" + model.name()
                                + "\" has no head of that name; it has " + names(model) + "."));
        if (head.task() != Task.TEXT_CLASSIFICATION) {
            throw RequestException.validation("The head \"" + head.name() + "\" is for "
                    + head.task().id()
                    + ", and /predict answers text-classification only; name another of the heads " + names(model)
                    + ".");
        }
        return head;
    }

    private static String names(TextModel model) {
        return model.description().heads().stream()
                .map(h -> "\"" + h.name() + "\" (" + h.task().id() + ")")
                .collect(Collectors.joining(", "));
    }

    private Encoding encode(
            TextModel model, Inputs inputs, int index, boolean truncate, TruncationDirection direction) {
        Inputs.Input input = inputs.all().get(index);
        String second = input.second();
        Encoding whole = second == null
                ? model.tokenizer().encode(input.first(), true)
                : model.tokenizer().encodePair(input.first(), second);
        Encoding encoding = whole;
        if (whole.length() > model.maxTokens()) {
            if (!truncate) {
                throw RequestException.validation((inputs.batch() ? "inputs[" + index + "]" : "The input") + " has "
                        + whole.length() + " tokens, more than the limit of " + model.maxTokens()
                        + "; shorten it, or send \"truncate\": true.");
            }
            encoding = whole.truncate(model.maxTokens(), direction);
            metrics.truncated(model.name());
        }
        metrics.inputLength(encoding.length());
        int unknown = 0;
        for (int id : encoding.ids()) {
            unknown += id == model.unknownToken() ? 1 : 0;
        }
        if (unknown > 0) {
            metrics.unknownTokens(model.name(), unknown);
        }
        return encoding;
    }

    private List<Answer> answers(ServedModel served, List<Job> jobs, Client client) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        List<Answer> answers = new ArrayList<>(jobs.size());
        try {
            served.lanes().submit(jobs);
            if (!isDoneSoon(jobs.getLast())) {
                client.whenGone(() -> jobs.forEach(Job::abandon));
            }
            for (Job job : jobs) {
                long rest = Math.max(0, deadline - System.nanoTime());
                answers.add(job.result().get(rest, TimeUnit.NANOSECONDS));
            }
            return answers;
        } catch (CancellationException e) {
            metrics.failure("dropped");
            throw new CloseConnectionException("The client left", e);
        } catch (TimeoutException e) {
            throw new RequestException(
                    ErrorType.OVERLOADED,
                    "The answer was not ready in " + timeout.toSeconds() + " s; send fewer texts at a time.",
                    Map.of("Retry-After", Long.toString(served.lanes().secondsOfWork())));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new CompletionException(e.getCause());
        } finally {
            client.isAnswered();
            if (answers.size() < jobs.size()) {
                jobs.forEach(Job::abandon);
            }
        }
    }

    /** Whether it is not worth a second thread to notice that the client hangs up. */
    private static boolean isDoneSoon(Job job) throws InterruptedException {
        try {
            job.result().get(UNWATCHED.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        }
        return true;
    }

    private static void write(JsonGenerator out, boolean batch, List<List<LabelScore>> predictions) throws IOException {
        if (batch) {
            out.writeStartArray();
        }
        for (List<LabelScore> scores : predictions) {
            LabelScore.write(scores, out);
        }
        if (batch) {
            out.writeEndArray();
        }
    }

    private void measure(String model, String method, Timings timings) {
        metrics.time(model, Stage.TOTAL, timings.totalNanos());
        metrics.time(model, Stage.TOKENIZATION, timings.tokenizationNanos());
        metrics.time(model, Stage.QUEUE, timings.queueNanos());
        metrics.time(model, Stage.INFERENCE, timings.inferenceNanos());
        metrics.success(method);
    }
}
