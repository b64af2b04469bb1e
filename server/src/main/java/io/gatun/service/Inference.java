package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Job;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Priority;
import io.gatun.metrics.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** A request's jobs to their answers: queued, waited for, and abandoned when nobody waits any more. Thread-safe. */
final class Inference implements AutoCloseable {
    /** Of usual texts. */
    static final int CHARACTERS_PER_TOKEN = 4;

    /** A large request is cut into pieces of a quarter of what may wait. */
    private static final int PIECES = 4;
    /** So many of them are queued at once. */
    private static final int AHEAD = 2;

    private final Metrics metrics;
    private final ServiceLimits limits;
    private final Waiting waiting = new Waiting();

    Inference(Metrics metrics, ServiceLimits limits) {
        this.metrics = metrics;
        this.limits = limits;
    }

    /** The {@link System#nanoTime} from which nobody wants a request's answer. */
    long deadline(Call call) {
        Duration timeout = call.options().timeout().orElse(limits.timeout());
        return call.timings().start()
                + Math.min(timeout.toNanos(), limits.timeout().toNanos());
    }

    /**
     * Refuses a request that the queue has no room for, before its texts are tokenized.
     *
     * @param whole whether texts longer than the model reads become windows, and are not cut
     */
    void checkRoom(Call call, ServedModel served, List<Input> inputs, boolean whole) {
        long characters = inputs.stream().mapToLong(Input::characters).sum();
        long tokens = characters / CHARACTERS_PER_TOKEN;
        int room = Math.min(served.model().maxTokens(), limits.maxTokens());
        long sequences = inputs.size();
        if (whole) {
            sequences = Math.max(sequences, tokens / room);
        } else {
            tokens = Math.min(tokens, sequences * room);
        }
        Priority priority = priority(call, (int) Math.min(sequences, Integer.MAX_VALUE));
        LaneSettings settings = served.lanes().settings();
        served.lanes()
                .checkRoom(
                        (int) Math.min(sequences, AHEAD * maxJobs(settings, priority)),
                        (int) Math.min(tokens, AHEAD * maxTokens(settings, priority)),
                        priority);
    }

    private Priority priority(Call call, int texts) {
        return call.options().priority().orElse(texts > limits.bulkTexts() ? Priority.BULK : Priority.INTERACTIVE);
    }

    /**
     * Waits for a request's answers, whatever its deadline: when that comes, the wait ends with its jobs.
     *
     * <p>A large request never has more in the queue than its part of it. It goes on with the next piece when the one
     * before the last is done, so that it shares the lanes with those who came later and no lane waits for it.
     */
    List<Answer> answers(Call call, ServedModel served, List<Job> jobs) throws InterruptedException {
        Priority priority = priority(call, jobs.size());
        List<List<Job>> pieces = pieces(jobs, served.lanes().settings(), priority);
        List<Answer> answers = new ArrayList<>(jobs.size());
        try (Waiting.Place _ = waiting.enter(call.caller(), jobs)) {
            int first = Math.min(AHEAD, pieces.size());
            served.lanes().submit(joined(pieces.subList(0, first)), priority);
            for (int i = 0; i < pieces.size(); i++) {
                for (Job job : pieces.get(i)) {
                    Answer answer = job.result().get();
                    call.timings().add(answer);
                    answers.add(answer);
                }
                if (i + AHEAD < pieces.size()) {
                    served.lanes().submitMore(pieces.get(i + AHEAD), priority);
                }
            }
            return answers;
        } catch (CancellationException e) {
            metrics.failure("dropped");
            throw new CallerGoneException();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new CompletionException(e.getCause());
        } finally {
            if (answers.size() < jobs.size()) {
                jobs.forEach(Job::abandon);
            }
        }
    }

    private static List<Job> joined(List<List<Job>> pieces) {
        return pieces.stream().flatMap(List::stream).toList();
    }

    /** Cuts a request's jobs, in their order, into what may be queued of it at once. */
    private static List<List<Job>> pieces(List<Job> jobs, LaneSettings settings, Priority priority) {
        long maxJobs = maxJobs(settings, priority);
        long maxTokens = maxTokens(settings, priority);
        List<List<Job>> pieces = new ArrayList<>();
        int start = 0;
        long tokens = 0;
        for (int i = 0; i < jobs.size(); i++) {
            int added = jobs.get(i).tokens();
            if (i > start && (i - start >= maxJobs || tokens + added > maxTokens)) {
                pieces.add(jobs.subList(start, i));
                start = i;
                tokens = 0;
            }
            tokens += added;
        }
        pieces.add(jobs.subList(start, jobs.size()));
        return pieces;
    }

    private static long maxJobs(LaneSettings settings, Priority priority) {
        return Math.max(1, settings.maxQueuedJobs(priority) / PIECES);
    }

    private static long maxTokens(LaneSettings settings, Priority priority) {
        return settings.maxQueuedTokens(priority) / PIECES;
    }

    @Override
    public void close() {
        waiting.close();
    }
}
