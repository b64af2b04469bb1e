package io.gatun.kernel;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** How much the calling platform thread gives way to others while there are fewer cores than threads that want one. */
public final class Niceness {
    /** On Linux it is a thread's; elsewhere it would be the whole process's. */
    private static final Optional<MethodHandle> NICE = System.getProperty("os.name")
                    .equals("Linux")
            ? Linker.nativeLinker()
                    .defaultLookup()
                    .find("nice")
                    .map(nice -> Linker.nativeLinker()
                            .downcallHandle(nice, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)))
            : Optional.empty();

    private Niceness() {}

    /**
     * The calling thread gives way to all whose niceness is lower, as {@code nice(2)} says; on Linux only, elsewhere
     * nothing changes. It cannot be taken back without a right that few processes have.
     *
     * @param more 0 to 19
     */
    public static void raise(int more) {
        NICE.ifPresent(nice -> {
            try {
                int _ = (int) nice.invokeExact(more);
            } catch (Throwable e) {
                throw new LinkageError("nice failed", e);
            }
        });
    }
}
