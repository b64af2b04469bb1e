package io.gatun.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gatun.batch.LaneSettings;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Slab;
import io.gatun.kernel.TensorType;
import io.gatun.metrics.Metrics;
import io.gatun.model.Converter;
import io.gatun.model.ModelSource;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class CatalogueTest {
    private final Path file;
    private final Metrics metrics = new Metrics();

    CatalogueTest(@TempDir Path folder) throws URISyntaxException {
        file = folder.resolve("small.gguf");
        URL checkpoint =
                Objects.requireNonNull(CatalogueTest.class.getResource("/io/gatun/model/distilbert-heads-small"));
        Converter.convert(Path.of(checkpoint.toURI()), file, TensorType.F32, (done, total) -> {});
    }

    private Catalogue open(long memoryLimit) {
        return new Catalogue(
                Map.of("small", ModelSource.file(file)),
                new ModelLoader(Compute.F32, model -> LaneSettings.of(model, 1), memoryLimit, metrics, metrics));
    }

    @Test
    void memoryComesBackWithTheLastLease() {
        long before = Slab.allocatedBytes();
        try (Catalogue catalogue = open(Long.MAX_VALUE)) {
            long loaded = Slab.allocatedBytes();
            assertThat(loaded).isGreaterThan(before);
            Catalogue.Lease lease = catalogue.lease(Optional.empty());
            catalogue.unload("small");
            assertThatThrownBy(() -> catalogue.lease(Optional.empty())).isInstanceOf(RequestException.class);
            assertThat(Slab.allocatedBytes()).isEqualTo(loaded);
            assertThat(lease.served().model().tokenizer().encode("a", true).length())
                    .isEqualTo(3);
            lease.close();
            await().until(() -> Slab.allocatedBytes() == before);
            assertThat(metrics.scrape()).doesNotContain("gatun_native_bytes{model=\"small\"}");
        }
    }

    @Test
    void aNewFormTakesThePlaceOfTheOld() throws Exception {
        try (Catalogue catalogue = open(Long.MAX_VALUE)) {
            long loaded = Slab.allocatedBytes();
            try (Catalogue.Lease old = catalogue.lease(Optional.empty())) {
                catalogue.load("small");
                try (Catalogue.Lease fresh = catalogue.lease(Optional.of("small"))) {
                    assertThat(fresh.served()).isNotSameAs(old.served());
                }
                assertThat(Slab.allocatedBytes()).isGreaterThan(loaded);
            }
            await().until(() -> Slab.allocatedBytes() == loaded);
        }
    }

    @Test
    void whatCannotBeLoadedLeavesTheOldFormAndRecovers() throws Exception {
        byte[] whole = Files.readAllBytes(file);
        try (Catalogue catalogue = open(Long.MAX_VALUE)) {
            Files.write(file, new byte[100]);
            assertThatThrownBy(() -> catalogue.load("small"))
                    .isInstanceOfSatisfying(
                            RequestException.class,
                            e -> assertThat(e.problem().type()).isEqualTo(ErrorType.BACKEND));
            catalogue.lease(Optional.of("small")).close();
            catalogue.unload("small");
            assertThatThrownBy(() -> catalogue.load("small")).isInstanceOf(RequestException.class);
            assertThat(catalogue.entries().getFirst().state()).isEqualTo(Catalogue.State.FAILED);
            Files.write(file, whole);
            catalogue.load("small");
            assertThat(catalogue.entries().getFirst().state()).isEqualTo(Catalogue.State.READY);
        }
    }

    @Test
    void aModelThatNeedsTooMuchIsNotLoaded() throws IOException {
        long before = Slab.allocatedBytes();
        assertThatThrownBy(() -> open(before + Files.size(file))).hasMessageContaining("--memory-limit");
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void whatIsNotThere() {
        try (Catalogue catalogue = open(Long.MAX_VALUE)) {
            assertThatThrownBy(() -> catalogue.lease(Optional.of("none"))).hasMessageContaining("\"small\"");
            assertThatThrownBy(() -> catalogue.load("none")).isInstanceOf(RequestException.class);
            assertThatThrownBy(() -> catalogue.unload("none")).isInstanceOf(RequestException.class);
        }
    }
}
