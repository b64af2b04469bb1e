package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.DeadlineException;
import io.gatun.batch.Job;
import io.gatun.batch.Priority;
import io.gatun.metrics.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A request's jobs to their answers: queued, waited for, and abandoned when nobody waits any more. Thread-safe. */
final class Inference {
    private static final Duration UNWATCHED = Duration.ofMillis(10);

    private final Metrics metrics;
    private final ServiceLimits limits;

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

    List<Answer> answers(Call call, ServedModel served, List<Job> jobs) throws InterruptedException {
        long deadline = deadline(call);
        Priority priority = call.options()
                .priority()
                .orElse(jobs.size() > limits.bulkTexts() ? Priority.BULK : Priority.INTERACTIVE);
        List<Answer> answers = new ArrayList<>(jobs.size());
        try {
            served.lanes().submit(jobs, priority);
            if (!isDoneSoon(jobs.getLast())) {
                call.caller().whenGone(() -> jobs.forEach(Job::abandon));
            }
            for (Job job : jobs) {
                long rest = Math.max(0, deadline - System.nanoTime());
                Answer answer = job.result().get(rest, TimeUnit.NANOSECONDS);
                call.timings().add(answer);
                answers.add(answer);
            }
            return answers;
        } catch (CancellationException e) {
            metrics.failure("dropped");
            throw new CallerGoneException();
        } catch (TimeoutException e) {
            throw new DeadlineException();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new CompletionException(e.getCause());
        } finally {
            call.caller().isAnswered();
            if (answers.size() < jobs.size()) {
                jobs.forEach(Job::abandon);
            }
        }
    }

    /** Whether it is not worth a second thread to notice that the caller leaves. */
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
}
