package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import io.gatun.kernel.generated.ggml_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/** The functions that the generated bindings call; all are looked up at load, so that none is missed while serving. */
final class Symbols {
    private Symbols() {}

    /** The names of all bound functions. */
    static Stream<String> bound() {
        return Stream.of(gatun_h.class, ggml_h.class)
                .flatMap(header -> Arrays.stream(header.getDeclaredMethods()))
                .filter(method -> method.getReturnType() == MemorySegment.class)
                .map(Method::getName)
                .filter(name -> name.endsWith("$address"))
                .map(name -> name.substring(0, name.length() - "$address".length()))
                .sorted();
    }

    /** The first function that the loaded library lacks. */
    static Optional<String> missing() {
        SymbolLookup library = SymbolLookup.loaderLookup();
        return bound().filter(name -> library.find(name).isEmpty()).findFirst();
    }
}
