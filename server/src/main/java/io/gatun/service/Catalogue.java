package io.gatun.service;

import io.gatun.batch.DrainingException;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The models of this process by name, each from its source, loaded and unloaded while others are served. The first
 * answers requests that name none. Thread-safe; owns the models that are loaded.
 *
 * <p>A model that is unloaded, or whose new form has taken its place, is closed when the last request that it answers
 * has its answer.
 */
public final class Catalogue implements AutoCloseable {
    /** Where a model stands. */
    public enum State {
        READY,
        LOADING,
        UNLOADED,
        /** It could not be loaded. */
        FAILED;

        /** What those hear who ask a model that is not ready. */
        private ErrorType error() {
            return switch (this) {
                case READY, LOADING -> ErrorType.UNHEALTHY;
                case UNLOADED -> ErrorType.UNKNOWN_MODEL; // as somebody wanted it, and no fault of the server's
                case FAILED -> ErrorType.BACKEND;
            };
        }
    }

    /** A model of the catalogue. {@code reason}: why it is not ready, or an empty text. */
    public record Entry(String name, State state, String reason) {}

    private static final class Slot {
        final ModelSource source;

        @Nullable
        Loaded loaded;

        boolean loading;
        String failure = "";

        Slot(ModelSource source) {
            this.source = source;
        }

        State state() {
            if (loaded != null) {
                return State.READY;
            }
            return loading ? State.LOADING : failure.isEmpty() ? State.UNLOADED : State.FAILED;
        }

        String reason() {
            return switch (state()) {
                case READY -> "";
                case LOADING -> "it is being loaded";
                case UNLOADED -> "it is not loaded";
                case FAILED -> failure;
            };
        }
    }

    private static final class Loaded {
        final ServedModel model;
        int leases;
        boolean retired;

        Loaded(ServedModel model) {
            this.model = model;
        }
    }

    /** A model that stays open until this is closed, whatever becomes of its name. Used by one thread. */
    public final class Lease implements AutoCloseable {
        private final Loaded loaded;
        private boolean closed;

        private Lease(Loaded loaded) {
            this.loaded = loaded;
        }

        public ServedModel served() {
            return loaded.model;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                release(loaded);
            }
        }
    }

    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final String first;
    private final ModelLoader loader;
    /** Loading and closing are long native calls, for which a virtual thread must not be held. */
    private final ExecutorService worker = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("gatun-models").factory());

    private boolean closed;

    /**
     * A catalogue whose models are all loaded.
     *
     * @throws ModelException when one cannot be; then none is left behind
     * @throws IllegalArgumentException when it is empty
     */
    public Catalogue(Map<String, ModelSource> sources, ModelLoader loader) {
        if (sources.isEmpty()) {
            throw new IllegalArgumentException("no model is served");
        }
        this.loader = loader;
        this.first = sources.keySet().iterator().next();
        sources.forEach((name, source) -> slots.put(name, new Slot(source)));
        try {
            slots.forEach((name, slot) -> slot.loaded = new Loaded(loader.load(name, slot.source)));
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Every model, ready or not, in the order of their names' first mention. */
    public synchronized List<Entry> entries() {
        return slots.entrySet().stream()
                .map(e ->
                        new Entry(e.getKey(), e.getValue().state(), e.getValue().reason()))
                .toList();
    }

    /** The name of the model that answers requests that name none. */
    public String defaultName() {
        return first;
    }

    /**
     * Takes a model for one request.
     *
     * @param name or nothing: the default model
     * @throws RequestException when there is none of that name, or it is not loaded
     */
    public synchronized Lease lease(Optional<String> name) {
        Slot slot = slot(name.orElse(first));
        if (slot.loaded == null) {
            throw new RequestException(
                    slot.state().error(),
                    "The model \"" + name.orElse(first) + "\" does not answer now: " + slot.reason() + ".");
        }
        slot.loaded.leases++;
        return new Lease(slot.loaded);
    }

    private Slot slot(String name) {
        Slot slot = slots.get(name);
        if (slot == null) {
            throw new RequestException(
                    ErrorType.UNKNOWN_MODEL,
                    "There is no model of that name; there is "
                            + slots.keySet().stream().map(n -> "\"" + n + "\"").collect(Collectors.joining(", "))
                            + ".");
        }
        return slot;
    }

    /**
     * Loads a model from its source, or anew if it is loaded; until that is done its old form answers.
     *
     * @throws RequestException when there is none of that name, or it cannot be loaded: then its old form stays
     */
    public void load(String name) throws InterruptedException {
        synchronized (this) {
            slot(name);
        }
        try {
            worker.submit(() -> reload(name)).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (RejectedExecutionException e) {
            throw new DrainingException();
        }
    }

    private void reload(String name) {
        Slot slot;
        synchronized (this) {
            slot = slot(name);
            slot.loading = true;
        }
        String failure = "it could not be loaded";
        try {
            Loaded fresh = new Loaded(loader.load(name, slot.source.copied()));
            failure = "";
            replace(slot, fresh);
        } catch (ModelException e) {
            failure = String.valueOf(e.getMessage());
            throw new RequestException(ErrorType.BACKEND, failure);
        } finally {
            synchronized (this) {
                slot.loading = false;
                slot.failure = failure;
            }
        }
    }

    /**
     * Unloads a model; requests that it answers now are answered.
     *
     * @throws RequestException when there is none of that name
     */
    public void unload(String name) {
        Slot slot;
        synchronized (this) {
            slot = slot(name);
            slot.failure = "";
        }
        replace(slot, null);
    }

    private synchronized void replace(Slot slot, @Nullable Loaded fresh) {
        Loaded old = slot.loaded;
        slot.loaded = fresh;
        if (old != null) {
            retire(old);
        }
        if (closed && fresh != null) {
            slot.loaded = null;
            retire(fresh);
        }
    }

    private void retire(Loaded loaded) {
        loaded.retired = true;
        closeIfUnused(loaded);
    }

    private synchronized void release(Loaded loaded) {
        loaded.leases--;
        closeIfUnused(loaded);
    }

    private void closeIfUnused(Loaded loaded) {
        if (!loaded.retired || loaded.leases > 0) {
            return;
        }
        try {
            worker.execute(loaded.model::close);
        } catch (RejectedExecutionException e) {
            loaded.model.close(); // the process is about to end
        }
    }

    /** Unloads everything. What no request holds is closed when this returns; the rest with its last request. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            slots.values().forEach(slot -> replace(slot, null));
        }
        worker.close();
    }
}
