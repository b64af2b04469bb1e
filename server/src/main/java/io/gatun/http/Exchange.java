package io.gatun.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.gatun.service.Call;
import io.gatun.service.RequestException;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One request that is being answered. Used by its own thread. */
final class Exchange implements Asked {
    private final ServerRequest request;
    private final RequestBody bodies;
    private final RequestBody.Lease lease;
    private final InFlight.Flight flight;
    private final Client client;
    private final long start;
    private @Nullable Call call;

    /** {@code start}: the {@link System#nanoTime} at which the request was there. */
    Exchange(
            ServerRequest request,
            RequestBody bodies,
            RequestBody.Lease lease,
            InFlight.Flight flight,
            Client client,
            long start) {
        this.request = request;
        this.bodies = bodies;
        this.lease = lease;
        this.flight = flight;
        this.client = client;
        this.start = start;
    }

    /**
     * What is asked of a model.
     *
     * @throws RequestException when a header says something wrong
     */
    @Override
    public Call call() {
        Call known = call;
        if (known == null) {
            known = new Call(client, CallHeaders.read(request), start);
            call = known;
        }
        return known;
    }

    /** What was asked of a model, if anything was. */
    @Nullable
    Call callIfAny() {
        return call;
    }

    /** The object of the request's body. From now on whoever ends the server waits for this request. */
    Fields fields() throws IOException {
        Fields fields = bodies.read(request, lease);
        begins();
        return fields;
    }

    /** The request's body, whatever it says that it is. From now on whoever ends the server waits for this request. */
    byte[] bytes() throws IOException {
        byte[] bytes = bodies.bytes(request, lease);
        begins();
        return bytes;
    }

    private void begins() {
        client.waits();
        flight.begins();
    }

    /** JSON that is a part of the body. */
    Fields parse(byte[] json) {
        return bodies.parse(json);
    }

    /** JSON that may as well not be there. */
    Fields parseOrEmpty(byte[] json) {
        return json.length == 0 ? new Fields(JsonNodeFactory.instance.objectNode()) : parse(json);
    }

    ServerRequest request() {
        return request;
    }

    @Override
    public Optional<String> header(String name) {
        return request.headers().first(HeaderNames.create(name));
    }

    /** A part of the path that the route names. */
    String path(String name) {
        return request.path().pathParameters().get(name);
    }

    /** A part of the path that only some of a handler's routes name. */
    Optional<String> optionalPath(String name) {
        return request.path().pathParameters().first(name).asOptional();
    }

    @Override
    public void reserve(long heapBytes) throws RequestException {
        lease.addHeap(heapBytes);
    }
}
