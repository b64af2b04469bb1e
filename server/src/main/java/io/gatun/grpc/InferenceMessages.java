package io.gatun.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.gatun.grpc.inference.DataType;
import io.gatun.grpc.inference.InferParameter;
import io.gatun.grpc.inference.InferTensorContents;
import io.gatun.grpc.inference.ModelConfig;
import io.gatun.grpc.inference.ModelInferRequest;
import io.gatun.grpc.inference.ModelInferResponse;
import io.gatun.grpc.inference.ModelInput;
import io.gatun.grpc.inference.ModelMetadataResponse;
import io.gatun.grpc.inference.ModelOutput;
import io.gatun.grpc.inference.ModelStatistics;
import io.gatun.grpc.inference.StatisticDuration;
import io.gatun.inference.InferenceParameters;
import io.gatun.inference.InferenceRequest;
import io.gatun.inference.InferenceResult;
import io.gatun.inference.InputTensor;
import io.gatun.inference.ModelMetadata;
import io.gatun.inference.OutputTensor;
import io.gatun.service.RequestException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The Open Inference Protocol's messages, to what they mean and back. */
final class InferenceMessages {
    private InferenceMessages() {}

    static InferenceRequest request(ModelInferRequest message) {
        List<InferenceRequest.RequestedOutput> outputs = new ArrayList<>();
        for (ModelInferRequest.InferRequestedOutputTensor output : message.getOutputsList()) {
            InferParameter classes =
                    output.getParametersOrDefault("classification", InferParameter.getDefaultInstance());
            outputs.add(new InferenceRequest.RequestedOutput(output.getName(), classes.getInt64Param()));
        }
        return new InferenceRequest(
                message.getModelName(),
                message.getModelVersion(),
                inputs(message),
                outputs,
                InferenceParameters.of(parameters(message.getParametersMap())));
    }

    private static List<InputTensor> inputs(ModelInferRequest message) {
        int raw = message.getRawInputContentsCount();
        if (raw > 0 && raw != message.getInputsCount()) {
            throw RequestException.validation("There are " + message.getInputsCount() + " inputs and " + raw
                    + " raw_input_contents; send all tensors raw, or none.");
        }
        List<InputTensor> inputs = new ArrayList<>();
        for (ModelInferRequest.InferInputTensor input : message.getInputsList()) {
            if (raw == 0) {
                inputs.add(new InputTensor(
                        input.getName(),
                        input.getDatatype(),
                        input.getShapeList(),
                        input.getContents().getBytesContentsList().stream()
                                .map(ByteString::toByteArray)
                                .toList()));
            } else if (input.hasContents()) {
                throw RequestException.validation("The input \"" + input.getName()
                        + "\" has contents, and raw_input_contents too; send one of both.");
            } else {
                inputs.add(InputTensor.ofRaw(
                        input.getName(),
                        input.getDatatype(),
                        input.getShapeList(),
                        message.getRawInputContents(inputs.size()).asReadOnlyByteBuffer()));
            }
        }
        return inputs;
    }

    private static Map<String, Object> parameters(Map<String, InferParameter> parameters) {
        Map<String, Object> values = new HashMap<>();
        parameters.forEach((name, value) -> {
            switch (value.getParameterChoiceCase()) {
                case BOOL_PARAM -> values.put(name, value.getBoolParam());
                case INT64_PARAM -> values.put(name, value.getInt64Param());
                case UINT64_PARAM -> values.put(name, value.getUint64Param());
                case DOUBLE_PARAM -> values.put(name, value.getDoubleParam());
                case STRING_PARAM -> values.put(name, value.getStringParam());
                case PARAMETERCHOICE_NOT_SET -> {}
            }
        });
        return values;
    }

