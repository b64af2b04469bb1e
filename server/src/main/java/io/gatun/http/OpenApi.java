package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.service.ServerVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The description of all routes, as {@code GET /openapi} answers it: each route as one of the files in {@code openapi/}
 * says it, and what all routes of its kind have, which {@link Routes} sees to: headers, keys and errors.
 */
final class OpenApi {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final List<String> FILES = List.of("server", "tei", "hugging-face", "openai", "inference");
    private static final String VERSION_PATH = "/versions/{version}";
    private static final String REF = "$ref";

    private static final Map<Integer, String> ERRORS = new TreeMap<>(Map.of(
            400, "The list of inputs is empty (Empty), or the request is no valid HTTP.",
            401, "The key is missing or unknown (Unauthorized).",
            404, "There is no such model, file or route.",
            405, "The route does not take this method; Allow says which it takes.",
            413, "The body is larger than the server takes.",
            415, "The Content-Type is not that of JSON, or the body is encoded.",
            422, "The request says something wrong (Validation), or a text cannot be tokenized (Tokenizer).",
            424, "The model or the server failed (Backend).",
            429, "The server is too busy, or the request's time was over (Overloaded).",
            503, "The server is shutting down, or the model is being loaded (Unhealthy)."));

    private static final Map<String, String> TIME_HEADERS = new TreeMap<>(Map.of(
            "x-compute-tokens", "Tokens of all texts.",
            "x-total-time", "Milliseconds in all.",
            "x-tokenization-time", "Milliseconds of tokenization.",
            "x-queue-time", "Milliseconds in the queue; the longest of several texts.",
            "x-inference-time", "Milliseconds of computation; the longest of several texts."));

    private final ObjectNode document = MAPPER.createObjectNode();
    private final ObjectNode described = MAPPER.createObjectNode();
    private final boolean keys;

    private OpenApi(boolean keys) {
        this.keys = keys;
    }

