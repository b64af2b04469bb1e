package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.inference.InferenceParameters;
import io.gatun.inference.InferenceRequest;
import io.gatun.inference.InferenceResult;
import io.gatun.inference.InputTensor;
import io.gatun.inference.OutputTensor;
import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * An inference request as the Open Inference Protocol writes it over HTTP: JSON and, by Triton's binary tensor
 * extension, the raw bytes of some tensors behind it; and the answer in the form that it asks for.
 *
 * @param id that the answer repeats
 * @param allBinary whether outputs are binary unless they say otherwise
 * @param binary the outputs that are binary, of those that say so
 * @param plain the outputs that are not, of those that say so
 */
record TensorBody(
        InferenceRequest request, Optional<String> id, boolean allBinary, Set<String> binary, Set<String> plain) {
    /** How many bytes of a body are JSON, where more follow. */
    static final String JSON_LENGTH = "Inference-Header-Content-Length";

    private static final String EXAMPLE =
            "{\"inputs\": [{\"name\": \"text\", \"datatype\": \"BYTES\", \"shape\": [1], \"data\": [\"a text\"]}]}";
    private static final String BINARY_TYPE = "application/octet-stream";

    static TensorBody read(Exchange exchange, String model, String version) throws IOException {
        byte[] body = exchange.bytes();
        int json = jsonLength(exchange, body);
        Fields fields = exchange.parse(Arrays.copyOf(body, json));
        Fields parameters = fields.object("parameters");
        List<InferenceRequest.RequestedOutput> outputs = new ArrayList<>();
        Set<String> binary = new TreeSet<>();
        Set<String> plain = new TreeSet<>();
        for (Fields output : fields.objects("outputs")) {
            String name = name(output, "outputs");
            Fields its = output.object("parameters");
            if (its.has("binary_data")) {
                (its.flag("binary_data", false) ? binary : plain).add(name);
            }
            outputs.add(new InferenceRequest.RequestedOutput(
                    name, its.integer("classification").orElse(0)));
        }
        return new TensorBody(
                new InferenceRequest(
                        model,
                        version,
                        inputs(fields, ByteBuffer.wrap(body, json, body.length - json)),
                        outputs,
                        InferenceParameters.of(values(parameters))),
                fields.text("id"),
                parameters.flag("binary_data_output", false),
                binary,
                plain);
    }

    private static int jsonLength(Exchange exchange, byte[] body) {
        Optional<String> header = exchange.header(JSON_LENGTH);
        if (header.isEmpty()) {
            return body.length;
        }
        try {
            int length = Integer.parseInt(header.get().strip());
            if (length >= 0 && length <= body.length) {
                return length;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new RequestException(
                ErrorType.MALFORMED,
                "The header " + JSON_LENGTH + " must be the length of the JSON in bytes, 0 to " + body.length + ".");
    }

    private static List<InputTensor> inputs(Fields fields, ByteBuffer binary) {
        fields.required("inputs", EXAMPLE);
        List<InputTensor> inputs = new ArrayList<>();
        for (Fields input : fields.objects("inputs")) {
            String name = name(input, "inputs");
            String datatype = input.text("datatype")
                    .orElseThrow(() -> RequestException.validation("The input \"" + name + "\" has no datatype."));
            List<Long> shape = shape(name, input);
            Fields parameters = input.object("parameters");
            if (parameters.has("binary_data_size")) {
                int size = parameters.integer("binary_data_size").orElse(0);
                if (size < 0 || size > binary.remaining()) {
                    throw new RequestException(
                            ErrorType.MALFORMED,
                            "The input \"" + name + "\" has " + size + " bytes, and " + binary.remaining()
                                    + " are left behind the JSON.");
                }
                inputs.add(InputTensor.ofRaw(name, datatype, shape, binary.slice(binary.position(), size)));
                binary.position(binary.position() + size);
            } else {
                List<byte[]> elements = new ArrayList<>();
                flatten(name, input.required("data", EXAMPLE), elements);
                inputs.add(new InputTensor(name, datatype, shape, elements));
            }
        }
        if (binary.hasRemaining()) {
            throw new RequestException(
                    ErrorType.MALFORMED, binary.remaining() + " bytes behind the JSON belong to no input.");
        }
        return inputs;
    }

    private static String name(Fields tensor, String list) {
        return tensor.text("name")
                .orElseThrow(() -> RequestException.validation("One of the " + list + " has no name."));
    }

    private static List<Long> shape(String name, Fields input) {
        JsonNode shape = input.required("shape", EXAMPLE);
        List<Long> sizes = new ArrayList<>();
        for (JsonNode size : shape) {
            if (!size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
                throw shapeIsWrong(name);
            }
            sizes.add(size.longValue());
        }
        if (!shape.isArray()) {
            throw shapeIsWrong(name);
        }
        return sizes;
    }

    private static RequestException shapeIsWrong(String name) {
        return RequestException.validation(
                "The shape of the input \"" + name + "\" must be a list of whole numbers from 0 up.");
    }

    /** The elements of a tensor, which may come in as many lists as it has dimensions, or in one. */
    private static void flatten(String name, JsonNode data, List<byte[]> elements) {
        if (data.isArray()) {
            data.forEach(element -> flatten(name, element, elements));
        } else if (data.isTextual()) {
            elements.add(data.textValue().getBytes(StandardCharsets.UTF_8));
        } else {
            throw RequestException.validation(
                    "The data of the input \"" + name + "\" must be texts, not " + Fields.kind(data) + ".");
        }
    }

    private static Map<String, Object> values(Fields parameters) {
        Map<String, Object> values = new TreeMap<>();
        parameters.forEach((name, node) -> {
            switch (node.getNodeType()) {
                case BOOLEAN -> values.put(name, node.booleanValue());
                case STRING -> values.put(name, node.textValue());
                case NUMBER ->
                    values.put(name, node.isIntegralNumber() ? (Object) node.longValue() : node.doubleValue());
                default -> {} // none that is known here is a list or an object
            }
        });
        return values;
    }

    Reply answer(InferenceResult result) throws IOException {
        ByteArrayOutputStream raw = new ByteArrayOutputStream();
        byte[] json = Json.bytes(out -> {
            out.writeStartObject();
            out.writeStringField("model_name", result.model());
            out.writeStringField("model_version", result.version());
            if (id.isPresent()) {
                out.writeStringField("id", id.get());
            }
            out.writeArrayFieldStart("outputs");
            for (OutputTensor output : result.outputs()) {
                out.writeStartObject();
                out.writeStringField("name", output.name());
                out.writeStringField("datatype", output.datatype().name());
                InferenceRoutes.writeShape("shape", output.shape(), out);
                if (isBinary(output.name())) {
                    byte[] bytes = output.raw();
                    raw.writeBytes(bytes);
                    out.writeObjectFieldStart("parameters");
                    out.writeNumberField("binary_data_size", bytes.length);
                    out.writeEndObject();
                } else {
                    writeData(output, out);
                }
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        });
        if (result.outputs().stream().noneMatch(output -> isBinary(output.name()))) {
            return Reply.of("application/json", json);
        }
        byte[] body = Arrays.copyOf(json, json.length + raw.size());
        System.arraycopy(raw.toByteArray(), 0, body, json.length, raw.size());
        return Reply.of(BINARY_TYPE, body).with(JSON_LENGTH, Integer.toString(json.length));
    }

    private boolean isBinary(String output) {
        return binary.contains(output) || (allBinary && !plain.contains(output));
    }

    private static void writeData(OutputTensor output, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart("data");
        switch (output) {
            case OutputTensor.Floats floats -> {
                for (float value : floats.elements()) {
                    out.writeNumber(value);
                }
            }
            case OutputTensor.Texts texts -> {
                for (byte[] text : texts.elements()) {
                    out.writeString(new String(text, StandardCharsets.UTF_8));
                }
            }
        }
        out.writeEndArray();
    }
}
