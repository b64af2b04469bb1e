package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.gatun.grpc.inference.ServerLiveRequest;
import io.gatun.grpc.inference.ServerReadyRequest;
import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the server ends. */
@Timeout(120)
final class DrainTest {
    private final Gate gate = new Gate();
    private final RunningGrpcServer running = new RunningGrpcServer(GrpcSettings.of("127.0.0.1", 0), Optional.of(gate));
    private final PredictGrpc.PredictStub stub = PredictGrpc.newStub(running.channel);

    @AfterEach
    void stop() {
        gate.open();
        running.close();
    }

    @Test
    void whatWasTakenIsAnsweredAndWhatComesLaterIsRefused() throws Exception {
        HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(running.channel);
        Answers<HealthCheckResponse> watch = new Answers<>();
        HealthGrpc.newStub(running.channel).watch(HealthCheckRequest.getDefaultInstance(), watch);
        assertThat(status(health, "")).isEqualTo(ServingStatus.SERVING);
        assertThat(status(health, "tei.v1.Predict")).isEqualTo(ServingStatus.SERVING);

        Answers<PredictResponse> taken = new Answers<>();
        stub.predict(request("first"), taken);
        gate.awaitBatch();
        Answers<PredictResponse> streamed = new Answers<>();
        StreamObserver<PredictRequest> stream = stub.predictStream(streamed);
        stream.onNext(request("second"));
        await().until(() -> running.lanes().queuedJobs() == 1);
        Answers<PredictResponse> idle = new Answers<>();
        stub.predictStream(idle);
        await().until(() -> running.server.callsInFlight() == 3);

        running.server.drain();
        assertThat(status(health, "")).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(status(health, "tei.v1.Predict")).isEqualTo(ServingStatus.NOT_SERVING);
        await().until(() -> watch.all.size() == 2);
        assertThat(watch.all.getLast().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
        GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub inference =
                GRPCInferenceServiceGrpc.newBlockingStub(running.channel);
        assertThat(inference.serverLive(ServerLiveRequest.getDefaultInstance()).getLive())
                .isTrue();
        assertThat(inference
                        .serverReady(ServerReadyRequest.getDefaultInstance())
                        .getReady())
                .isFalse();
        assertThatThrownBy(() -> PredictGrpc.newBlockingStub(running.channel).predict(request("late")))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
        assertThat(idle.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(streamed.ended()).isFalse();

        Thread closing = Thread.startVirtualThread(running.server::close);
        gate.open();
        assertThat(taken.whole()).hasSize(1);
        assertThat(streamed.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(streamed.all).hasSize(1);
        closing.join(Duration.ofSeconds(30)); // whoever watches health does not hold it up
        assertThat(closing.isAlive()).isFalse();
        assertThatThrownBy(() -> status(health, "")).hasMessageContaining("UNAVAILABLE");
    }

    private static ServingStatus status(HealthGrpc.HealthBlockingStub health, String service) {
        return health.check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }

    private static PredictRequest request(String text) {
        return PredictRequest.newBuilder().setInputs(text).build();
    }
}
