package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.common.primitives.Floats;
import io.gatun.grpc.tei.DecodeRequest;
import io.gatun.grpc.tei.EmbedAllRequest;
import io.gatun.grpc.tei.EmbedAllResponse;
import io.gatun.grpc.tei.EmbedGrpc;
import io.gatun.grpc.tei.EmbedRequest;
import io.gatun.grpc.tei.EncodeRequest;
import io.gatun.grpc.tei.InfoGrpc;
import io.gatun.grpc.tei.InfoRequest;
import io.gatun.grpc.tei.InfoResponse;
import io.gatun.grpc.tei.ModelType;
import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictPairRequest;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.gatun.grpc.tei.Prediction;
import io.gatun.grpc.tei.Rank;
import io.gatun.grpc.tei.RerankGrpc;
import io.gatun.grpc.tei.RerankRequest;
import io.gatun.grpc.tei.RerankResponse;
import io.gatun.grpc.tei.RerankStreamRequest;
import io.gatun.grpc.tei.SimpleToken;
import io.gatun.grpc.tei.TokenizeGrpc;
import io.gatun.grpc.tei.TruncationDirection;
import io.gatun.service.EmbeddedTokens;
import io.gatun.service.Input;
import io.gatun.service.Ranked;
import io.gatun.service.Truncation;
import io.gatun.service.VectorOptions;
import io.gatun.task.LabelScore;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** Every method of text-embeddings-inference answers with the bits that the service itself gives. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class TeiTest {
    private static final String TEXT = "A good day, 😀 and more.";

    private final RunningGrpcServer running = new RunningGrpcServer();
    private final PredictGrpc.PredictBlockingStub predict = PredictGrpc.newBlockingStub(running.channel);
    private final EmbedGrpc.EmbedBlockingStub embed = EmbedGrpc.newBlockingStub(running.channel);
    private final RerankGrpc.RerankBlockingStub rerank = RerankGrpc.newBlockingStub(running.channel);
    private final TokenizeGrpc.TokenizeBlockingStub tokenize = TokenizeGrpc.newBlockingStub(running.channel);

    @AfterAll
    void stop() {
        running.close();
    }

    @Test
    void aTextIsPredicted() throws Exception {
        PredictResponse response =
                predict.predict(PredictRequest.newBuilder().setInputs(TEXT).build());
        assertThat(scores(response)).isEqualTo(expected(Optional.empty(), new Input.Text(TEXT), false));
        assertThat(response.getMetadata().getComputeChars()).isEqualTo(TEXT.codePointCount(0, TEXT.length()));
        assertThat(response.getMetadata().getComputeTokens()).isPositive();
        assertThat(response.getMetadata().getTotalTimeNs())
                .isGreaterThanOrEqualTo(response.getMetadata().getInferenceTimeNs());
        assertThat(response.getMetadata().getInferenceTimeNs()).isPositive();
    }

    @Test
    void rawScoresAreLogits() throws Exception {
        PredictResponse response = predict.predict(
                PredictRequest.newBuilder().setInputs(TEXT).setRawScores(true).build());
        assertThat(scores(response)).isEqualTo(expected(Optional.empty(), new Input.Text(TEXT), true));
    }

    @Test
    void aHeaderNamesTheHead() throws Exception {
        PredictResponse response = RunningGrpcServer.with(predict, "x-head", "topics")
                .predict(PredictRequest.newBuilder().setInputs(TEXT).build());
        assertThat(scores(response)).isEqualTo(expected(Optional.of("topics"), new Input.Text(TEXT), false));
    }

    @Test
    void aPairIsPredicted() throws Exception {
        PredictResponse response = predict.predictPair(PredictPairRequest.newBuilder()
                .addInputs("one")
                .addInputs("two")
                .build());
        assertThat(scores(response)).isEqualTo(expected(Optional.empty(), new Input.Pair("one", "two"), false));
    }

    @Test
    void aTextIsEmbedded() throws Exception {
        List<Float> vector =
                embed.embed(EmbedRequest.newBuilder().setInputs(TEXT).build()).getEmbeddingsList();
        assertThat(vector).isEqualTo(vector(true, OptionalInt.empty()));
        assertThat(Math.sqrt(vector.stream().mapToDouble(v -> v * v).sum())).isCloseTo(1, within(1e-5));
        assertThat(embed.embed(EmbedRequest.newBuilder()
                                .setInputs(TEXT)
                                .setNormalize(false)
                                .setDimensions(5)
                                .build())
                        .getEmbeddingsList())
                .hasSize(5)
                .isEqualTo(vector(false, OptionalInt.of(5)));
    }

    @Test
    void eachTokenIsEmbedded() throws Exception {
        EmbedAllResponse response =
                embed.embedAll(EmbedAllRequest.newBuilder().setInputs(TEXT).build());
        EmbeddedTokens expected = running.texts.embedTokens(
                RunningGrpcServer.call(), Optional.empty(), List.of(new Input.Text(TEXT)), Truncation.NONE);
        assertThat(response.getTokenEmbeddingsList().stream()
                        .flatMap(token -> token.getEmbeddingsList().stream())
                        .toList())
                .isEqualTo(Floats.asList(expected.rows().getFirst()));
        assertThat(response.getTokenEmbeddingsList())
                .allSatisfy(token -> assertThat(token.getEmbeddingsCount()).isEqualTo(expected.width()))
                .hasSize(response.getMetadata().getComputeTokens());
    }

    @Test
    void textsAreRanked() throws Exception {
        List<String> texts = List.of("a bad day", "a good day", "tea");
        List<Ranked> expected = running.texts.rerank(
                RunningGrpcServer.call(), Optional.empty(), Optional.empty(), "a day", texts, Truncation.NONE, false);
        RerankResponse response = rerank.rerank(RerankRequest.newBuilder()
                .setQuery("a day")
                .addAllTexts(texts)
                .setReturnText(true)
                .build());
        assertThat(ranks(response)).isEqualTo(expected);
        assertThat(response.getRanksList())
                .allSatisfy(rank -> assertThat(rank.getText()).isEqualTo(texts.get(rank.getIndex())));

        Answers<RerankResponse> answers = new Answers<>();
        StreamObserver<RerankStreamRequest> stream =
                RerankGrpc.newStub(running.channel).rerankStream(answers);
        texts.forEach(text -> stream.onNext(
                RerankStreamRequest.newBuilder().setQuery("a day").setText(text).build()));
        stream.onCompleted();
        RerankResponse streamed = answers.whole().getFirst();
        assertThat(ranks(streamed)).isEqualTo(expected);
        assertThat(streamed.getRanksList()).noneMatch(Rank::hasText);
    }

    @Test
    void aStreamOfTextsToRankHasOneQuery() throws Exception {
        Answers<RerankResponse> answers = new Answers<>();
        StreamObserver<RerankStreamRequest> stream =
                RerankGrpc.newStub(running.channel).rerankStream(answers);
        for (String query : List.of("one", "another")) {
            stream.onNext(RerankStreamRequest.newBuilder()
                    .setQuery(query)
                    .setText("a text")
                    .build());
        }
        assertThat(answers.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void textsBecomeTokensAndBack() {
        List<SimpleToken> tokens = tokenize.tokenize(EncodeRequest.newBuilder()
                        .setInputs("ab 😀 good")
                        .setAddSpecialTokens(true)
                        .build())
                .getTokensList();
        SimpleToken last = tokens.get(tokens.size() - 2);
        assertThat(tokens.getFirst().getSpecial()).isTrue();
        assertThat(tokens.getFirst().hasStart()).isFalse();
        assertThat(last.getSpecial()).isFalse();
        assertThat(last.getStop()).isEqualTo(9); // code points
        List<Integer> ids = tokens.stream().map(SimpleToken::getId).toList();
        assertThat(tokenize.decode(DecodeRequest.newBuilder()
                                .addAllIds(ids)
                                .setSkipSpecialTokens(true)
                                .build())
                        .getText())
                .contains("good")
                .doesNotContain("[CLS]");
    }

    @Test
    void infoTellsTheLimits() {
        InfoResponse info = InfoGrpc.newBlockingStub(running.channel).info(InfoRequest.getDefaultInstance());
        assertThat(info.getModelId()).isEqualTo("small");
        assertThat(info.getModelDtype()).isEqualTo("f32");
        assertThat(info.getModelType()).isEqualTo(ModelType.MODEL_TYPE_CLASSIFIER);
        assertThat(info.getMaxInputLength()).isPositive();
        assertThat(info.getMaxClientBatchSize()).isEqualTo(1024);
    }

    @Test
    void headersTellWhereTheTimeWent() {
        AtomicReference<Metadata> headers = new AtomicReference<>();
        AtomicReference<Metadata> trailers = new AtomicReference<>();
        PredictResponse response = RunningGrpcServer.with(predict, "x-request-id", "mine")
                .withInterceptors(MetadataUtils.newCaptureMetadataInterceptor(headers, trailers))
                .predict(PredictRequest.newBuilder().setInputs(TEXT).build());
        assertThat(headers.get().get(RunningGrpcServer.key("x-request-id"))).isEqualTo("mine");
        assertThat(headers.get().get(RunningGrpcServer.key("x-compute-tokens")))
                .isEqualTo(Integer.toString(response.getMetadata().getComputeTokens()));
        assertThat(headers.get().keys())
                .contains("x-total-time", "x-tokenization-time", "x-queue-time", "x-inference-time");
    }

    @Test
    void errorsSayWhatToDo() {
        refused(
                Status.Code.INVALID_ARGUMENT,
                "limit",
                () -> predict.predict(PredictRequest.newBuilder()
                        .setInputs("word ".repeat(2000))
                        .build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "3",
                () -> predict.predictPair(PredictPairRequest.newBuilder()
                        .addAllInputs(List.of("a", "b", "c"))
                        .build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "prompt",
                () -> embed.embed(EmbedRequest.newBuilder()
                        .setInputs("a")
                        .setPromptName("query")
                        .build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "dimensions",
                () -> embed.embed(EmbedRequest.newBuilder()
                        .setInputs("a")
                        .setDimensions(100_000)
                        .build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "ids[0]",
                () -> tokenize.decode(DecodeRequest.newBuilder().addIds(-1).build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "text",
                () -> rerank.rerank(RerankRequest.newBuilder().setQuery("a").build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "x-priority",
                () -> RunningGrpcServer.with(predict, "x-priority", "highest")
                        .predict(PredictRequest.newBuilder().setInputs("a").build()));
        refused(
                Status.Code.NOT_FOUND,
                "\"small\"",
                () -> RunningGrpcServer.with(predict, "x-model", "none")
                        .predict(PredictRequest.newBuilder().setInputs("a").build()));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "token-classification",
                () -> RunningGrpcServer.with(predict, "x-model", "tags")
                        .predict(PredictRequest.newBuilder().setInputs("a").build()));
    }

    @Test
    void whatIsTooLongIsCutWhereItIsAsked() throws Exception {
        String text = "good " + "bad ".repeat(2000);
        PredictResponse left = predict.predict(PredictRequest.newBuilder()
                .setInputs(text)
                .setTruncate(true)
                .setTruncationDirection(TruncationDirection.TRUNCATION_DIRECTION_LEFT)
                .build());
        PredictResponse right = predict.predict(
                PredictRequest.newBuilder().setInputs(text).setTruncate(true).build());
        assertThat(scores(right)).isNotEqualTo(scores(left));
        assertThat(right.getMetadata().getComputeTokens())
                .isEqualTo(left.getMetadata().getComputeTokens());
    }

    private static void refused(Status.Code code, String word, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(code);
            assertThat(e.getStatus().getDescription()).contains(word);
            assertThat(Objects.requireNonNull(e.getTrailers()).get(RunningGrpcServer.key("x-request-id")))
                    .isNotEmpty();
        });
    }

    private static List<LabelScore> scores(PredictResponse response) {
        return response.getPredictionsList().stream().map(TeiTest::score).toList();
    }

    private static LabelScore score(Prediction prediction) {
        return new LabelScore(prediction.getScore(), prediction.getLabel());
    }

    private static List<Ranked> ranks(RerankResponse response) {
        return response.getRanksList().stream()
                .map(rank -> new Ranked(rank.getIndex(), rank.getScore()))
                .toList();
    }

    private List<LabelScore> expected(Optional<String> head, Input input, boolean raw) throws InterruptedException {
        return running.texts
                .classify(RunningGrpcServer.call(), Optional.empty(), head, List.of(input), Truncation.NONE)
                .scores(0, raw);
    }

    private List<Float> vector(boolean normalize, OptionalInt dimensions) throws InterruptedException {
        return Floats.asList(running.texts
                .embed(
                        RunningGrpcServer.call(),
                        Optional.empty(),
                        List.of(new Input.Text(TEXT)),
                        Truncation.NONE,
                        new VectorOptions(Optional.empty(), normalize, dimensions))
                .vectors()
                .getFirst());
    }
}
