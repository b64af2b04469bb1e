package io.gatun.batch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The models that are served, by name. The first answers requests that name none. Immutable; owns its models. */
public final class Catalogue implements AutoCloseable {
    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private final ServedModel first;

    /**
     * A catalogue.
     *
     * @throws IllegalArgumentException when it is empty, or two models have the same name
     */
    public Catalogue(List<ServedModel> models) {
        if (models.isEmpty()) {
            throw new IllegalArgumentException("no model is served");
        }
        this.first = models.getFirst();
        for (ServedModel model : models) {
            if (this.models.putIfAbsent(model.name(), model) != null) {
                throw new IllegalArgumentException("two models are named " + model.name());
            }
        }
    }

    public ServedModel defaultModel() {
        return first;
    }

    public Optional<ServedModel> find(String name) {
        return Optional.ofNullable(models.get(name));
    }

    public List<ServedModel> all() {
        return List.copyOf(models.values());
    }

    @Override
    public void close() {
        models.values().forEach(ServedModel::close);
    }
}
