package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatun.grpc.tei.EmbedAllRequest;
import io.gatun.grpc.tei.EmbedAllResponse;
import io.gatun.grpc.tei.EmbedGrpc;
import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.gatun.grpc.tei.Prediction;
import io.gatun.service.Classified;
import io.gatun.service.Input;
import io.gatun.service.Truncation;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams: in order, of bounded size, and alone with their troubles. */
@Timeout(120)
final class StreamTest {
    private final Gate gate = new Gate();
    private final RunningGrpcServer running = new RunningGrpcServer(GrpcSettings.of("127.0.0.1", 0), Optional.of(gate));
    private final PredictGrpc.PredictStub stub = PredictGrpc.newStub(running.channel);

    @AfterEach
    void stop() {
        gate.open();
        running.close();
    }

    @Test
    void answersComeInTheOrderOfTheTextsAndAreThoseOfTheService() throws Exception {
        gate.open();
        List<String> texts = IntStream.range(0, 500)
                .mapToObj(i -> "day ".repeat(1 + i * 37 % 60) + i)
                .toList();
        Answers<PredictResponse> answers = new Answers<>();
        StreamObserver<PredictRequest> stream = stub.predictStream(answers);
        texts.forEach(text -> stream.onNext(request(text)));
        stream.onCompleted();
        List<PredictResponse> all = answers.whole();
        Classified expected = running.texts.classify(
                RunningGrpcServer.call(),
                Optional.empty(),
                Optional.empty(),
                texts.stream().<Input>map(Input.Text::new).toList(),
                Truncation.NONE);
        assertThat(all).hasSize(500);
        for (int i = 0; i < 500; i++) {
            assertThat(all.get(i).getPredictionsList().stream()
                            .map(Prediction::getScore)
                            .toList())
                    .isEqualTo(expected.scores(i, false).stream()
                            .map(score -> score.score())
                            .toList());
        }
    }

    @Test
    void textsOfAStreamShareBatches() throws Exception {
        Answers<PredictResponse> answers = new Answers<>();
        StreamObserver<PredictRequest> stream = stub.predictStream(answers);
        stream.onNext(request("first"));
        gate.awaitBatch();
        for (int i = 0; i < 20; i++) {
            stream.onNext(request("text " + i));
        }
        stream.onCompleted();
        await().until(() -> running.lanes().queuedJobs() == 20);
        gate.open();
        assertThat(answers.whole()).hasSize(21);
    }

    @Test
    void aFailureEndsTheStreamAfterTheAnswersBeforeIt() throws Exception {
        Answers<PredictResponse> answers = new Answers<>();
        StreamObserver<PredictRequest> stream = stub.predictStream(answers);
        stream.onNext(request("first"));
        gate.awaitBatch();
        stream.onNext(request("second"));
        stream.onNext(request("word ".repeat(2000)));
        stream.onNext(request("fourth"));
        await().until(() -> running.lanes().queuedJobs() == 2);
        assertThat(answers.ended()).isFalse();
        gate.open();
        assertThat(answers.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(answers.all).hasSize(2);
        await().until(() -> running.server.callsInFlight() == 0);
    }

    @Test
    void whoDoesNotReadIsNotComputedFor() throws Exception {
        gate.open();
        Reader reader = new Reader();
        EmbedGrpc.newStub(running.channel).embedAllStream(reader);
        ClientCallStreamObserver<EmbedAllRequest> stream = reader.call.join();
        String text = "word ".repeat(50);
        int sent = 400;
        for (int i = 0; i < sent; i++) {
            stream.onNext(EmbedAllRequest.newBuilder().setInputs(text).build());
        }
        stream.onCompleted();
        // What is not read stays within the stream's buffers: the kernel stops being asked.
        int seen = awaitStandstill();
        assertThat(seen).isLessThan(sent / 2);
        stream.request(sent);
        await().atMost(Duration.ofSeconds(60)).until(() -> reader.ended);
        assertThat(reader.count.get()).isEqualTo(sent);
        assertThat(gate.texts.get()).isEqualTo(sent);
    }

    /** Until a second has passed in which the kernel got no text. */
    private int awaitStandstill() {
        int[] last = {-1};
        await().pollInterval(Duration.ofSeconds(1))
                .atMost(Duration.ofSeconds(60))
                .until(() -> {
                    int before = last[0];
                    last[0] = gate.texts.get();
                    return before == last[0] && before > 0;
                });
        return last[0];
    }

    private static PredictRequest request(String text) {
        return PredictRequest.newBuilder().setInputs(text).build();
    }

    /** A client that reads only when it is told to. */
    private static final class Reader implements ClientResponseObserver<EmbedAllRequest, EmbedAllResponse> {
        private final AtomicInteger count = new AtomicInteger();
        private final CompletableFuture<ClientCallStreamObserver<EmbedAllRequest>> call = new CompletableFuture<>();
        private volatile boolean ended;

        @Override
        public void beforeStart(ClientCallStreamObserver<EmbedAllRequest> stream) {
            stream.disableAutoRequestWithInitial(0);
            call.complete(stream);
        }

        @Override
        public void onNext(EmbedAllResponse answer) {
            count.incrementAndGet();
        }

        @Override
        public void onError(Throwable e) {
            ended = true;
        }

        @Override
        public void onCompleted() {
            ended = true;
        }
    }
}
