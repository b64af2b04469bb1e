package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.kernel.Slab;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Function;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A source gives its bytes for as long as they are read, and nothing of them stays. */
final class ModelSourceTest {
    private static final byte[] BYTES = {1, 2, 3, 4, 5};

    @TempDir
    private Path folder;

    @Test
    void aFileIsMapped() throws IOException {
        long before = Slab.allocatedBytes();
        Path file = Files.write(folder.resolve("a.gguf"), BYTES);
        MemorySegment gone = ModelSource.file(file).read(image -> {
            assertThat(image.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(BYTES);
            assertThat(image.address() % 64).isZero();
            assertThat(image.isMapped() && image.isReadOnly()).isTrue();
            assertThat(Slab.allocatedBytes()).isEqualTo(before);
            return image;
        });
        assertThatThrownBy(() -> gone.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theEmbeddedModelIsMappedWhereItIsAFile() throws IOException {
        assertThat(ModelSource.embedded().read(MemorySegment::isMapped)).isTrue();
        Path copy = Files.write(folder.resolve("copy.gguf"), BYTES);
        System.setProperty(ModelSource.Embedded.PROPERTY, copy.toString());
        try {
            assertThat(ModelSource.embedded().<Long>read(MemorySegment::byteSize))
                    .isEqualTo(BYTES.length);
            Files.delete(copy);
            assertThat(ModelSource.embedded().<Long>read(MemorySegment::byteSize))
                    .isGreaterThan(BYTES.length);
        } finally {
            System.clearProperty(ModelSource.Embedded.PROPERTY);
        }
    }

    @Test
    void theEmbeddedModelOfAJarIsRead() throws Exception {
        Path jar = folder.resolve("gatun.jar");
        Path classes = Path.of(
                Objects.requireNonNull(ModelSource.class.getProtectionDomain().getCodeSource())
                        .getLocation()
                        .toURI());
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.list(classes.resolve("io/gatun/model"))) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".class")).toList()) {
                out.putNextEntry(new JarEntry("io/gatun/model/" + file.getFileName()));
                Files.copy(file, out);
            }
            out.putNextEntry(new JarEntry("io/gatun/model/" + ModelSource.Embedded.RESOURCE));
            out.write(BYTES);
        }
        try (URLClassLoader loader = new URLClassLoader(
                new URL[] {jar.toUri().toURL()}, new OthersOnly(ModelSourceTest.class.getClassLoader()))) {
            Object source = loader.loadClass(ModelSource.class.getName())
                    .getMethod("embedded")
                    .invoke(null);
            Function<MemorySegment, Object> reader = image -> image.toArray(ValueLayout.JAVA_BYTE);
            assertThat(loader.loadClass(ModelSource.class.getName())
                            .getMethod("read", Function.class)
                            .invoke(source, reader))
                    .isEqualTo(BYTES);
        }
    }

    /** Knows all classes but those of the jar. */
    private static final class OthersOnly extends ClassLoader {
        OthersOnly(ClassLoader parent) {
            super(parent);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("io.gatun.model.")) {
                throw new ClassNotFoundException(name);
            }
            return super.loadClass(name, resolve);
        }

        @Override
        public @Nullable URL getResource(String name) {
            return null;
        }
    }
}
