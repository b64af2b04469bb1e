package io.gatun.grpc;

import io.gatun.grpc.tei.EmbedAllRequest;
import io.gatun.grpc.tei.EmbedAllResponse;
import io.gatun.grpc.tei.EmbedGrpc;
import io.gatun.grpc.tei.EmbedRequest;
import io.gatun.grpc.tei.EmbedResponse;
import io.gatun.grpc.tei.TokenEmbedding;
import io.gatun.service.Embedded;
import io.gatun.service.EmbeddedTokens;
import io.gatun.service.Input;
import io.gatun.service.TextService;
import io.gatun.service.VectorOptions;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** {@code tei.v1.Embed}: a vector for a text, or for each of its tokens. */
final class TeiEmbed extends EmbedGrpc.EmbedImplBase {
    /** An answer is some megabyte. */
    private static final int TOKENS_WINDOW = 4;

    private final TextService texts;
    private final Answering answering;

    TeiEmbed(TextService texts, Answering answering) {
        this.texts = texts;
        this.answering = answering;
    }

    @Override
    public void embed(EmbedRequest request, StreamObserver<EmbedResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<EmbedRequest> embedStream(StreamObserver<EmbedResponse> client) {
        return answering.each(client, this::answer);
    }

    @Override
    public void embedAll(EmbedAllRequest request, StreamObserver<EmbedAllResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<EmbedAllRequest> embedAllStream(StreamObserver<EmbedAllResponse> client) {
        return answering.each(client, TOKENS_WINDOW, this::answer);
    }

    private EmbedResponse answer(EmbedRequest request) throws InterruptedException {
        TeiMessages.checkPrompt(request.hasPromptName(), request.getPromptName());
        Input input = new Input.Text(request.getInputs());
        Answering.Reply<Embedded> reply = answering.ask(call -> texts.embed(
                call,
                Incoming.current().model(),
                List.of(input),
                TeiMessages.truncation(request.getTruncate(), request.getTruncationDirection()),
                new VectorOptions(
                        Optional.empty(),
                        !request.hasNormalize() || request.getNormalize(),
                        request.hasDimensions() ? OptionalInt.of(request.getDimensions()) : OptionalInt.empty())));
        EmbedResponse.Builder response = EmbedResponse.newBuilder()
                .setMetadata(TeiMessages.metadata(reply.call().timings(), TeiMessages.codePoints(input)));
        for (float value : reply.result().vectors().getFirst()) {
            response.addEmbeddings(value);
        }
        return response.build();
    }

    private EmbedAllResponse answer(EmbedAllRequest request) throws InterruptedException {
        TeiMessages.checkPrompt(request.hasPromptName(), request.getPromptName());
        Input input = new Input.Text(request.getInputs());
        Answering.Reply<EmbeddedTokens> reply = answering.ask(call -> texts.embedTokens(
                call,
                Incoming.current().model(),
                List.of(input),
                TeiMessages.truncation(request.getTruncate(), request.getTruncationDirection())));
        int width = reply.result().width();
        float[] rows = reply.result().rows().getFirst();
        EmbedAllResponse.Builder response = EmbedAllResponse.newBuilder()
                .setMetadata(TeiMessages.metadata(reply.call().timings(), TeiMessages.codePoints(input)));
        for (int row = 0; row < rows.length; row += width) {
            TokenEmbedding.Builder vector = TokenEmbedding.newBuilder();
            for (int i = row; i < row + width; i++) {
                vector.addEmbeddings(rows[i]);
            }
            response.addTokenEmbeddings(vector);
        }
        return response.build();
    }
}