    /** The answer; raw, as Triton's clients read it, unless the request has its tensors in contents. */
    static ModelInferResponse response(ModelInferRequest message, InferenceResult result) {
        boolean raw = message.getRawInputContentsCount() > 0;
        ModelInferResponse.Builder response = ModelInferResponse.newBuilder()
                .setModelName(result.model())
                .setModelVersion(result.version())
                .setId(message.getId());
        for (OutputTensor tensor : result.outputs()) {
            ModelInferResponse.InferOutputTensor.Builder output = ModelInferResponse.InferOutputTensor.newBuilder()
                    .setName(tensor.name())
                    .setDatatype(tensor.datatype().name())
                    .addAllShape(tensor.shape());
            if (raw) {
                response.addRawOutputContents(UnsafeByteOperations.unsafeWrap(tensor.raw()));
            } else {
                output.setContents(contents(tensor));
            }
            response.addOutputs(output);
        }
        return response.build();
    }

    private static InferTensorContents contents(OutputTensor tensor) {
        InferTensorContents.Builder contents = InferTensorContents.newBuilder();
        switch (tensor) {
            case OutputTensor.Floats floats -> {
                for (float value : floats.elements()) {
                    contents.addFp32Contents(value);
                }
            }
            case OutputTensor.Texts texts ->
                texts.elements().forEach(text -> contents.addBytesContents(UnsafeByteOperations.unsafeWrap(text)));
        }
        return contents.build();
    }

    static ModelMetadataResponse metadata(ModelMetadata metadata) {
        return ModelMetadataResponse.newBuilder()
                .setName(metadata.name())
                .addVersions(ModelMetadata.VERSION)
                .setPlatform(ModelMetadata.PLATFORM)
                .addAllInputs(tensors(metadata.inputs()))
                .addAllOutputs(tensors(metadata.outputs()))
                .build();
    }

    private static List<ModelMetadataResponse.TensorMetadata> tensors(List<ModelMetadata.Tensor> tensors) {
        return tensors.stream()
                .map(tensor -> ModelMetadataResponse.TensorMetadata.newBuilder()
                        .setName(tensor.name())
                        .setDatatype(tensor.datatype().name())
                        .addAllShape(tensor.shape())
                        .build())
                .toList();
    }

    static ModelConfig config(ModelMetadata metadata) {
        ModelConfig.Builder config = ModelConfig.newBuilder()
                .setName(metadata.name())
                .setPlatform(ModelMetadata.PLATFORM)
                .setBackend(ModelMetadata.PLATFORM);
        for (ModelMetadata.Tensor input : metadata.inputs()) {
            config.addInput(ModelInput.newBuilder()
                    .setName(input.name())
                    .setDataType(DataType.valueOf(input.datatype().configurationName()))
                    .addAllDims(input.shape())
                    .setOptional(input.optional()));
        }
        for (ModelMetadata.Tensor output : metadata.outputs()) {
            config.addOutput(ModelOutput.newBuilder()
                    .setName(output.name())
                    .setDataType(DataType.valueOf(output.datatype().configurationName()))
                    .addAllDims(output.shape()));
        }
        return config.build();
    }

    static ModelStatistics statistics(io.gatun.inference.ModelStatistics statistics) {
        return ModelStatistics.newBuilder()
                .setName(statistics.name())
                .setVersion(ModelMetadata.VERSION)
                .setLastInference(statistics.lastInference())
                .setInferenceCount(statistics.inferences())
                .setExecutionCount(statistics.executions())
                .setInferenceStats(io.gatun.grpc.inference.InferStatistics.newBuilder()
                        .setSuccess(times(statistics.success()))
                        .setFail(times(statistics.fail()))
                        .setQueue(times(statistics.queue()))
                        .setComputeInput(times(statistics.input()))
                        .setComputeInfer(times(statistics.inference())))
                .build();
    }

    private static StatisticDuration times(io.gatun.inference.ModelStatistics.Times times) {
        return StatisticDuration.newBuilder()
                .setCount(times.count())
                .setNs(times.nanos())
                .build();
    }
}
