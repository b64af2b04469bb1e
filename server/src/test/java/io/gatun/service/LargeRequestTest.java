package io.gatun.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.batch.Priority;
import io.gatun.batch.SmallModel;
import io.gatun.kernel.Compute;
import io.gatun.kernel.SessionLimits;
import io.gatun.metrics.Metrics;
import io.gatun.model.ModelSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A request of many times what may wait, while others ask as well. */
@Timeout(60)
final class LargeRequestTest {
    private static final int MAX_TOKENS = 64;

    private static final Caller PATIENT = new Caller() {
        @Override
        public void whenGone(Runnable action) {}

        @Override
        public void isAnswered() {}
    };

    @Test
    void itIsDoneWhileOthersAskAndHoldsOnlyItsPartOfTheQueue(@TempDir Path folder) throws Exception {
        AtomicInteger most = new AtomicInteger();
        Metrics metrics = new Metrics();
        try (Catalogue catalogue = catalogue(folder, metrics);
                TextService texts = new TextService(catalogue, metrics, ServiceLimits.DEFAULT);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Input> many = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                many.add(new Input.Text("text " + i % 7));
            }
            AtomicBoolean done = new AtomicBoolean();
            AtomicInteger others = new AtomicInteger();
            List<Future<?>> askers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                askers.add(threads.submit(() -> {
                    while (!done.get()) {
                        try {
                            classify(texts, List.of(new Input.Text("other")));
                            others.incrementAndGet();
                        } catch (RuntimeException e) {
                            // Refused, as it may be while the queue is full.
                            assertThat(Problem.of(e).orElseThrow().type()).isEqualTo(ErrorType.OVERLOADED);
                        }
                        most.accumulateAndGet(queued(catalogue), Math::max);
                    }
                    return null;
                }));
            }
            Classified all = admitted(texts, many);
            done.set(true);
            for (Future<?> asker : askers) {
                asker.get();
            }
            List<float[]> alone = new ArrayList<>();
            for (int i = 0; i < 7; i++) {
                alone.add(classify(texts, List.of(many.get(i))).logits().getFirst());
            }
            for (int i = 0; i < many.size(); i++) {
                assertThat(all.logits().get(i)).containsExactly(alone.get(i % 7));
            }
            assertThat(others.get()).isPositive();
            assertThat(most.get()).isLessThanOrEqualTo(2 * MAX_TOKENS);
        }
    }

    /** The first of it may be refused, as of any request; then its client comes again. */
    private static Classified admitted(TextService texts, List<Input> inputs) throws InterruptedException {
        while (true) {
            try {
                return classify(texts, inputs);
            } catch (RuntimeException e) {
                assertThat(Problem.of(e).orElseThrow().type()).isEqualTo(ErrorType.OVERLOADED);
            }
        }
    }

    private static Classified classify(TextService texts, List<Input> inputs) throws InterruptedException {
        CallOptions options = new CallOptions(Optional.of(Priority.INTERACTIVE), Optional.empty());
        return texts.classify(
                new Call(PATIENT, options, System.nanoTime()),
                Optional.empty(),
                Optional.empty(),
                inputs,
                Truncation.NONE);
    }

    private static int queued(Catalogue catalogue) {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            Lanes lanes = lease.served().lanes();
            return lanes.queuedTokens();
        }
    }

    private static Catalogue catalogue(Path folder, Metrics metrics) {
        LaneSettings settings = new LaneSettings(1, new SessionLimits(64, 8), Duration.ofMillis(20), 32, MAX_TOKENS);
        return new Catalogue(
                Map.of("small", ModelSource.file(SmallModel.convert(SmallModel.HEADS, folder))),
                new ModelLoader(Compute.F32, model -> settings, Long.MAX_VALUE, metrics, metrics));
    }
}
