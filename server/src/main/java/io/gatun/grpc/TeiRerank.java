package io.gatun.grpc;

import io.gatun.grpc.tei.Rank;
import io.gatun.grpc.tei.RerankGrpc;
import io.gatun.grpc.tei.RerankRequest;
import io.gatun.grpc.tei.RerankResponse;
import io.gatun.grpc.tei.RerankStreamRequest;
import io.gatun.service.Ranked;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.grpc.stub.StreamObserver;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code tei.v1.Rerank}: texts in the order in which they answer a query. */
final class TeiRerank extends RerankGrpc.RerankImplBase {
    private final TextService texts;
    private final Answering answering;
    private final int maxBytes;

    /** {@code maxBytes}: of the texts of a stream together, as of a message. */
    TeiRerank(TextService texts, Answering answering, int maxBytes) {
        this.texts = texts;
        this.answering = answering;
        this.maxBytes = maxBytes;
    }

    @Override
    public void rerank(RerankRequest request, StreamObserver<RerankResponse> client) {
        answering.one(client, () -> answer(request));
    }

    @Override
    public StreamObserver<RerankStreamRequest> rerankStream(StreamObserver<RerankResponse> client) {
        Answering.mayLeave(client);
        return new Collecting(client);
    }

    private RerankResponse answer(RerankRequest request) throws InterruptedException {
        Incoming incoming = Incoming.current();
        List<String> all = request.getTextsList();
        Answering.Reply<List<Ranked>> reply = answering.ask(call -> texts.rerank(
                call,
                incoming.model(),
                incoming.head(),
                request.getQuery(),
                all,
                TeiMessages.truncation(request.getTruncate(), request.getTruncationDirection()),
                request.getRawScores()));
        long characters = TeiMessages.codePoints(request.getQuery()) * all.size()
                + all.stream().mapToLong(TeiMessages::codePoints).sum();
        RerankResponse.Builder response = RerankResponse.newBuilder()
                .setMetadata(TeiMessages.metadata(reply.call().timings(), characters));
        for (Ranked ranked : reply.result()) {
            Rank.Builder rank = Rank.newBuilder().setIndex(ranked.index()).setScore(ranked.score());
            if (request.getReturnText()) {
                rank.setText(all.get(ranked.index()));
            }
            response.addRanks(rank);
        }
        return response.build();
    }

    /** A stream's texts, until it ends and they are ranked. Used by its call, one thread at a time. */
    private final class Collecting implements StreamObserver<RerankStreamRequest> {
        private final StreamObserver<RerankResponse> client;
        private final RerankRequest.Builder request = RerankRequest.newBuilder();
        private @Nullable RequestException failure;
        private long bytes;

        Collecting(StreamObserver<RerankResponse> client) {
            this.client = client;
        }

        @Override
        public void onNext(RerankStreamRequest message) {
            if (failure != null) {
                return;
            }
            if (request.getTextsCount() == 0) {
                request.setQuery(message.getQuery())
                        .setTruncate(message.getTruncate())
                        .setTruncationDirection(message.getTruncationDirection())
                        .setRawScores(message.getRawScores())
                        .setReturnText(message.getReturnText());
            }
            bytes += message.getSerializedSize();
            if (!request.getQuery().equals(message.getQuery())) {
                fail("The messages of the stream have different queries; send a stream for each.");
            } else if (bytes > maxBytes) {
                fail("The texts of the stream are more than " + maxBytes + " bytes; send them in several streams.");
            } else if (request.getTextsCount() == texts.limits().maxTexts()) {
                fail("The stream has more texts than the limit of "
                        + texts.limits().maxTexts() + "; send them in several streams.");
            } else {
                request.addTexts(message.getText());
            }
        }

        private void fail(String message) {
            RequestException told = RequestException.validation(message);
            failure = told;
            request.clear();
            answering.end(client, () -> {
                throw told;
            });
        }

        @Override
        public void onCompleted() {
            if (failure == null) {
                answering.end(client, () -> answer(request.build()));
            }
        }

        @Override
        public void onError(Throwable e) {
            request.clear();
        }
    }
}
