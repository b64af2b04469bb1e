package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.grpc.CallOptions;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients expect that were not built with this server's protos. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ForeignClientsTest {
    private final RunningGrpcServer running = new RunningGrpcServer();

    @AfterAll
    void stop() {
        running.close();
    }

    @Test
    void reflectionListsTheServices() throws Exception {
        assertThat(reflected("").getListServicesResponse().getServiceList())
                .extracting(ServiceResponse::getName)
                .contains(
                        "inference.GRPCInferenceService",
                        "tei.v1.Info",
                        "tei.v1.Embed",
                        "tei.v1.Predict",
                        "tei.v1.Rerank",
                        "tei.v1.Tokenize",
                        "grpc.health.v1.Health",
                        "grpc.reflection.v1alpha.ServerReflection");
        assertThat(reflected("tei.v1.Predict").getFileDescriptorResponse().getFileDescriptorProtoCount())
                .isOne();
        assertThat(reflected("tei.v1.None").getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
    }

    /** {@code symbol}: or an empty text, for the list of services. */
    private ServerReflectionResponse reflected(String symbol) throws Exception {
        Answers<ServerReflectionResponse> answers = new Answers<>();
        StreamObserver<ServerReflectionRequest> stream =
                ServerReflectionGrpc.newStub(running.channel).serverReflectionInfo(answers);
        ServerReflectionRequest.Builder request = ServerReflectionRequest.newBuilder();
        stream.onNext(
                symbol.isEmpty()
                        ? request.setListServices("").build()
                        : request.setFileContainingSymbol(symbol).build());
        stream.onCompleted();
        return answers.whole().getFirst();
    }

    @ParameterizedTest
    @CsvSource({
        "inference.GRPCInferenceService/SystemSharedMemoryStatus, memory",
        "inference.GRPCInferenceService/CudaSharedMemoryRegister, memory",
        "inference.GRPCInferenceService/TraceSetting, traces",
        "inference.GRPCInferenceService/LogSettings, logs",
        "tei.v1.Embed/EmbedSparse, sparse",
        "tei.v1.Embed/EmbedSparseStream, sparse",
        "some.Service/Method, reflection"
    })
    void whatIsNotServedIsSaidWithItsReason(String method, String word) {
        MethodDescriptor<PredictRequest, PredictRequest> descriptor =
                MethodDescriptor.<PredictRequest, PredictRequest>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName(method)
                        .setRequestMarshaller(ProtoUtils.marshaller(PredictRequest.getDefaultInstance()))
                        .setResponseMarshaller(ProtoUtils.marshaller(PredictRequest.getDefaultInstance()))
                        .build();
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                        running.channel, descriptor, CallOptions.DEFAULT, PredictRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
                    assertThat(e.getStatus().getDescription()).contains(word);
                });
    }

    @ParameterizedTest
    @CsvSource({"gzip", "deflate"})
    void messagesMayBeCompressed(String compression) throws Exception {
        CompressorRegistry compressors = CompressorRegistry.newEmptyInstance();
        List.of(new Codec.Gzip(), new Deflate()).forEach(compressors::register);
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", running.server.port())
                .usePlaintext()
                .compressorRegistry(compressors)
                .build();
        try {
            PredictRequest request =
                    PredictRequest.newBuilder().setInputs("a good day").build();
            assertThat(PredictGrpc.newBlockingStub(channel)
                            .withCompression(compression)
                            .predict(request)
                            .getPredictionsList())
                    .isEqualTo(PredictGrpc.newBlockingStub(running.channel)
                            .predict(request)
                            .getPredictionsList());
        } finally {
            channel.shutdownNow();
        }
    }
}
