package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.gatun.grpc.inference.InferParameter;
import io.gatun.grpc.inference.InferTensorContents;
import io.gatun.grpc.inference.ModelInferRequest;
import io.gatun.grpc.inference.ModelInferResponse;
import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.gatun.kernel.Slab;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave, or whose time is over: the kernel never sees what they asked for. */
@Timeout(120)
final class CallersTest {
    private final Gate gate = new Gate();
    private final RunningGrpcServer running = new RunningGrpcServer(GrpcSettings.of("127.0.0.1", 0), Optional.of(gate));
    private final PredictGrpc.PredictStub stub = PredictGrpc.newStub(running.channel);
    private final Answers<PredictResponse> first = new Answers<>();

    @AfterEach
    void stop() {
        gate.open();
        running.close();
    }

    /** The lane is busy with one text from now until the gate opens. */
    private void occupyTheLane() throws InterruptedException {
        stub.predict(request("first"), first);
        gate.awaitBatch();
    }

    @Test
    void expiredWorkNeverReachesTheKernel() throws Exception {
        occupyTheLane();
        Answers<PredictResponse> hasty = new Answers<>();
        stub.withDeadlineAfter(200, TimeUnit.MILLISECONDS).predict(request("hasty"), hasty);
        assertThat(hasty.end().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        await().until(() -> running.server.callsInFlight() == 1);
        gate.open();
        assertThat(first.whole()).hasSize(1);
        Answers<PredictResponse> last = new Answers<>();
        stub.predict(request("last"), last);
        assertThat(last.whole()).hasSize(1);
        assertThat(gate.texts.get()).isEqualTo(2);
    }

    @Test
    void aRequestMayHaveATimeoutOfItsOwn() throws Exception {
        occupyTheLane();
        Answers<ModelInferResponse> hasty = new Answers<>();
        GRPCInferenceServiceGrpc.newStub(running.channel)
                .modelInfer(
                        ModelInferRequest.newBuilder()
                                .setModelName("small")
                                .addInputs(ModelInferRequest.InferInputTensor.newBuilder()
                                        .setName("text")
                                        .setDatatype("BYTES")
                                        .addShape(1)
                                        .setContents(InferTensorContents.newBuilder()
                                                .addBytesContents(ByteString.copyFromUtf8("hasty"))))
                                .putParameters(
                                        "timeout",
                                        InferParameter.newBuilder()
                                                .setInt64Param(100_000)
                                                .build())
                                .build(),
                        hasty);
        assertThat(hasty.end().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        gate.open();
        assertThat(first.whole()).hasSize(1);
        assertThat(gate.texts.get()).isEqualTo(1);
    }

    @Test
    void aThousandCancelledCallsLeaveNothingBehind() throws Exception {
        occupyTheLane();
        long before = Slab.allocatedBytes();
        List<Context.CancellableContext> callers = new ArrayList<>();
        List<Answers<PredictResponse>> answers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Context.CancellableContext caller = Context.current().withCancellation();
            Answers<PredictResponse> answer = new Answers<>();
            caller.run(() -> stub.predict(request("a"), answer));
            callers.add(caller);
            answers.add(answer);
        }
        await().until(() -> running.lanes().queuedJobs() == 1000);
        callers.forEach(caller -> caller.cancel(null));
        for (Answers<PredictResponse> answer : answers) {
            assertThat(answer.end().getCode()).isEqualTo(Status.Code.CANCELLED);
        }
        await().until(() -> running.server.callsInFlight() == 1);
        gate.open();
        assertThat(first.whole()).hasSize(1);
        await().until(() -> running.lanes().abandonedJobs() == 1000);
        assertThat(gate.texts.get()).isEqualTo(1);
        assertThat(running.server.bytesInFlight()).isZero();
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void aStreamThatIsLeftIsNotComputed() throws Exception {
        occupyTheLane();
        Context.CancellableContext caller = Context.current().withCancellation();
        Answers<PredictResponse> answers = new Answers<>();
        caller.run(() -> {
            StreamObserver<PredictRequest> stream = stub.predictStream(answers);
            for (int i = 0; i < 30; i++) {
                stream.onNext(request("text " + i));
            }
        });
        await().until(() -> running.lanes().queuedJobs() == 30);
        caller.cancel(null);
        await().until(() -> running.server.callsInFlight() == 1);
        gate.open();
        await().until(() -> running.lanes().abandonedJobs() == 30);
        assertThat(gate.texts.get()).isEqualTo(1);
        assertThat(running.server.bytesInFlight()).isZero();
    }

    @Test
    void whoIsBulkWaitsForWhoIsNot() throws Exception {
        occupyTheLane();
        Answers<PredictResponse> bulk = new Answers<>();
        RunningGrpcServer.with(stub, "x-priority", "bulk").predict(request("bulk"), bulk);
        await().until(() -> running.lanes().queuedJobs() == 1);
        Answers<PredictResponse> interactive = new Answers<>();
        stub.predict(request("interactive"), interactive);
        await().until(() -> running.lanes().queuedJobs() == 2);
        gate.open();
        long queuedBulk = bulk.whole().getFirst().getMetadata().getQueueTimeNs();
        assertThat(queuedBulk)
                .isGreaterThan(interactive.whole().getFirst().getMetadata().getQueueTimeNs());
    }

    private static PredictRequest request(String text) {
        return PredictRequest.newBuilder().setInputs(text).build();
    }
}
