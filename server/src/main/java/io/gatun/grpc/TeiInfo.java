package io.gatun.grpc;

import io.gatun.batch.LaneSettings;
import io.gatun.grpc.tei.InfoGrpc;
import io.gatun.grpc.tei.InfoRequest;
import io.gatun.grpc.tei.InfoResponse;
import io.gatun.grpc.tei.ModelType;
import io.gatun.model.ModelDescription;
import io.gatun.model.TextModel;
import io.gatun.service.Catalogue;
import io.gatun.service.TextService;
import io.grpc.stub.StreamObserver;
import java.util.Locale;
import java.util.Map;

/** {@code tei.v1.Info}: what is served. */
final class TeiInfo extends InfoGrpc.InfoImplBase {
    private final TextService texts;
    private final Answering answering;
    private final GrpcSettings settings;
    private final String version;

    TeiInfo(TextService texts, Answering answering, GrpcSettings settings, String version) {
        this.texts = texts;
        this.answering = answering;
        this.settings = settings;
        this.version = version;
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> client) {
        answering.one(client, this::answer);
    }

    private InfoResponse answer() {
        try (Catalogue.Lease lease = texts.catalogue().lease(Incoming.current().model())) {
            TextModel model = lease.served().model();
            LaneSettings lanes = lease.served().lanes().settings();
            return InfoResponse.newBuilder()
                    .setVersion(version)
                    .setModelId(model.name())
                    .setModelDtype(dataType(model.description()))
                    .setModelType(
                            model.description().heads().isEmpty()
                                    ? ModelType.MODEL_TYPE_EMBEDDING
                                    : ModelType.MODEL_TYPE_CLASSIFIER)
                    .setMaxConcurrentRequests(settings.maxConnections())
                    .setMaxInputLength(
                            Math.min(model.maxTokens(), texts.limits().maxTokens()))
                    .setMaxBatchTokens(lanes.limits().maxTokens())
                    .setMaxBatchRequests(lanes.limits().maxSequences())
                    .setMaxClientBatchSize(texts.limits().maxTexts())
                    .setTokenizationWorkers(Runtime.getRuntime().availableProcessors())
                    .build();
        }
    }

    /** The type that takes the most bytes. */
    private static String dataType(ModelDescription description) {
        return description.typeBytes().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(type -> type.getKey().name().toLowerCase(Locale.ROOT))
                .orElse("float32");
    }
}
