package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.Classified;
import io.gatun.service.ClassifiedDocuments;
import io.gatun.service.EmbeddedTokens;
import io.gatun.service.ErrorType;
import io.gatun.service.Ranked;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.Token;
import io.gatun.service.Truncation;
import io.gatun.service.VectorOptions;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import io.gatun.task.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The routes of text-embeddings-inference, each with our {@code model} and, where it has one, {@code head}. */
final class TeiRoutes {
    private static final String INPUTS = "{\"inputs\": \"a text\"}";
    private static final String RERANK = "{\"query\": \"a question\", \"texts\": [\"a text\", \"another\"]}";
    private static final String SIMILARITY =
            "{\"inputs\": {\"source_sentence\": \"a text\", \"sentences\": [\"another\"]}}";
    /** A float of four bytes is some twelve characters as well. */
    private static final long HEAP_PER_VALUE = 16;

    private final TextService service;
    private final Pipeline classification;
    private final int maxTexts;

    TeiRoutes(TextService service) {
        this.service = service;
        this.classification = new TextClassificationPipeline(service);
        this.maxTexts = service.limits().maxTexts();
    }

    void register(Routes routes) {
        task(routes, "/predict", exchange -> predict(exchange, exchange.fields()));
        task(routes, "/embed", exchange -> embed(exchange, exchange.fields()));
        task(routes, "/embed_all", this::embedAll);
        task(routes, "/similarity", this::similarity);
        task(routes, "/rerank", this::rerank);
        task(routes, "/tokenize", this::tokenize);
        task(routes, "/decode", this::decode);
    }

    /** A route whose body may name a model: that there is none of that name is then a fault of the body. */
    static void task(Routes routes, String path, Routes.Answerer answerer) {
        routes.task(path, ErrorStyle.PLAIN, exchange -> {
            try {
                return answerer.answer(exchange);
            } catch (RequestException e) {
                throw e.problem().type() == ErrorType.UNKNOWN_MODEL
                        ? RequestException.validation(e.problem().message())
                        : e;
            }
        });
    }

    private static Optional<String> model(Fields fields) {
        return fields.text("model");
    }

    Reply predict(Asked asked, Fields fields) throws IOException, InterruptedException {
        if (fields.has("parameters")) {
            // Only Hugging Face's clients send it, and they read its pipeline's answer.
            return classification.answer(asked, model(fields), fields);
        }
        Inputs inputs = Inputs.pairs(fields.required("inputs", INPUTS), maxTexts);
        boolean raw = fields.flag("raw_scores", false);
        if (DocumentParameters.in(fields)) {
            DocumentParameters document = DocumentParameters.of(fields);
            ClassifiedDocuments documents = service.documents()
                    .classify(asked.call(), model(fields), fields.text("head"), inputs.all(), document.size());
            Optional<TextClassification.Function> function =
                    raw ? Optional.of(TextClassification.Function.NONE) : Optional.empty();
            return new DocumentAnswers(document, documents, inputs.all(), function, Integer.MAX_VALUE)
                    .reply(asked, inputs.batch());
        }
        Classified classified =
                service.classify(asked.call(), model(fields), fields.text("head"), inputs.all(), fields.truncation());
        List<List<LabelScore>> scores = IntStream.range(0, inputs.all().size())
                .mapToObj(i -> classified.scores(i, raw))
                .toList();
        return Reply.json(Json.answers(inputs.batch(), scores, LabelScore::write));
    }

    Reply embed(Asked asked, Fields fields) throws InterruptedException {
        return embed(asked, model(fields), fields);
    }

    /** {@code fields}: their own or, as Hugging Face's pipelines take them, within {@code parameters}. */
    Reply embed(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields wanted = fields.with("parameters");
        Inputs inputs = Inputs.texts(fields.required("inputs", INPUTS), maxTexts);
        if (wanted.text("pooling").filter("none"::equals).isPresent()) {
            for (String field : List.of("normalize", "dimensions", "encoding_format")) {
                if (wanted.has(field)) {
                    throw RequestException.validation(
                            "The pooling \"none\" gives each token's vector as it is; send no \"" + field + "\".");
                }
            }
            return embedAll(asked, model, inputs, wanted.truncation());
        }
        VectorOptions options = wanted.vectorOptions(true);
        VectorEncoding encoding = VectorEncoding.of(wanted, options);
        List<float[]> vectors = service.embed(asked.call(), model, inputs.all(), wanted.truncation(), options)
                .vectors();
        reserve(asked, vectors);
        return Reply.largeJson(out -> {
            out.writeStartArray();
            for (float[] vector : vectors) {
                encoding.write(vector, out);
            }
            out.writeEndArray();
        });
    }

    /** Takes the memory that vectors need, as floats and as text. */
    static void reserve(Asked asked, List<float[]> vectors) {
        asked.reserve(HEAP_PER_VALUE
                * vectors.stream().mapToLong(vector -> vector.length).sum());
    }

    private Reply embedAll(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        return embedAll(
                exchange,
                model(fields),
                Inputs.texts(fields.required("inputs", INPUTS), maxTexts),
                fields.truncation());
    }