    /**
     * The document, in JSON.
     *
     * @param keys whether clients must show one
     * @throws IllegalStateException when a route is not described, or what is described is no route
     */
    static byte[] of(List<Route> routes, boolean keys) {
        OpenApi api = new OpenApi(keys);
        api.begin();
        FILES.forEach(api::read);
        ObjectNode paths = api.document.putObject("paths");
        for (Route route : routes) {
            paths.withObjectProperty(route.path()).set(route.method().toLowerCase(Locale.ROOT), api.operation(route));
        }
        api.described.fieldNames().forEachRemaining(path -> {
            if (!paths.has(path)) {
                throw new IllegalStateException("no route: " + path);
            }
        });
        try {
            return MAPPER.writeValueAsBytes(api.document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void begin() {
        document.put("openapi", "3.0.3");
        ObjectNode info = document.putObject("info");
        info.put("title", "Gatun").put("version", ServerVersion.TEXT);
        info.put("description", "Texts to labels and vectors. Every error says what to do.");
        info.putObject("license").put("name", "Apache-2.0");
        ObjectNode components = components();
        components.putObject("schemas");
        ObjectNode headers = components.putObject("headers");
        headers.set("x-request-id", header("The request's own id, that of its trace, or a new one.", "string"));
        headers.set("Allow", header("The methods that the route takes.", "string"));
        headers.set("Retry-After", header("Seconds after which another try may succeed.", "integer"));
        headers.set("WWW-Authenticate", header("Bearer.", "string"));
        TIME_HEADERS.forEach((name, what) -> headers.set(name, header(what, "integer")));
        ObjectNode responses = components.putObject("responses");
        for (ErrorStyle style : ErrorStyle.values()) {
            ERRORS.forEach((status, what) -> responses.set(errorName(style, status), error(style, status, what)));
        }
        if (keys) {
            components
                    .putObject("securitySchemes")
                    .putObject("key")
                    .put("type", "http")
                    .put("scheme", "bearer");
        }
    }

    private ObjectNode components() {
        return document.withObjectProperty("components");
    }

    private static ObjectNode header(String what, String type) {
        ObjectNode header = MAPPER.createObjectNode().put("description", what);
        header.putObject("schema").put("type", type);
        return header;
    }

    private static ObjectNode error(ErrorStyle style, int status, String what) {
        ObjectNode response = MAPPER.createObjectNode().put("description", what);
        ObjectNode headers = response.putObject("headers");
        refer(headers, "headers", "x-request-id");
        switch (status) {
            case 401 -> refer(headers, "headers", "WWW-Authenticate");
            case 405 -> refer(headers, "headers", "Allow");
            case 429 -> refer(headers, "headers", "Retry-After");
            default -> {}
        }
        ObjectNode schema =
                response.putObject("content").putObject("application/json").putObject("schema");
        // What no route has seen is told in the plain style.
        boolean early = status == 400 || status == 404 || status == 405;
        if (style == ErrorStyle.OPENAI && early) {
            ArrayNode any = schema.putArray("anyOf");
            any.addObject().put(REF, "#/components/schemas/OpenAiError");
            any.addObject().put(REF, "#/components/schemas/Error");
        } else {
            schema.put(REF, "#/components/schemas/" + (style == ErrorStyle.OPENAI ? "OpenAiError" : "Error"));
        }
        return response;
    }

    private static String errorName(ErrorStyle style, int status) {
        return (style == ErrorStyle.OPENAI ? "OpenAi" : "Plain") + status;
    }

    private static void refer(ObjectNode where, String kind, String name) {
        where.putObject(name).put(REF, "#/components/" + kind + "/" + name);
    }

    /** A door's routes, and what their descriptions refer to. */
    private void read(String file) {
        JsonNode part = resource(file);
        document.withArrayProperty("tags")
                .addObject()
                .put("name", part.get("tag").textValue());
        part.get("paths").properties().forEach(path -> {
            path.getValue()
                    .forEach(operation -> ((ObjectNode) operation)
                            .putArray("tags")
                            .add(part.get("tag").textValue()));
            described.withObjectProperty(path.getKey()).setAll((ObjectNode) path.getValue());
        });
        for (String kind : List.of("parameters", "requestBodies", "responses", "schemas")) {
            part.path(kind)
                    .properties()
                    .forEach(entry -> components().withObjectProperty(kind).set(entry.getKey(), entry.getValue()));
        }
    }

    private static JsonNode resource(String file) {
        try (InputStream stream = OpenApi.class.getResourceAsStream("openapi/" + file + ".json")) {
            if (stream == null) {
                throw new IllegalStateException("This build lacks openapi/" + file + ".json");
            }
            return MAPPER.readTree(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ObjectNode operation(Route route) {
        JsonNode found = described
                .path(route.path().replace(VERSION_PATH, ""))
                .path(route.method().toLowerCase(Locale.ROOT));
        if (!found.isObject()) {
            throw new IllegalStateException("not described: " + route);
        }
        ObjectNode operation = found.deepCopy();
        operation.put(
                "operationId",
                (route.method().toLowerCase(Locale.ROOT) + route.path()).replaceAll("[^A-Za-z0-9]+", "_"));
        parameters(route, operation);
        answers(route, operation.withObjectProperty("responses"));
        if (keys && !route.open()) {
            operation.putArray("security").addObject().putArray("key");
        }
        return operation;
    }

    private static void parameters(Route route, ObjectNode operation) {
        ArrayNode parameters = operation.withArrayProperty("parameters");
        for (String name : List.of("name", "version")) {
            boolean missing = parameters
                    .valueStream()
                    .noneMatch(p -> p.path("name").asText().equals(name)
                            || p.path(REF).asText().endsWith("/" + name));
            if (route.path().contains("{" + name + "}") && missing) {
                parameters.addObject().put(REF, "#/components/parameters/" + name);
            }
        }
        for (String name : route.task()
                ? List.of("x-request-id", "x-priority", "x-timeout-ms", "traceparent")
                : List.of("x-request-id", "traceparent")) {
            parameters.addObject().put(REF, "#/components/parameters/" + name);
        }
    }

    private void answers(Route route, ObjectNode responses) {
        JsonNode success = responses.path("200");
        if (success.has("description")) {
            ObjectNode headers = ((ObjectNode) success).withObjectProperty("headers");
            refer(headers, "headers", "x-request-id");
            if (route.task()) {
                TIME_HEADERS.keySet().forEach(name -> refer(headers, "headers", name));
            }
        }
        for (int status : ERRORS.keySet()) {
            if (gives(route, status)) {
                responses
                        .putObject(Integer.toString(status))
                        .put(REF, "#/components/responses/" + errorName(route.style(), status));
            }
        }
    }

    private boolean gives(Route route, int status) {
        boolean post = route.method().equals("POST");
        boolean named = route.path().contains("{");
        return switch (status) {
            case 401 -> keys && !route.open();
            case 404 -> named || !route.open(); // the default model may be unloaded
            case 413, 415, 429 -> post;
            case 422 -> post || named;
            default -> true;
        };
    }
}
