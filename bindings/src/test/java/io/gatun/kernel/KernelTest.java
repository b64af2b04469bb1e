package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the library says of the processor, and what it does with an instruction set that is asked for. */
final class KernelTest {
    @TempDir
    private static Path folder;

    @Test
    void oneInstructionSetIsInUse() {
        List<InstructionSet> sets = Kernel.instructionSets();
        assertThat(sets)
                .extracting(InstructionSet::name)
                .doesNotHaveDuplicates()
                .doesNotContain("");
        assertThat(sets).filteredOn(InstructionSet::inUse).singleElement().satisfies(set -> {
            assertThat(set.supported()).isTrue();
            assertThat(set.name()).isEqualTo(Kernel.cpu());
            assertThat(Kernel.supports(Compute.BF16)).isEqualTo(set.bf16());
        });
        assertThat(Kernel.supports(Compute.INT8)).isTrue();
    }

    @Test
    void thePeakIsAsManyMultiplicationsAsRounds() {
        long one = Kernel.int8Peak(1000);
        assertThat(one).isPositive();
        assertThat(Kernel.int8Peak(3000)).isEqualTo(3 * one);
    }

    @Test
    void everyWayToComputeHasAName() {
        assertThat(Arrays.stream(Compute.values()).map(Compute::id)).containsExactly("int8", "f32", "bf16", "ggml");
        for (Compute compute : Compute.values()) {
            assertThat(Compute.of(compute.id())).contains(compute);
        }
        assertThat(Compute.of("int4")).isEmpty();
    }

    /** Each supported set by its name, in a process of its own: the choice is made once. */
    @Test
    void everySupportedSetCanBeAskedFor() throws Exception {
        for (InstructionSet set : Kernel.instructionSets()) {
            String said = program(set.name(), "int8");
            if (set.supported()) {
                assertThat(said).isEqualTo(set.name());
            } else {
                assertThat(said).contains("GATUN_CPU is " + set.name());
            }
        }
        assertThat(program("abacus", "int8")).contains("GATUN_CPU is abacus");
    }

    @Test
    void bf16NeedsAnInstructionSetThatHasIt() throws Exception {
        for (InstructionSet set : Kernel.instructionSets()) {
            if (set.supported()) {
                String said = program(set.name(), "bf16");
                if (set.bf16()) {
                    assertThat(said).isEqualTo(set.name());
                } else {
                    assertThat(said).contains(set.name(), "bf16").doesNotContain("\n");
                }
            }
        }
    }

    @Test
    void countsOfThreadsAreChecked() throws IOException {
        Path file = TinyModel.write(folder);
        assertThatThrownBy(() -> TinyModel.open(file, Compute.F32, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SessionLimits(8, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SessionLimits(8, 1, 1, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Opens the tiny model with an instruction set; prints the set in use, or why not. */
    private static String program(String cpu, String compute) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Opening.class.getName(),
                        TinyModel.write(folder).toString(),
                        compute)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("GATUN_CPU", cpu);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return said.strip();
    }

    static final class Opening {
        private Opening() {}

        public static void main(String[] arguments) throws IOException {
            Compute compute = Compute.of(arguments[1]).orElseThrow();
            try (Model model = TinyModel.open(Path.of(arguments[0]), compute, 2);
                    Session session = Session.open(model, new SessionLimits(8, 1))) {
                session.batch().add(new int[] {1, 2}, null, 1, false);
                session.run();
                System.out.println(Kernel.cpu());
            } catch (KernelException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
