package io.gatun.grpc;

import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.gatun.grpc.inference.ModelConfigRequest;
import io.gatun.grpc.inference.ModelConfigResponse;
import io.gatun.grpc.inference.ModelInferRequest;
import io.gatun.grpc.inference.ModelInferResponse;
import io.gatun.grpc.inference.ModelMetadataRequest;
import io.gatun.grpc.inference.ModelMetadataResponse;
import io.gatun.grpc.inference.ModelReadyRequest;
import io.gatun.grpc.inference.ModelReadyResponse;
import io.gatun.grpc.inference.ModelStatisticsRequest;
import io.gatun.grpc.inference.ModelStatisticsResponse;
import io.gatun.grpc.inference.ModelStreamInferResponse;
import io.gatun.grpc.inference.RepositoryIndexRequest;
import io.gatun.grpc.inference.RepositoryIndexResponse;
import io.gatun.grpc.inference.RepositoryModelLoadRequest;
import io.gatun.grpc.inference.RepositoryModelLoadResponse;
import io.gatun.grpc.inference.RepositoryModelUnloadRequest;
import io.gatun.grpc.inference.RepositoryModelUnloadResponse;
import io.gatun.grpc.inference.ServerLiveRequest;
import io.gatun.grpc.inference.ServerLiveResponse;
import io.gatun.grpc.inference.ServerMetadataRequest;
import io.gatun.grpc.inference.ServerMetadataResponse;
import io.gatun.grpc.inference.ServerReadyRequest;
import io.gatun.grpc.inference.ServerReadyResponse;
import io.gatun.inference.InferenceRequest;
import io.gatun.inference.InferenceResult;
import io.gatun.inference.InferenceService;
import io.gatun.inference.ModelMetadata;
import io.gatun.service.CallerGoneException;
import io.gatun.service.Catalogue;
import io.gatun.service.ErrorType;
import io.gatun.service.Problem;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/** {@code inference.GRPCInferenceService}: what Triton's and KServe's clients call. */
final class InferenceCalls extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
    private final InferenceService inference;
    private final Catalogue catalogue;
    private final Answering answering;
    private final WorkInFlight inFlight;
    private final String version;

    InferenceCalls(
            InferenceService inference,
            Catalogue catalogue,
            Answering answering,
            WorkInFlight inFlight,
            String version) {
        this.inference = inference;
        this.catalogue = catalogue;
        this.answering = answering;
        this.inFlight = inFlight;
        this.version = version;
    }

    @Override
    public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> client) {
        answering.one(
                client, () -> ServerLiveResponse.newBuilder().setLive(true).build());
    }

    @Override
    public void serverReady(ServerReadyRequest request, StreamObserver<ServerReadyResponse> client) {
        boolean ready = !inFlight.isDraining() && inference.isReady(catalogue.defaultName(), "");
        answering.one(
                client, () -> ServerReadyResponse.newBuilder().setReady(ready).build());
    }

    @Override
    public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> client) {
        boolean ready = !inFlight.isDraining() && inference.isReady(request.getName(), request.getVersion());
        answering.one(
                client, () -> ModelReadyResponse.newBuilder().setReady(ready).build());
    }

    @Override
    public void serverMetadata(ServerMetadataRequest request, StreamObserver<ServerMetadataResponse> client) {
        answering.one(
                client,
                () -> ServerMetadataResponse.newBuilder()
                        .setName(ModelMetadata.PLATFORM)
                        .setVersion(version)
                        .addAllExtensions(InferenceService.EXTENSIONS)
                        .build());
    }

    @Override
    public void modelMetadata(ModelMetadataRequest request, StreamObserver<ModelMetadataResponse> client) {
        answering.one(
                client, () -> InferenceMessages.metadata(inference.metadata(request.getName(), request.getVersion())));
    }

    @Override
    public void modelConfig(ModelConfigRequest request, StreamObserver<ModelConfigResponse> client) {
        answering.one(
                client,
                () -> ModelConfigResponse.newBuilder()
                        .setConfig(
                                InferenceMessages.config(inference.metadata(request.getName(), request.getVersion())))
                        .build());
    }

    @Override
    public void modelStatistics(ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> client) {
        answering.one(client, () -> {
            ModelStatisticsResponse.Builder response = ModelStatisticsResponse.newBuilder();
            inference.statistics(request.getName(), request.getVersion()).stream()
                    .map(InferenceMessages::statistics)
                    .forEach(response::addModelStats);
            return response.build();
        });
    }

    @Override
    public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> client) {
        answering.one(client, () -> infer(request));
    }

    @Override
    public StreamObserver<ModelInferRequest> modelStreamInfer(StreamObserver<ModelStreamInferResponse> client) {
        return answering.each(client, this::inferInStream);
    }

    private ModelInferResponse infer(ModelInferRequest message) throws InterruptedException {
        InferenceRequest request = InferenceMessages.request(message);
        Answering.Reply<InferenceResult> reply =
                answering.ask(call -> inference.infer(call, request), request.parameters()::with);
        return InferenceMessages.response(message, reply.result());
    }

    /** What one request of a stream does wrong is its own affair; the others are answered. */
    private ModelStreamInferResponse inferInStream(ModelInferRequest message) throws InterruptedException {
        try {
            return ModelStreamInferResponse.newBuilder()
                    .setInferResponse(infer(message))
                    .build();
        } catch (RuntimeException e) {
            Optional<Problem> problem = Problem.of(e);
            boolean again = problem.isPresent() && problem.get().type() == ErrorType.OVERLOADED;
            if (again || e instanceof CallerGoneException) {
                throw e;
            }
            return ModelStreamInferResponse.newBuilder()
                    .setErrorMessage(problem.orElseGet(Problem::unexpected).message())
                    .setInferResponse(ModelInferResponse.newBuilder()
                            .setModelName(message.getModelName())
                            .setId(message.getId()))
                    .build();
        }
    }

    @Override
    public void repositoryIndex(RepositoryIndexRequest request, StreamObserver<RepositoryIndexResponse> client) {
        answering.one(client, () -> {
            RepositoryIndexResponse.Builder response = RepositoryIndexResponse.newBuilder();
            for (Catalogue.Entry entry : catalogue.entries()) {
                if (!request.getReady() || entry.state() == Catalogue.State.READY) {
                    response.addModels(RepositoryIndexResponse.ModelIndex.newBuilder()
                            .setName(entry.name())
                            .setVersion(ModelMetadata.VERSION)
                            .setState(InferenceService.state(entry.state()))
                            .setReason(entry.reason()));
                }
            }
            return response.build();
        });
    }

    @Override
    public void repositoryModelLoad(
            RepositoryModelLoadRequest request, StreamObserver<RepositoryModelLoadResponse> client) {
        answering.one(client, () -> {
            catalogue.load(request.getModelName());
            return RepositoryModelLoadResponse.getDefaultInstance();
        });
    }

    @Override
    public void repositoryModelUnload(
            RepositoryModelUnloadRequest request, StreamObserver<RepositoryModelUnloadResponse> client) {
        answering.one(client, () -> {
            catalogue.unload(request.getModelName());
            return RepositoryModelUnloadResponse.getDefaultInstance();
        });
    }
}
