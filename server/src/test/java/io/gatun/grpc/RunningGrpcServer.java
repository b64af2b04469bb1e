package io.gatun.grpc;

import io.gatun.batch.BatchListener;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.batch.SmallModel;
import io.gatun.edge.Edge;
import io.gatun.inference.InferenceService;
import io.gatun.kernel.Compute;
import io.gatun.metrics.Metrics;
import io.gatun.model.ModelSource;
import io.gatun.service.Call;
import io.gatun.service.CallOptions;
import io.gatun.service.Caller;
import io.gatun.service.Catalogue;
import io.gatun.service.ModelLoader;
import io.gatun.service.ServiceLimits;
import io.gatun.service.TextService;
import io.gatun.telemetry.Telemetry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A real server on a free port, with the small model of several heads, one that only has a token head, and a client. */
final class RunningGrpcServer implements AutoCloseable {
    final Metrics metrics = new Metrics();
    final Catalogue catalogue;
    final TextService texts;
    final GrpcServer server;
    final ManagedChannel channel;
    private final Path folder;

    RunningGrpcServer() {
        this(GrpcSettings.of("127.0.0.1", 0), Optional.empty());
    }

    /** With one who hears of the batches, of one lane. */
    RunningGrpcServer(GrpcSettings settings, Optional<BatchListener> listener) {
        try {
            folder = Files.createTempDirectory("gatun-grpc");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        sources.put("small", ModelSource.file(SmallModel.convert(SmallModel.HEADS, folder)));
        sources.put("tags", ModelSource.file(SmallModel.convert("distilbert-token-small", folder)));
        catalogue = new Catalogue(
                sources,
                new ModelLoader(
                        Compute.F32,
                        model -> LaneSettings.of(model, 1),
                        Long.MAX_VALUE,
                        listener.orElse(metrics),
                        metrics));
        texts = new TextService(catalogue, metrics, ServiceLimits.DEFAULT);
        server = GrpcServer.start(settings, texts, new InferenceService(texts), Edge.OPEN, Telemetry.off());
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port())
                .usePlaintext()
                .maxInboundMessageSize(64 << 20)
                .build();
    }

    Lanes lanes() {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            return lease.served().lanes();
        }
    }

    /** A call of the service itself, past the door. */
    static Call call() {
        Caller patient = new Caller() {
            @Override
            public void whenGone(Runnable action) {}

            @Override
            public void isAnswered() {}
        };
        return new Call(patient, CallOptions.NONE, System.nanoTime());
    }

    static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    /** The stub with a header. */
    static <S extends AbstractStub<S>> S with(S stub, String name, String value) {
        Metadata headers = new Metadata();
        headers.put(key(name), value);
        return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.close();
        texts.close();
        catalogue.close();
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
