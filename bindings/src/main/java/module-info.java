/** The kernel for Java: the small safe face over the generated bindings, which stay inside. */
module io.gatun.kernel {
    requires static transitive org.jspecify;

    exports io.gatun.kernel;
}
