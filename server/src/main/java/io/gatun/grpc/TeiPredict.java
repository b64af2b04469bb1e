package io.gatun.grpc;

import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictPairRequest;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.grpc.tei.PredictResponse;
import io.gatun.grpc.tei.Prediction;
import io.gatun.service.Classified;
import io.gatun.service.Input;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.Truncation;
import io.gatun.task.LabelScore;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** {@code tei.v1.Predict}: the scores of one head's labels. */
final class TeiPredict extends PredictGrpc.PredictImplBase {
    private final TextService texts;
    private final Answering answering;

    TeiPredict(TextService texts, Answering answering) {
        this.texts = texts;
        this.answering = answering;
    }

    @Override
    public void predict(PredictRequest request, StreamObserver<PredictResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public void predictPair(PredictPairRequest request, StreamObserver<PredictResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<PredictRequest> predictStream(StreamObserver<PredictResponse> client) {
        return answering.each(client, this::answer);
    }

    @Override
    public StreamObserver<PredictPairRequest> predictPairStream(StreamObserver<PredictResponse> client) {
        return answering.each(client, this::answer);
    }

    private PredictResponse answer(PredictRequest request) throws InterruptedException {
        return answer(
                new Input.Text(request.getInputs()),
                TeiMessages.truncation(request.getTruncate(), request.getTruncationDirection()),
                request.getRawScores());
    }

    private PredictResponse answer(PredictPairRequest request) throws InterruptedException {
        return answer(
                switch (request.getInputsCount()) {
                    case 1 -> new Input.Text(request.getInputs(0));
                    case 2 -> new Input.Pair(request.getInputs(0), request.getInputs(1));
                    default ->
                        throw RequestException.validation("inputs are one text or two, not " + request.getInputsCount()
                                + "; send each pair in a message of its own.");
                },
                TeiMessages.truncation(request.getTruncate(), request.getTruncationDirection()),
                request.getRawScores());
    }

    private PredictResponse answer(Input input, Truncation truncation, boolean raw) throws InterruptedException {
        Incoming incoming = Incoming.current();
        Answering.Reply<Classified> reply = answering.ask(
                call -> texts.classify(call, incoming.model(), incoming.head(), List.of(input), truncation));
        PredictResponse.Builder response = PredictResponse.newBuilder()
                .setMetadata(TeiMessages.metadata(reply.call().timings(), TeiMessages.codePoints(input)));
        for (LabelScore score : reply.result().scores(0, raw)) {
            response.addPredictions(
                    Prediction.newBuilder().setScore(score.score()).setLabel(score.label()));
        }
        return response.build();
    }
}
