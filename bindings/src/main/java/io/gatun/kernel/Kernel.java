package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import io.gatun.kernel.generated.gt_cpu_info;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The native library: found once, loaded once, its version checked before anything is called.
 *
 * <p>It is the file that the system property {@code gatun.library} names or, without one, the one that was built into
 * this module. A failure is kept and thrown again: what could not be loaded once is not tried a second time.
 */
public final class Kernel {
    private Kernel() {}

    /** Why the library is not there: one sentence, or null when it is. */
    private static final @Nullable String FAILURE = tryLoad();

    /**
     * Loads the library, if that was not done yet.
     *
     * @throws KernelException {@link KernelException.Status#LIBRARY} with one sentence that says what to do
     */
    public static void load() {
        if (FAILURE != null) {
            throw new KernelException(KernelException.Status.LIBRARY, FAILURE);
        }
    }

    /** The instruction set that the kernel chose for this processor, as {@code avx512-vnni}. */
    public static String cpu() {
        load();
        return gatun_h.gt_cpu_name().getString(0);
    }

    /** The instruction sets that the library has code for, the best first. */
    public static List<InstructionSet> instructionSets() {
        String inUse = cpu();
        List<InstructionSet> sets = new ArrayList<>();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment info = gt_cpu_info.allocate(call);
            gt_cpu_info.struct_size(info, (int) gt_cpu_info.sizeof());
            while (gatun_h.gt_cpu_describe(sets.size(), info, MemorySegment.NULL) == gatun_h.GT_OK()) {
                String name = gt_cpu_info.name(info).getString(0);
                sets.add(new InstructionSet(
                        name, gt_cpu_info.supported(info) != 0, name.equals(inUse), gt_cpu_info.bf16(info) != 0));
            }
        }
        return List.copyOf(sets);
    }

    /** Whether the instruction set in use can compute like that. */
    public static boolean supports(Compute compute) {
        return compute != Compute.BF16 || instructionSets().stream().anyMatch(set -> set.inUse() && set.bf16());
    }

    /**
     * Multiplies int8 in registers for a while: timed, the most that one core can do with the instruction set in use.
     *
     * @param rounds of a few dozen instructions
     * @return how many multiplications that was
     */
    public static long int8Peak(long rounds) {
        load();
        return gatun_h.gt_cpu_int8_peak(rounds);
    }

    /** The ggml release that is built in. */
    public static String ggmlVersion() {
        load();
        return gatun_h.gt_ggml_version().getString(0);
    }

    private static @Nullable String tryLoad() {
        try {
            String named = System.getProperty("gatun.library");
            if (named != null) {
                System.load(Path.of(named).toAbsolutePath().toString());
            } else if (!loadBuiltIn()) {
                return "The native library " + System.mapLibraryName("gatun") + " is not in this build ("
                        + System.getProperty("os.name") + " on " + System.getProperty("os.arch")
                        + "); run scripts/build-native, or name one with -Dgatun.library=FILE.";
            }
            int version = gatun_h.gt_abi_version();
            if (version != gatun_h.GT_ABI_VERSION()) {
                return "The native library has interface " + version + " and this program needs "
                        + gatun_h.GT_ABI_VERSION() + "; build both from the same sources.";
            }
            String problem = Symbols.missing()
                    .map(name -> "The native library has no function " + name + "; build it from the same sources.")
                    .or(Kernel::unknownCpu)
                    .orElse(null);
            if (problem == null) {
                linkLoading();
            }
            return problem;
        } catch (UnsatisfiedLinkError | RuntimeException | IOException | ExceptionInInitializerError e) {
            return "The native library could not be loaded (" + firstLine(e)
                    + "); name a folder that allows programs with -Djava.io.tmpdir, or build it anew: scripts/build-native.";
        }
    }

    /** Links what loads models, which takes longer than the loading: not while a file is mapped. */
    private static void linkLoading() {
        gatun_h.gt_model_measure$handle();
        gatun_h.gt_model_open$handle();
        gatun_h.gt_model_pack$handle();
        gatun_h.gt_model_head$handle();
    }

    /** An instruction set that was asked for and is not in use. */
    private static Optional<String> unknownCpu() {
        String wanted = System.getenv("GATUN_CPU");
        String chosen = gatun_h.gt_cpu_name().getString(0);
        return wanted == null || wanted.isEmpty() || wanted.equals(chosen)
                ? Optional.empty()
                : Optional.of("GATUN_CPU is " + wanted
                        + ", which this library or this processor does not have; it would be " + chosen + ".");
    }

    private static boolean loadBuiltIn() throws IOException {
        String name = System.mapLibraryName("gatun");
        try (InputStream library = Kernel.class.getResourceAsStream(name)) {
            if (library == null) {
                return false;
            }
            // Unlinked as soon as it is loaded: nothing is left behind, and no two versions ever share a file.
            Path file = Files.createTempFile("gatun", name);
            try {
                Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
                System.load(file.toString());
            } finally {
                Files.deleteIfExists(file);
            }
            return true;
        }
    }

    private static String firstLine(Throwable e) {
        Throwable cause = e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
        String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return message.lines().findFirst().orElse("");
    }
}
