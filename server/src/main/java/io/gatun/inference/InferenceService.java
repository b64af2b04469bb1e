package io.gatun.inference;

import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.service.Call;
import io.gatun.service.Catalogue;
import io.gatun.service.Classified;
import io.gatun.service.ClassifiedAndEmbedded;
import io.gatun.service.Embedded;
import io.gatun.service.ErrorType;
import io.gatun.service.Input;
import io.gatun.service.Question;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.Truncation;
import io.gatun.service.VectorOptions;
import io.gatun.task.AnswerSpan;
import io.gatun.task.Entity;
import io.gatun.task.MaskFill;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * What the Open Inference Protocol asks. {@link #infer} waits for its answer; call it on a virtual thread. Thread-safe.
 *
 * <p>Inputs are {@code text}, BYTES {@code [n]}, and optionally {@code text_pair}. Outputs are {@code logits}, FP32 {@code
 * [n, labels]}, and {@code label}, BYTES {@code [n]}, of a head that classifies texts, {@code entities}, BYTES {@code
 * [n]}, of one that classifies tokens, {@code words}, BYTES {@code [n]}, of one that fills masks, and {@code answers},
 * BYTES {@code [n]}, of one that answers the questions {@code text} from the contexts {@code text_pair}, each element the
 * JSON of Hugging Face's pipeline, and {@code embedding}, FP32 {@code [n, width]}, of length 1.
 */
public final class InferenceService {
    /** What of the protocol's extensions is served, as Triton names them. */
    public static final List<String> EXTENSIONS = List.of(
            "classification",
            "model_repository",
            "model_configuration",
            "binary_tensor_data",
            "parameters",
            "statistics");

    private static final String TEXT = "text";
    private static final String TEXT_PAIR = "text_pair";
    private static final String LOGITS = "logits";
    private static final String LABEL = "label";
    private static final String ENTITIES = "entities";
    private static final String WORDS = "words";
    private static final String ANSWERS = "answers";
    private static final String EMBEDDING = "embedding";
    private static final List<String> OUTPUTS = List.of(LOGITS, LABEL, ENTITIES, WORDS, ANSWERS, EMBEDDING);

    private final TextService texts;
    private final Catalogue catalogue;
    private final Map<String, StatisticsCounters> counters = new ConcurrentHashMap<>();

    public InferenceService(TextService texts) {
        this.texts = texts;
        this.catalogue = texts.catalogue();
    }

    /** Whether a model of that name is there and answers. */
    public boolean isReady(String model, String version) {
        return hasVersion(version)
                && catalogue.entries().stream()
                        .anyMatch(entry -> entry.name().equals(model) && entry.state() == Catalogue.State.READY);
    }

    /** Where a model stands, in the words of the protocol's repository extension. */
    public static String state(Catalogue.State state) {
        return switch (state) {
            case READY -> "READY";
            case LOADING -> "LOADING";
            case UNLOADED, FAILED -> "UNAVAILABLE";
        };
    }

    /**
     * What a model takes and gives.
     *
     * @throws RequestException when there is no such model, or it is not loaded
     */
    public ModelMetadata metadata(String model, String version) {
        checkVersion(model, version);
        try (Catalogue.Lease lease = catalogue.lease(Optional.of(model))) {
            TextModel served = lease.served().model();
            List<ModelMetadata.Tensor> outputs = new ArrayList<>();
            first(served, Task.TEXT_CLASSIFICATION).ifPresent(head -> {
                long labels = head.labels().size();
                outputs.add(new ModelMetadata.Tensor(LOGITS, Datatype.FP32, List.of(-1L, labels), false));
                outputs.add(new ModelMetadata.Tensor(LABEL, Datatype.BYTES, List.of(-1L), false));
            });
            first(served, Task.TOKEN_CLASSIFICATION)
                    .ifPresent(
                            _ -> outputs.add(new ModelMetadata.Tensor(ENTITIES, Datatype.BYTES, List.of(-1L), false)));
            first(served, Task.FILL_MASK)
                    .ifPresent(_ -> outputs.add(new ModelMetadata.Tensor(WORDS, Datatype.BYTES, List.of(-1L), false)));
            first(served, Task.QUESTION_ANSWERING)
                    .ifPresent(
                            _ -> outputs.add(new ModelMetadata.Tensor(ANSWERS, Datatype.BYTES, List.of(-1L), false)));
            long width = served.description().embeddingLength();
            outputs.add(new ModelMetadata.Tensor(EMBEDDING, Datatype.FP32, List.of(-1L, width), false));
            return new ModelMetadata(
                    model,
                    List.of(
                            new ModelMetadata.Tensor(TEXT, Datatype.BYTES, List.of(-1L), false),
                            new ModelMetadata.Tensor(TEXT_PAIR, Datatype.BYTES, List.of(-1L), true)),
                    outputs);
        }
    }

    /** The model's first head of a task, if it has one. */
    private static Optional<Head> first(TextModel model, Task task) {
        return model.description().heads().stream()
                .filter(head -> head.task() == task)
                .findFirst();
    }

    /**
     * Runs a model; throws what {@link TextService} throws.
     *
     * @throws RequestException when the tensors are not what the model takes
     */
    public InferenceResult infer(Call call, InferenceRequest request) throws InterruptedException {
        checkVersion(request.model(), request.version());
        try {
            List<Input> inputs = inputs(request.inputs());
            List<OutputTensor> outputs = outputs(call, request, inputs);
            of(request.model()).succeeded(inputs.size(), call.timings());
            return new InferenceResult(request.model(), ModelMetadata.VERSION, outputs);
        } catch (RuntimeException e) {
            if (catalogue.entries().stream().anyMatch(entry -> entry.name().equals(request.model()))) {
                of(request.model()).failed(call.timings());
            }
            throw e;
        }
    }

    private static List<Input> inputs(List<InputTensor> tensors) {
        List<String> first = List.of();
        Optional<List<String>> second = Optional.empty();
        for (InputTensor tensor : tensors) {
            switch (tensor.name()) {
                case TEXT -> first = tensor.texts();
                case TEXT_PAIR -> second = Optional.of(tensor.texts());
                default ->
                    throw RequestException.validation("There is no input \"" + tensor.name() + "\"; the inputs are \""
                            + TEXT + "\" and, if it is wanted, \"" + TEXT_PAIR + "\".");
            }
        }
        if (second.isPresent() && second.get().size() != first.size()) {
            throw RequestException.validation("The input \"" + TEXT + "\" has " + first.size() + " elements and \""
                    + TEXT_PAIR + "\" has " + second.get().size() + "; they must be as many.");
        }
        List<Input> inputs = new ArrayList<>(first.size());
        for (int i = 0; i < first.size(); i++) {
            inputs.add(
                    second.isPresent()
                            ? new Input.Pair(first.get(i), second.get().get(i))
                            : new Input.Text(first.get(i)));
        }
        return inputs;
    }

    private List<OutputTensor> outputs(Call call, InferenceRequest request, List<Input> inputs)
            throws InterruptedException {
        List<InferenceRequest.RequestedOutput> wanted =
                request.outputs().isEmpty() ? usualOutputs(request) : request.outputs();
        for (InferenceRequest.RequestedOutput output : wanted) {
            if (!OUTPUTS.contains(output.name())) {
                throw RequestException.validation("There is no output \"" + output.name() + "\"; the outputs are \""
                        + String.join("\", \"", OUTPUTS) + "\".");
            }
        }
        Computed computed = compute(
                call,
                request,
                inputs,
                wanted.stream().map(InferenceRequest.RequestedOutput::name).collect(Collectors.toSet()));
        List<OutputTensor> outputs = new ArrayList<>();
        for (InferenceRequest.RequestedOutput output : wanted) {
            outputs.add(
                    switch (output.name()) {
                        case LOGITS, LABEL ->
                            output(output, computed.classified().orElseThrow());
                        case ENTITIES -> entities(call, request, inputs);
                        case WORDS -> words(call, request, inputs);
                        case ANSWERS -> answers(call, request, inputs);
                        case EMBEDDING -> embedding(computed.embedded().orElseThrow());
                        default -> throw new IllegalStateException(output.name());
                    });
        }
        return outputs;
    }

    /** What the outputs of a request are made from. */
    private record Computed(Optional<Classified> classified, Optional<Embedded> embedded) {}

    /** Reads the texts once, whether their logits, their vectors or both are wanted. */
    private Computed compute(Call call, InferenceRequest request, List<Input> inputs, Set<String> wanted)
            throws InterruptedException {
        Optional<String> model = Optional.of(request.model());
        Optional<String> head = request.parameters().head();
        Truncation truncation = request.parameters().truncation();
        boolean classifies = wanted.contains(LOGITS) || wanted.contains(LABEL);
        boolean embeds = wanted.contains(EMBEDDING);
        if (classifies && embeds) {
            ClassifiedAndEmbedded both =
                    texts.classifyAndEmbed(call, model, head, inputs, truncation, VectorOptions.UNIT);
            return new Computed(Optional.of(both.classified()), Optional.of(both.embedded()));
        }
        return new Computed(
                classifies ? Optional.of(texts.classify(call, model, head, inputs, truncation)) : Optional.empty(),
                embeds
                        ? Optional.of(texts.embed(call, model, inputs, truncation, VectorOptions.UNIT))
                        : Optional.empty());
    }

    /** What answers a request that names no output: what the head gives or, of a model that has none, the vectors. */
    private List<InferenceRequest.RequestedOutput> usualOutputs(InferenceRequest request) {
        try (Catalogue.Lease lease = catalogue.lease(Optional.of(request.model()))) {
            TextModel model = lease.served().model();
            return request
                    .parameters()
                    .head()
                    .flatMap(model::head)
                    .or(() -> model.description().heads().stream().findFirst())
                    .map(head -> outputs(head.task()))
                    .orElse(List.of(EMBEDDING))
                    .stream()
                    .map(name -> new InferenceRequest.RequestedOutput(name, 0))
                    .toList();
        }
    }

    private static List<String> outputs(Task task) {
        return switch (task) {
            case TEXT_CLASSIFICATION -> List.of(LOGITS, LABEL);
            case TOKEN_CLASSIFICATION -> List.of(ENTITIES);
            case FILL_MASK -> List.of(WORDS);
            case QUESTION_ANSWERING -> List.of(ANSWERS);
        };
    }

    private OutputTensor entities(Call call, InferenceRequest request, List<Input> inputs) throws InterruptedException {
        List<List<Entity>> entities = texts.tokens()
                .entities(
                        call,
                        Optional.of(request.model()),
                        request.parameters().head(),
                        singles(ENTITIES, inputs),
                        request.parameters().truncation(),
                        request.parameters().tokens());
        return JsonTensor.of(ENTITIES, entities, Entity::write);
    }

    private OutputTensor answers(Call call, InferenceRequest request, List<Input> inputs) throws InterruptedException {
        List<List<AnswerSpan>> answers = texts.questions()
                .answers(
                        call,
                        Optional.of(request.model()),
                        request.parameters().head(),
                        inputs.stream().map(InferenceService::question).toList(),
                        request.parameters().answers());
        return JsonTensor.of(ANSWERS, answers, AnswerSpan::write);
    }

    private static Question question(Input input) {
        return switch (input) {
            case Input.Pair(String question, String context) -> new Question(question, context, List.of());
            default ->
                throw RequestException.validation("The output \"" + ANSWERS + "\" is of questions and contexts; send"
                        + " the questions as \"" + TEXT + "\" and their contexts as \"" + TEXT_PAIR + "\".");
        };
    }

    private OutputTensor words(Call call, InferenceRequest request, List<Input> inputs) throws InterruptedException {
        List<List<List<MaskFill>>> fills = texts.masks()
                .fill(
                        call,
                        Optional.of(request.model()),
                        request.parameters().head(),
                        singles(WORDS, inputs),
                        request.parameters().truncation(),
                        request.parameters().fill());
        return JsonTensor.of(WORDS, fills, MaskFill::write);
    }

    private static List<String> singles(String output, List<Input> inputs) {
        return inputs.stream()
                .map(input -> switch (input) {
                    case Input.Text(String text) -> text;
                    default ->
                        throw RequestException.validation("The output \"" + output
                                + "\" is of single texts; leave the input \"" + TEXT_PAIR + "\" out.");
                })
                .toList();
    }

    private static OutputTensor output(InferenceRequest.RequestedOutput wanted, Classified classified) {
        long count = classified.logits().size();
        if (wanted.classes() > 0) {
            return Classes.of(wanted.name(), classified, wanted.classes());
        }
        if (wanted.name().equals(LOGITS)) {
            return floats(LOGITS, classified.head().labels().size(), classified.logits());
        }
        List<byte[]> labels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            labels.add(classified.scores(i, true).getFirst().label().getBytes(StandardCharsets.UTF_8));
        }
        return new OutputTensor.Texts(LABEL, List.of(count), labels);
    }

    private static OutputTensor embedding(Embedded embedded) {
        int width = embedded.vectors().isEmpty() ? 0 : embedded.vectors().getFirst().length;
        return floats(EMBEDDING, width, embedded.vectors());
    }

    private static OutputTensor floats(String name, int width, List<float[]> rows) {
        float[] all = new float[rows.size() * width];
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, all, i * width, width);
        }
        return new OutputTensor.Floats(name, List.of((long) rows.size(), (long) width), all);
    }

    /**
     * What models were asked.
     *
     * @param model or an empty text: all of them
     */
    public List<ModelStatistics> statistics(String model, String version) {
        if (model.isEmpty()) {
            return catalogue.entries().stream()
                    .map(entry -> of(entry.name()).read(entry.name()))
                    .toList();
        }
        checkVersion(model, version);
        catalogue.lease(Optional.of(model)).close();
        return List.of(of(model).read(model));
    }

    private StatisticsCounters of(String model) {
        return counters.computeIfAbsent(model, name -> new StatisticsCounters());
    }

    private static boolean hasVersion(String version) {
        return version.isEmpty() || version.equals(ModelMetadata.VERSION);
    }

    private static void checkVersion(String model, String version) {
        if (!hasVersion(version)) {
            throw new RequestException(
                    ErrorType.UNKNOWN_MODEL,
                    "The model \"" + model + "\" has no version \"" + version + "\"; its only one is \""
                            + ModelMetadata.VERSION + "\".");
        }
    }
}
