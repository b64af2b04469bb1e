package io.gatun.http;

import io.gatun.batch.Catalogue;
import io.gatun.batch.ServedModel;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds the model that a request names. */
final class Models {
    private final Catalogue catalogue;

    Models(Catalogue catalogue) {
        this.catalogue = catalogue;
    }

    ServedModel named(Optional<String> name) {
        if (name.isEmpty()) {
            return catalogue.defaultModel();
        }
        return catalogue
                .find(name.get())
                .orElseThrow(() -> RequestException.validation("There is no model of that name; there is "
                        + catalogue.all().stream()
                                .map(m -> "\"" + m.model().name() + "\"")
                                .collect(Collectors.joining(", "))
                        + "."));
    }
}
