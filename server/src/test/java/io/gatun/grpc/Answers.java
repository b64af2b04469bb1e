package io.gatun.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** What a client hears. */
final class Answers<A> implements StreamObserver<A> {
    final List<A> all = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Status> end = new CompletableFuture<>();

    @Override
    public void onNext(A answer) {
        all.add(answer);
    }

    @Override
    public void onError(Throwable e) {
        end.complete(((StatusRuntimeException) e).getStatus());
    }

    @Override
    public void onCompleted() {
        end.complete(Status.OK);
    }

    boolean ended() {
        return end.isDone();
    }

    /** Waits for the end of the call. */
    Status end() throws Exception {
        return end.get(60, TimeUnit.SECONDS);
    }

    List<A> whole() throws Exception {
        assertThat(end().getCode()).as(String.valueOf(end().getDescription())).isEqualTo(Status.Code.OK);
        return all;
    }
}
