package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import io.gatun.grpc.inference.DataType;
import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.gatun.grpc.inference.InferParameter;
import io.gatun.grpc.inference.InferTensorContents;
import io.gatun.grpc.inference.ModelConfig;
import io.gatun.grpc.inference.ModelConfigRequest;
import io.gatun.grpc.inference.ModelInferRequest;
import io.gatun.grpc.inference.ModelInferResponse;
import io.gatun.grpc.inference.ModelMetadataRequest;
import io.gatun.grpc.inference.ModelMetadataResponse;
import io.gatun.grpc.inference.ModelReadyRequest;
import io.gatun.grpc.inference.ModelStatistics;
import io.gatun.grpc.inference.ModelStatisticsRequest;
import io.gatun.grpc.inference.ModelStreamInferResponse;
import io.gatun.grpc.inference.RepositoryIndexRequest;
import io.gatun.grpc.inference.RepositoryIndexResponse.ModelIndex;
import io.gatun.grpc.inference.RepositoryModelLoadRequest;
import io.gatun.grpc.inference.RepositoryModelUnloadRequest;
import io.gatun.grpc.inference.ServerLiveRequest;
import io.gatun.grpc.inference.ServerMetadataRequest;
import io.gatun.grpc.inference.ServerReadyRequest;
import io.gatun.service.Classified;
import io.gatun.service.Input;
import io.gatun.service.TokenOptions;
import io.gatun.service.Truncation;
import io.gatun.task.Entity;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** The Open Inference Protocol, with tensors as Triton's and as KServe's clients send them. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class InferenceCallsTest {
    private static final List<String> TEXTS = List.of("a good day", "größe 😀", "");

    private final RunningGrpcServer running = new RunningGrpcServer();
    private final GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub stub =
            GRPCInferenceServiceGrpc.newBlockingStub(running.channel);

    @AfterAll
    void stop() {
        running.close();
    }

    @Test
    void rawTensorsAreAnsweredRaw() throws Exception {
        ModelInferResponse response =
                stub.modelInfer(raw("small", TEXTS).setId("7").build());
        Classified expected = classified(Optional.empty());
        assertThat(response.getId()).isEqualTo("7");
        assertThat(response.getModelName()).isEqualTo("small");
        assertThat(response.getModelVersion()).isEqualTo("1");
        assertThat(response.getOutputsList())
                .extracting(ModelInferResponse.InferOutputTensor::getName)
                .containsExactly("logits", "label");
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("FP32");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(3L, 3L);
        assertThat(response.getOutputs(1).getShapeList()).containsExactly(3L);
        assertThat(response.getOutputsList()).noneMatch(ModelInferResponse.InferOutputTensor::hasContents);
        ByteBuffer logits =
                response.getRawOutputContents(0).asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : expected.logits()) {
            for (float value : row) {
                assertThat(logits.getFloat()).isEqualTo(value);
            }
        }
        assertThat(logits.hasRemaining()).isFalse();
        assertThat(response.getRawOutputContents(1)).isEqualTo(bytes(labels(expected)));
    }

    @Test
    void contentsAreAnsweredWithContents() throws Exception {
        ModelInferRequest.InferInputTensor.Builder input = tensor("text", List.of(3L, 1L));
        InferTensorContents.Builder contents = InferTensorContents.newBuilder();
        TEXTS.forEach(text -> contents.addBytesContents(ByteString.copyFromUtf8(text)));
        ModelInferResponse response = stub.modelInfer(ModelInferRequest.newBuilder()
                .setModelName("small")
                .addInputs(input.setContents(contents))
                .addOutputs(output("label"))
                .addOutputs(output("logits"))
                .build());
        Classified expected = classified(Optional.empty());
        assertThat(response.getRawOutputContentsList()).isEmpty();
        assertThat(response.getOutputs(0).getContents().getBytesContentsList())
                .extracting(ByteString::toStringUtf8)
                .isEqualTo(labels(expected));
        List<Float> logits = new ArrayList<>();
        for (float[] row : expected.logits()) {
            for (float value : row) {
                logits.add(value);
            }
        }
        assertThat(response.getOutputs(1).getContents().getFp32ContentsList()).isEqualTo(logits);
    }

    @Test
    void pairsHeadsClassesAndVectors() throws Exception {
        ModelInferResponse response = stub.modelInfer(raw("small", List.of("one"))
                .addInputs(tensor("text_pair", List.of(1L)))
                .addRawInputContents(bytes(List.of("two")))
                .putParameters(
                        "head",
                        InferParameter.newBuilder().setStringParam("topics").build())
                .addOutputs(output("logits")
                        .putParameters(
                                "classification",
                                InferParameter.newBuilder().setInt64Param(2).build()))
                .addOutputs(output("embedding"))
                .build());
        Classified expected = running.texts.classify(
                RunningGrpcServer.call(),
                Optional.empty(),
                Optional.of("topics"),
                List.of(new Input.Pair("one", "two")),
                Truncation.NONE);
        String best = expected.scores(0, true).getFirst().label();
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("BYTES");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(1L, 2L);
        assertThat(response.getRawOutputContents(0).toStringUtf8())
                .contains(":" + expected.head().labels().indexOf(best) + ":" + best);
        assertThat(response.getOutputs(1).getShapeList()).containsExactly(1L, 64L);
        assertThat(response.getRawOutputContents(1).size()).isEqualTo(64 * Float.BYTES);
    }

    @Test
    void wrongRequestsSayWhatIsWrong() {
        refused(Status.Code.NOT_FOUND, "\"small\"", raw("none", TEXTS));
        refused(Status.Code.NOT_FOUND, "version", raw("small", TEXTS).setModelVersion("2"));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "token-classification",
                raw("tags", TEXTS).addOutputs(output("logits")));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "\"text_pair\"",
                raw("tags", TEXTS).addInputs(tensor("text_pair", List.of(3L))).addRawInputContents(bytes(TEXTS)));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "raw_input_contents",
                raw("small", TEXTS).addInputs(tensor("text_pair", List.of(3L))));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "no input \"ids\"",
                ModelInferRequest.newBuilder().setModelName("small").addInputs(tensor("ids", List.of(1L))));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "BYTES",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of(1L)).setDatatype("INT64")));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "shape",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of(2L)))
                        .addRawInputContents(bytes(TEXTS)));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "shape",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of()))
                        .addRawInputContents(bytes(TEXTS)));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "end within",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of(1L)))
                        .addRawInputContents(ByteString.copyFrom(new byte[] {5, 0, 0, 0, 'a'})));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "end within",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of(1L)))
                        .addRawInputContents(ByteString.copyFrom(new byte[] {-1, -1, -1, -1})));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "UTF-8",
                ModelInferRequest.newBuilder()
                        .setModelName("small")
                        .addInputs(tensor("text", List.of(1L)))
                        .addRawInputContents(ByteString.copyFrom(new byte[] {1, 0, 0, 0, -1})));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "no output \"scores\"",
                raw("small", TEXTS).addOutputs(output("scores")));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "text",
                ModelInferRequest.newBuilder().setModelName("small"));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "\"truncate\"",
                raw("small", TEXTS)
                        .putParameters(
                                "truncate",
                                InferParameter.newBuilder().setInt64Param(1).build()));
    }

    @Test
    void entitiesAreJson() throws Exception {
        ModelInferResponse response = stub.modelInfer(raw("tags", TEXTS)
                .putParameters(
                        "aggregation_strategy",
                        InferParameter.newBuilder().setStringParam("simple").build())
                .build());
        assertThat(response.getOutputs(0).getName()).isEqualTo("entities");
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("BYTES");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(3L);
        List<String> expected = new ArrayList<>();
        for (List<Entity> text : running.texts
                .tokens()
                .entities(
                        RunningGrpcServer.call(),
                        Optional.of("tags"),
                        Optional.empty(),
                        TEXTS,
                        Truncation.NONE,
                        TokenOptions.of(
                                Optional.of("simple"),
                                Optional.empty(),
                                OptionalDouble.empty(),
                                OptionalInt.empty()))) {
            ByteArrayOutputStream json = new ByteArrayOutputStream();
            try (JsonGenerator out = new JsonFactory().createGenerator(json)) {
                Entity.write(text, out);
            }
            expected.add(json.toString(StandardCharsets.UTF_8));
        }
        assertThat(expected.get(1)).contains("entity_group");
        assertThat(response.getRawOutputContents(0)).isEqualTo(bytes(expected));
    }

    private void refused(Status.Code code, String word, ModelInferRequest.Builder request) {
        assertThatThrownBy(() -> stub.modelInfer(request.build()))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getCode()).isEqualTo(code);
                    assertThat(e.getStatus().getDescription()).contains(word);
                });
    }

    @Test
    void aStreamGoesOnAfterAnError() throws Exception {
        Answers<ModelStreamInferResponse> answers = new Answers<>();
        StreamObserver<ModelInferRequest> stream =
                GRPCInferenceServiceGrpc.newStub(running.channel).modelStreamInfer(answers);
        for (int i = 0; i < 200; i++) {
            stream.onNext(raw(i % 50 == 3 ? "none" : "small", List.of("text " + i))
                    .setId(Integer.toString(i))
                    .build());
        }
        stream.onCompleted();
        List<ModelStreamInferResponse> all = answers.whole();
        assertThat(all).hasSize(200);
        for (int i = 0; i < 200; i++) {
            assertThat(all.get(i).getInferResponse().getId()).isEqualTo(Integer.toString(i));
            assertThat(all.get(i).getErrorMessage().isEmpty()).isEqualTo(i % 50 != 3);
        }
    }

    @Test
    void theServerAndItsModelsTellOfThemselves() {
        assertThat(stub.serverLive(ServerLiveRequest.getDefaultInstance()).getLive())
                .isTrue();
        assertThat(stub.serverReady(ServerReadyRequest.getDefaultInstance()).getReady())
                .isTrue();
        assertThat(stub.serverMetadata(ServerMetadataRequest.getDefaultInstance())
                        .getExtensionsList())
                .contains("model_repository");
        assertThat(ready("small")).isTrue();
        assertThat(ready("none")).isFalse();
        ModelMetadataResponse metadata = stub.modelMetadata(
                ModelMetadataRequest.newBuilder().setName("small").build());
        assertThat(metadata.getVersionsList()).containsExactly("1");
        assertThat(metadata.getInputsList())
                .extracting(ModelMetadataResponse.TensorMetadata::getName)
                .containsExactly("text", "text_pair");
        assertThat(metadata.getOutputs(0).getShapeList()).containsExactly(-1L, 3L);
        ModelConfig config = stub.modelConfig(
                        ModelConfigRequest.newBuilder().setName("small").build())
                .getConfig();
        assertThat(config.getInput(0).getDataType()).isEqualTo(DataType.TYPE_STRING);
        assertThat(config.getInput(1).getOptional()).isTrue();
        assertThat(config.getOutput(0).getDataType()).isEqualTo(DataType.TYPE_FP32);
    }

    @Test
    void statisticsCountTextsAndFailures() {
        ModelStatistics before = statistics();
        stub.modelInfer(raw("small", TEXTS).build());
        refused(Status.Code.INVALID_ARGUMENT, "scores", raw("small", TEXTS).addOutputs(output("scores")));
        ModelStatistics after = statistics();
        assertThat(after.getInferenceCount() - before.getInferenceCount()).isEqualTo(3);
        assertThat(after.getExecutionCount() - before.getExecutionCount()).isEqualTo(1);
        assertThat(after.getInferenceStats().getFail().getCount()
                        - before.getInferenceStats().getFail().getCount())
                .isEqualTo(1);
        assertThat(after.getInferenceStats().getSuccess().getNs())
                .isGreaterThan(after.getInferenceStats().getComputeInfer().getNs());
        assertThat(after.getLastInference()).isPositive();
    }

    private ModelStatistics statistics() {
        return stub.modelStatistics(
                        ModelStatisticsRequest.newBuilder().setName("small").build())
                .getModelStats(0);
    }

    @Test
    void modelsComeAndGo() {
        stub.repositoryModelUnload(
                RepositoryModelUnloadRequest.newBuilder().setModelName("tags").build());
        assertThat(ready("tags")).isFalse();
        assertThat(index(false)).extracting(ModelIndex::getState).containsExactly("READY", "UNAVAILABLE");
        assertThat(index(true)).extracting(ModelIndex::getName).containsExactly("small");
        refused(Status.Code.NOT_FOUND, "not loaded", raw("tags", TEXTS));
        stub.repositoryModelLoad(
                RepositoryModelLoadRequest.newBuilder().setModelName("tags").build());
        assertThat(ready("tags")).isTrue();
        assertThatThrownBy(() -> stub.repositoryModelLoad(RepositoryModelLoadRequest.newBuilder()
                        .setModelName("none")
                        .build()))
                .hasMessageContaining("NOT_FOUND");
    }

    private boolean ready(String model) {
        return stub.modelReady(ModelReadyRequest.newBuilder().setName(model).build())
                .getReady();
    }

    private List<ModelIndex> index(boolean ready) {
        return stub.repositoryIndex(
                        RepositoryIndexRequest.newBuilder().setReady(ready).build())
                .getModelsList();
    }

    private Classified classified(Optional<String> head) throws InterruptedException {
        return running.texts.classify(
                RunningGrpcServer.call(),
                Optional.empty(),
                head,
                TEXTS.stream().<Input>map(Input.Text::new).toList(),
                Truncation.NONE);
    }

    private static List<String> labels(Classified classified) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < classified.logits().size(); i++) {
            labels.add(classified.scores(i, false).getFirst().label());
        }
        return labels;
    }

    private static ModelInferRequest.Builder raw(String model, List<String> texts) {
        return ModelInferRequest.newBuilder()
                .setModelName(model)
                .addInputs(tensor("text", List.of((long) texts.size())))
                .addRawInputContents(bytes(texts));
    }

    private static ModelInferRequest.InferInputTensor.Builder tensor(String name, List<Long> shape) {
        return ModelInferRequest.InferInputTensor.newBuilder()
                .setName(name)
                .setDatatype("BYTES")
                .addAllShape(shape);
    }

    private static ModelInferRequest.InferRequestedOutputTensor.Builder output(String name) {
        return ModelInferRequest.InferRequestedOutputTensor.newBuilder().setName(name);
    }

    /** As Triton's clients lay texts out. */
    private static ByteString bytes(List<String> texts) {
        ByteBuffer all = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        for (String text : texts) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            all.putInt(utf8.length).put(utf8);
        }
        return ByteString.copyFrom(all.flip());
    }
}