    private Reply embedAll(Asked asked, Optional<String> model, Inputs inputs, Truncation truncation)
            throws InterruptedException {
        EmbeddedTokens embedded = service.embedTokens(asked.call(), model, inputs.all(), truncation);
        int width = embedded.width();
        reserve(asked, embedded.rows());
        return Reply.largeJson(out -> {
            out.writeStartArray();
            for (float[] rows : embedded.rows()) {
                out.writeStartArray();
                for (int start = 0; start < rows.length; start += width) {
                    write(rows, start, width, out);
                }
                out.writeEndArray();
            }
            out.writeEndArray();
        });
    }

    private static void write(float[] values, int start, int length, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (int i = start; i < start + length; i++) {
            out.writeNumber(values[i]);
        }
        out.writeEndArray();
    }

    private Reply similarity(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        return similarity(exchange, model(fields), fields);
    }

    Reply similarity(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        fields.required("inputs", SIMILARITY);
        Fields inputs = fields.object("inputs");
        Fields wanted = fields.with("parameters");
        List<Float> distances = service.similarity(
                asked.call(),
                model,
                inputs.text("source_sentence").orElseThrow(() -> missing("source_sentence", SIMILARITY)),
                inputs.texts("sentences", SIMILARITY),
                wanted.truncation(),
                distance(wanted.text("distance").orElse("cosine")),
                wanted.vectorOptions(false));
        return Reply.json(out -> {
            out.writeStartArray();
            for (float distance : distances) {
                out.writeNumber(distance);
            }
            out.writeEndArray();
        });
    }

    private static Vectors.Distance distance(String name) {
        return switch (name) {
            case "cosine" -> Vectors.Distance.COSINE;
            case "dot" -> Vectors.Distance.DOT;
            case "euclidean" -> Vectors.Distance.EUCLIDEAN;
            case "manhattan" -> Vectors.Distance.MANHATTAN;
            default ->
                throw RequestException.validation(
                        "The parameter \"distance\" must be \"cosine\", \"dot\", \"euclidean\" or \"manhattan\".");
        };
    }

    private static RequestException missing(String field, String example) {
        return RequestException.validation("The field \"" + field + "\" is missing; send " + example + ".");
    }

    private Reply rerank(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        List<String> texts = fields.texts("texts", RERANK);
        boolean returned = fields.flag("return_text", false);
        List<Ranked> ranks = service.rerank(
                exchange.call(),
                model(fields),
                fields.text("head"),
                fields.text("query").orElseThrow(() -> missing("query", RERANK)),
                texts,
                fields.truncation(),
                fields.flag("raw_scores", false));
        return Reply.json(out -> {
            out.writeStartArray();
            for (Ranked rank : ranks) {
                out.writeStartObject();
                out.writeNumberField("index", rank.index());
                if (returned) {
                    out.writeStringField("text", texts.get(rank.index()));
                }
                out.writeNumberField("score", rank.score());
                out.writeEndObject();
            }
            out.writeEndArray();
        });
    }

    private Reply tokenize(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        boolean special = fields.flag("add_special_tokens", true);
        List<String> texts =
                Inputs.texts(fields.required("inputs", INPUTS), maxTexts).asTexts();
        List<List<Token>> tokens = service.tokenize(exchange.call(), model(fields), texts, special);
        return Reply.json(out -> {
            out.writeStartArray();
            for (List<Token> text : tokens) {
                write(text, out);
            }
            out.writeEndArray();
        });
    }

    private static void write(List<Token> tokens, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (Token token : tokens) {
            out.writeStartObject();
            out.writeNumberField("id", token.id());
            out.writeStringField("text", token.text());
            out.writeBooleanField("special", token.special());
            if (token.special()) {
                out.writeNullField("start");
                out.writeNullField("stop");
            } else {
                out.writeNumberField("start", token.start());
                out.writeNumberField("stop", token.end());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private Reply decode(Exchange exchange) throws IOException, InterruptedException {
        Fields fields = exchange.fields();
        JsonNode ids = fields.required("ids", "{\"ids\": [101, 102]}");
        if (!ids.isArray()) {
            throw RequestException.validation(
                    "The field \"ids\" must be a list of token ids, or a list of such lists, not " + Fields.kind(ids)
                            + ".");
        }
        if (ids.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "The list \"ids\" is empty; send at least one token id.");
        }
        List<int[]> sequences = new ArrayList<>();
        if (ids.get(0).isArray()) {
            for (int i = 0; i < ids.size(); i++) {
                sequences.add(Fields.ids(ids.get(i), "ids[" + i + "]"));
            }
        } else {
            sequences.add(Fields.ids(ids, "ids"));
        }
        List<String> texts =
                service.decode(exchange.call(), model(fields), sequences, fields.flag("skip_special_tokens", true));
        return Reply.json(out -> {
            out.writeStartArray();
            for (String text : texts) {
                out.writeString(text);
            }
            out.writeEndArray();
        });
    }
}
