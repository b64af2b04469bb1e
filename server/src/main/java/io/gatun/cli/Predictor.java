package io.gatun.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.batch.Job;
import io.gatun.batch.Lanes;
import io.gatun.batch.Outputs;
import io.gatun.batch.Priority;
import io.gatun.model.Head;
import io.gatun.model.TextModel;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import io.gatun.text.Encoding;
import io.gatun.text.TokenizerException;
import io.gatun.text.TruncationDirection;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Texts in, lines of JSON out, in the texts' order. One thread reads and submits, the caller's writes; between them is a
 * bounded number of texts, so that any amount of input runs in the same memory.
 */
final class Predictor {
    private static final int WINDOW = 256;

    /** A text with what to call it when it is refused. */
    record Text(String text, String place) {}

    /** Where texts come from; null behind the last one. */
    @FunctionalInterface
    interface Source {
        @Nullable
        Text next() throws IOException;
    }

    /** How a text is answered. */
    record Settings(Head head, boolean raw, boolean truncate) {}

    private final TextModel model;
    private final Lanes lanes;
    private final Settings settings;
    /** Empty: behind the last text. */
    private final BlockingQueue<Optional<CompletableFuture<String>>> answers;

    private final JsonFactory json = new JsonFactory();

    Predictor(TextModel model, Lanes lanes, Settings settings) {
        this.model = model;
        this.lanes = lanes;
        this.settings = settings;
        // The window, the one being submitted and the one being written always fit the lanes' queue.
        long fitting = lanes.settings().maxQueuedTokens(Priority.BULK) / model.maxTokens() - 2;
        this.answers = new ArrayBlockingQueue<>(Math.clamp(fitting, 1, WINDOW));
    }

    /** Answers all texts of the source, then returns. The first text that is refused ends it. */
    void run(Source source, Output out) throws InterruptedException {
        Thread.ofPlatform().daemon().name("gatun-reader").start(() -> read(source));
        while (true) {
            if (answers.isEmpty()) {
                out.flush();
            }
            Optional<CompletableFuture<String>> answer = answers.take();
            if (answer.isEmpty()) {
                return;
            }
            try {
                out.line(answer.get().join());
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }
    }

    private void read(Source source) {
        try {
            try {
                for (@Nullable Text text = source.next(); text != null; text = source.next()) {
                    answers.put(Optional.of(submit(text)));
                }
                answers.put(Optional.empty());
            } catch (IOException e) {
                answers.put(failed(new CommandException("Standard input cannot be read: " + e.getMessage() + ".", e)));
            } catch (RuntimeException e) {
                answers.put(failed(e));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<CompletableFuture<String>> failed(RuntimeException e) {
        return Optional.of(CompletableFuture.failedFuture(e));
    }

    private CompletableFuture<String> submit(Text text) {
        Encoding encoding = encode(text);
        if (encoding.length() > model.maxTokens()) {
            if (!settings.truncate) {
                throw new CommandException(text.place + " has " + encoding.length() + " tokens, more than the model's "
                        + model.maxTokens() + "; shorten it or pass --truncate.");
            }
            encoding = encoding.truncate(model.maxTokens(), TruncationDirection.RIGHT);
        }
        // Whoever started this waits for it, however long it takes.
        long deadline = System.nanoTime() + Duration.ofDays(365).toNanos();
        Job job = new Job(encoding.ids(), model.typeIds(encoding), Outputs.ofHead(settings.head.index()), deadline);
        lanes.submit(List.of(job), Priority.BULK);
        return job.result()
                .thenApply(answer ->
                        line(TextClassification.scores(settings.head, answer.logits(settings.head), settings.raw)));
    }

    private Encoding encode(Text text) {
        try {
            return model.tokenizer().encodeForModel(text.text);
        } catch (TokenizerException e) {
            throw new CommandException(text.place + " cannot be tokenized: " + e.getMessage(), e);
        }
    }

    private String line(List<LabelScore> scores) {
        StringWriter line = new StringWriter();
        try (JsonGenerator generator = json.createGenerator(line)) {
            LabelScore.write(scores, generator);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
        return line.toString();
    }
}
