package io.gatun.grpc;

import io.gatun.grpc.tei.DecodeRequest;
import io.gatun.grpc.tei.DecodeResponse;
import io.gatun.grpc.tei.EncodeRequest;
import io.gatun.grpc.tei.EncodeResponse;
import io.gatun.grpc.tei.SimpleToken;
import io.gatun.grpc.tei.TokenizeGrpc;
import io.gatun.service.TextService;
import io.gatun.service.Token;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** {@code tei.v1.Tokenize}: a text to tokens, and back. */
final class TeiTokenize extends TokenizeGrpc.TokenizeImplBase {
    private final TextService texts;
    private final Answering answering;

    TeiTokenize(TextService texts, Answering answering) {
        this.texts = texts;
        this.answering = answering;
    }

    @Override
    public void tokenize(EncodeRequest request, StreamObserver<EncodeResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<EncodeRequest> tokenizeStream(StreamObserver<EncodeResponse> client) {
        return answering.each(client, this::answer);
    }

    @Override
    public void decode(DecodeRequest request, StreamObserver<DecodeResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<DecodeRequest> decodeStream(StreamObserver<DecodeResponse> client) {
        return answering.each(client, this::answer);
    }

    private EncodeResponse answer(EncodeRequest request) throws InterruptedException {
        TeiMessages.checkPrompt(request.hasPromptName(), request.getPromptName());
        List<List<Token>> sequences = answering
                .ask(call -> texts.tokenize(
                        call, Incoming.current().model(), List.of(request.getInputs()), request.getAddSpecialTokens()))
                .result();
        EncodeResponse.Builder response = EncodeResponse.newBuilder();
        for (Token token : sequences.getFirst()) {
            SimpleToken.Builder simple = SimpleToken.newBuilder()
                    .setId(token.id())
                    .setText(token.text())
                    .setSpecial(token.special());
            if (!token.special()) {
                simple.setStart(token.start()).setStop(token.end());
            }
            response.addTokens(simple);
        }
        return response.build();
    }

    private DecodeResponse answer(DecodeRequest request) throws InterruptedException {
        // An id above the largest int is negative here, and no model has it either.
        int[] ids = request.getIdsList().stream().mapToInt(Integer::intValue).toArray();
        String text = answering
                .ask(call ->
                        texts.decode(call, Incoming.current().model(), List.of(ids), request.getSkipSpecialTokens()))
                .result()
                .getFirst();
        return DecodeResponse.newBuilder().setText(text).build();
    }
}
