package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Job;
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
    private static final int CHARACTERS_PER_TOKEN = 4;

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

    /** Refuses a request that the queue has no room for, before its texts are tokenized. */
    void checkRoom(Call call, ServedModel served, List<Input> inputs) {
        long characters = inputs.stream().mapToLong(Input::characters).sum();
        long tokens = Math.min(characters / CHARACTERS_PER_TOKEN, (long) inputs.size() * limits.maxTokens());
        served.lanes().checkRoom(inputs.size(), (int) tokens, priority(call, inputs.size()));
    }

    private Priority priority(Call call, int texts) {
        return call.options().priority().orElse(texts > limits.bulkTexts() ? Priority.BULK : Priority.INTERACTIVE);
    }

    /** Waits for a request's answers, whatever its deadline: when that comes, the wait ends with its jobs. */
    List<Answer> answers(Call call, ServedModel served, List<Job> jobs) throws InterruptedException {
        List<Answer> answers = new ArrayList<>(jobs.size());
        try (Waiting.Place _ = waiting.enter(call.caller(), jobs)) {
            served.lanes().submit(jobs, priority(call, jobs.size()));
            for (Job job : jobs) {
                Answer answer = job.result().get();
                call.timings().add(answer);
                answers.add(answer);
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

    @Override
    public void close() {
        waiting.close();
    }
}
