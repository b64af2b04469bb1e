package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.metrics.Metrics;
import io.gatun.metrics.Stage;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.task.LabelScore;
import io.gatun.task.Vectors;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a request may ask of a model, for every door. Each method waits for its answer; call it on a virtual thread.
 * Thread-safe. Does not own the catalogue.
 *
 * <p>All throw what {@link Problem#of} knows, and {@link CallerGoneException}.
 */
public final class TextService implements AutoCloseable {
    private final Catalogue catalogue;
    private final ServiceLimits limits;
    private final Metrics metrics;
    private final Tokenization tokenization;
    private final Encoder encoder;
    private final Inference inference;
    private final Computation computation;
    private final TokenClassifier tokens;
    private final MaskFiller masks;
    private final ZeroShotClassifier zeroShot;
    private final QuestionAnswerer questions;
    private final Analyzer analyzer;
    private final DocumentClassifier documents;

    public TextService(Catalogue catalogue, Metrics metrics, ServiceLimits limits) {
        this.catalogue = catalogue;
        this.limits = limits;
        this.metrics = metrics;
        this.tokenization = new Tokenization(limits.timeout());
        this.inference = new Inference(metrics, limits);
        this.encoder = new Encoder(tokenization, inference, metrics, limits);
        this.computation = new Computation(encoder, inference);
        this.tokens = new TokenClassifier(catalogue, computation);
        this.masks = new MaskFiller(catalogue, computation);
        this.zeroShot = new ZeroShotClassifier(catalogue, computation, limits);
        this.questions = new QuestionAnswerer(catalogue, computation, limits);
        this.analyzer = new Analyzer(catalogue, computation, masks);
        this.documents = new DocumentClassifier(catalogue, computation);
    }

    public Catalogue catalogue() {
        return catalogue;
    }

    public ServiceLimits limits() {
        return limits;
    }

    /** What heads for tokens find. */
    public TokenClassifier tokens() {
        return tokens;
    }

    /** What heads for masks put in their places. */
    public MaskFiller masks() {
        return masks;
    }

    /** What heads for natural language inference say of labels that they were not trained for. */
    public ZeroShotClassifier zeroShot() {
        return zeroShot;
    }

    /** What heads for questions find in their contexts. */
    public QuestionAnswerer questions() {
        return questions;
    }

    /** All heads at once. */
    public Analyzer analyzer() {
        return analyzer;
    }

    /** Texts of any length. */
    public DocumentClassifier documents() {
        return documents;
    }

    /** The logits of one head of texts. {@code headName}: or nothing, the model's first that classifies texts. */
    public Classified classify(
            Call call, Optional<String> modelName, Optional<String> headName, List<Input> inputs, Truncation truncation)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            return classify(
                    call,
                    lease.served(),
                    Computation.head(lease.served(), headName, Task.TEXT_CLASSIFICATION),
                    inputs,
                    truncation);
        }
    }

    private Classified classify(Call call, ServedModel served, Head head, List<Input> inputs, Truncation truncation)
            throws InterruptedException {
        List<Encoding> encodings = encoder.encode(call, served, inputs, truncation);
        List<Answer> answers = computation.answers(call, served, encodings, Outputs.ofHead(head.index()));
        return classified(served, head, encodings, answers);
    }

    /** A vector for each text. */
    public Embedded embed(
            Call call, Optional<String> modelName, List<Input> inputs, Truncation truncation, VectorOptions options)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            checkDimensions(served, options);
            List<Encoding> encodings = encoder.encode(call, served, inputs, truncation);
            List<Answer> answers = computation.answers(call, served, encodings, Outputs.of(pooled(served, options)));
            return embedded(served, encodings, answers, options);
        }
    }

    /** Both {@link #classify} and {@link #embed}, each text read once. */
    public ClassifiedAndEmbedded classifyAndEmbed(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            List<Input> inputs,
            Truncation truncation,
            VectorOptions options)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Head head = Computation.head(served, headName, Task.TEXT_CLASSIFICATION);
            checkDimensions(served, options);
            List<Encoding> encodings = encoder.encode(call, served, inputs, truncation);
            Outputs outputs = Outputs.ofHead(head.index()).with(pooled(served, options));
            List<Answer> answers = computation.answers(call, served, encodings, outputs);
            return new ClassifiedAndEmbedded(
                    classified(served, head, encodings, answers), embedded(served, encodings, answers, options));
        }
    }

    private static Classified classified(
            ServedModel served, Head head, List<Encoding> encodings, List<Answer> answers) {
        return new Classified(
                served.name(),
                head,
                answers.stream().map(answer -> answer.logits(head)).toList(),
                lengths(encodings));
    }

    private static Embedded embedded(
            ServedModel served, List<Encoding> encodings, List<Answer> answers, VectorOptions options) {
        List<float[]> vectors =
                answers.stream().map(answer -> vector(answer, options)).toList();
        return new Embedded(served.name(), vectors, lengths(encodings));
    }

    private static void checkDimensions(ServedModel served, VectorOptions options) {
        int width = served.model().description().embeddingLength();
        int wanted = options.dimensions().orElse(width);
        if (wanted < 1 || wanted > width) {
            throw RequestException.validation("The vectors of the model \"" + served.name() + "\" have 1 to " + width
                    + " dimensions, not " + wanted + ".");
        }
    }

    private static Outputs.Vectors pooled(ServedModel served, VectorOptions options) {
        return Outputs.Vectors.of(
                options.pooling().orElse(served.model().description().pooling()));
    }

    private static float[] vector(Answer answer, VectorOptions options) {
        float[] whole = Vectors.finite(answer.vectors());
        float[] wanted = Vectors.shortened(whole, options.dimensions().orElse(whole.length));
        return options.normalize() ? Vectors.normalized(wanted) : wanted;
    }

    /** A vector for each token of each text. */
    public EmbeddedTokens embedTokens(Call call, Optional<String> modelName, List<Input> inputs, Truncation truncation)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            List<Encoding> encodings = encoder.encode(call, served, inputs, truncation);
            long tokens = encodings.stream().mapToLong(Encoding::length).sum();
            if (tokens > limits.maxVectorTokens()) {
                throw RequestException.validation("The texts have " + tokens + " tokens, and a request may ask for "
                        + limits.maxVectorTokens() + " vectors of tokens; send fewer or shorter texts in one request.");
            }
            List<float[]> rows =
                    computation.answers(call, served, encodings, Outputs.of(Outputs.Vectors.TOKENS)).stream()
                            .map(answer -> Vectors.finite(answer.vectors()))
                            .toList();
            return new EmbeddedTokens(
                    served.name(), served.model().description().embeddingLength(), rows);
        }
    }

    /** How near each sentence's vector is to the source's, or how far from it. */
    public List<Float> similarity(
            Call call,
            Optional<String> modelName,
            String source,
            List<String> sentences,
            Truncation truncation,
            Vectors.Distance distance,
            VectorOptions options)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            return distances(call, lease.served(), source, sentences, truncation, distance, options);
        }
    }

    private List<Float> distances(
            Call call,
            ServedModel served,
            String source,
            List<String> sentences,
            Truncation truncation,
            Vectors.Distance distance,
            VectorOptions options)
            throws InterruptedException {
        if (sentences.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "There is no text to compare with; send at least one.");
        }
        checkDimensions(served, options);
        List<Input> inputs = new ArrayList<>();
        inputs.add(new Input.Text(source));
        sentences.forEach(sentence -> inputs.add(new Input.Text(sentence)));
        List<Encoding> encodings = encoder.encode(call, served, inputs, truncation);
        List<float[]> vectors =
                computation.answers(call, served, encodings, Outputs.of(pooled(served, options))).stream()
                        .map(answer -> vector(answer, options))
                        .toList();
        return vectors.stream()
                .skip(1)
                .map(vector -> distance.of(vectors.getFirst(), vector))
                .toList();
    }

    /**
     * The texts in the order in which they answer the query. A head of one label reads each text together with the
     * query; a model without such a head compares their vectors, and a score is then a cosine.
     *
     * @param raw whether the head's logits are wanted and not their sigmoid
     */
    public List<Ranked> rerank(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            String query,
            List<String> texts,
            Truncation truncation,
            boolean raw)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Optional<Head> ranking = rankingHead(served, headName);
            List<Float> scores = ranking.isEmpty()
                    ? distances(call, served, query, texts, truncation, Vectors.Distance.COSINE, VectorOptions.PLAIN)
                    : headScores(call, served, ranking.get(), query, texts, truncation, raw);
            return IntStream.range(0, scores.size())
                    .mapToObj(i -> new Ranked(i, scores.get(i)))
                    .sorted(Comparator.comparingDouble(Ranked::score).reversed())
                    .toList();
        }
    }

    private List<Float> headScores(
            Call call,
            ServedModel served,
            Head head,
            String query,
            List<String> texts,
            Truncation truncation,
            boolean raw)
            throws InterruptedException {
        List<Input> pairs =
                texts.stream().map(text -> (Input) new Input.Pair(query, text)).toList();
        Classified classified = classify(call, served, head, pairs, truncation);
        return IntStream.range(0, texts.size())
                .mapToObj(i -> classified.scores(i, raw).getFirst())
                .map(LabelScore::score)
                .toList();
    }

    private static Optional<Head> rankingHead(ServedModel served, Optional<String> name) {
        if (name.isEmpty()) {
            return served.model().description().heads().stream()
                    .filter(TextService::ranks)
                    .findFirst();
        }
        Head head = Computation.head(served, name, Task.TEXT_CLASSIFICATION);
        if (!ranks(head)) {
            throw RequestException.validation(
                    "The head \"" + head.name() + "\" has " + head.labels().size()
                            + " labels, and a head that ranks has one; name another, or none to compare vectors.");
        }
        return Optional.of(head);
    }

    private static boolean ranks(Head head) {
        return head.task() == Task.TEXT_CLASSIFICATION && head.labels().size() == 1;
    }

    /** Texts to tokens, of any length. */
    public List<List<Token>> tokenize(
            Call call, Optional<String> modelName, List<String> texts, boolean addSpecialTokens)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            return encoder.tokenize(call, lease.served(), texts, addSpecialTokens);
        }
    }

    /** Tokens to texts. Each id must be one of the model's vocabulary. */
    public List<String> decode(Call call, Optional<String> modelName, List<int[]> sequences, boolean skipSpecialTokens)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            return encoder.decode(call, lease.served(), sequences, skipSpecialTokens);
        }
    }

    /** The answer of a request is written: tells the metrics. */
    public void answered(Call call) {
        Timings timings = call.timings();
        timings.ends(System.nanoTime());
        metrics.time(call.model(), Stage.TOTAL, timings.totalNanos());
        metrics.time(call.model(), Stage.TOKENIZATION, timings.tokenizationNanos());
        metrics.time(call.model(), Stage.QUEUE, timings.queueNanos());
        metrics.time(call.model(), Stage.INFERENCE, timings.inferenceNanos());
        metrics.success(call.method());
    }

    /** A request failed: tells the metrics. */
    public void failed(Problem problem) {
        metrics.failure(problem.type().counted());
    }

    private static List<Integer> lengths(List<Encoding> encodings) {
        return encodings.stream().map(Encoding::length).toList();
    }

    /** Ends the threads that tokenize and that watch over what waits. */
    @Override
    public void close() {
        inference.close();
        tokenization.close();
    }
}
