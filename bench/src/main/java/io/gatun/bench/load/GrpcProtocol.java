package io.gatun.bench.load;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.gatun.grpc.inference.InferTensorContents;
import io.gatun.grpc.inference.ModelInferRequest;
import io.gatun.grpc.inference.ModelInferRequest.InferInputTensor;
import io.gatun.grpc.inference.ModelInferRequest.InferRequestedOutputTensor;
import io.gatun.grpc.inference.ModelInferResponse;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/** Those over gRPC. */
enum GrpcProtocol implements Protocol {
    /** text-embeddings-inference. */
    TEI("grpc-tei", "tei.v1.Predict/Predict") {
        @Override
        byte[] request(String text, String model) {
            return PredictRequest.newBuilder().setInputs(text).build().toByteArray();
        }

        @Override
        String read(ByteBuffer answer) throws InvalidProtocolBufferException {
            PredictResponse response = PredictResponse.parseFrom(answer);
            return response.getPredictionsCount() == 0
                    ? ""
                    : response.getPredictions(0).getLabel();
        }

        @Override
        ByteBuffer readLasting(ByteBuffer answer) throws InvalidProtocolBufferException {
            return ByteBuffer.wrap(PredictResponse.parseFrom(answer).toBuilder()
                    .clearMetadata()
                    .build()
                    .toByteArray());
        }
    },
    /** KServe and Triton; an element of raw BYTES is its length in four bytes, and then its bytes. */
    KSERVE("grpc-kserve", "inference.GRPCInferenceService/ModelInfer") {
        @Override
        byte[] request(String text, String model) {
            return ModelInferRequest.newBuilder()
                    .setModelName(model)
                    .addInputs(InferInputTensor.newBuilder()
                            .setName("text")
                            .setDatatype("BYTES")
                            .addShape(1)
                            .setContents(
                                    InferTensorContents.newBuilder().addBytesContents(ByteString.copyFromUtf8(text))))
                    .addOutputs(InferRequestedOutputTensor.newBuilder().setName("label"))
                    .build()
                    .toByteArray();
        }

        @Override
        String read(ByteBuffer answer) throws InvalidProtocolBufferException {
            ModelInferResponse response = ModelInferResponse.parseFrom(answer);
            if (response.getRawOutputContentsCount() > 0) {
                return response.getRawOutputContents(0).substring(Integer.BYTES).toStringUtf8();
            }
            List<ByteString> labels = response.getOutputsCount() == 0
                    ? List.of()
                    : response.getOutputs(0).getContents().getBytesContentsList();
            return labels.isEmpty() ? "" : labels.getFirst().toStringUtf8();
        }

        @Override
        ByteBuffer readLasting(ByteBuffer answer) {
            return answer;
        }
    };

    private final String id;
    private final String method;

    GrpcProtocol(String id, String method) {
        this.id = id;
        this.method = method;
    }

    abstract byte[] request(String text, String model);

    abstract String read(ByteBuffer answer) throws InvalidProtocolBufferException;

    abstract ByteBuffer readLasting(ByteBuffer answer) throws InvalidProtocolBufferException;

    @Override
    public String id() {
        return id;
    }

    @Override
    public Client client(Texts texts, URI server, String model, int connections, Duration timeout) {
        return GrpcClient.of(
                server,
                method,
                texts.all().stream().map(text -> request(text, model)).toList(),
                connections,
                timeout);
    }

    @Override
    public String label(ByteBuffer answer) {
        try {
            return read(answer.duplicate());
        } catch (InvalidProtocolBufferException e) {
            return "";
        }
    }

    @Override
    public ByteBuffer lasting(ByteBuffer answer) {
        try {
            return readLasting(answer.duplicate());
        } catch (InvalidProtocolBufferException e) {
            return answer;
        }
    }
}
