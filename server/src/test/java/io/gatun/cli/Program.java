package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The real program in a process of its own. */
record Program(Process process, CompletableFuture<String> errors) implements AutoCloseable {
    /** How a run ended. */
    record Result(int status, String output, String errors) {
        List<String> lines() {
            return output.lines().toList();
        }

        /** Asserts that the program refused: status 2, nothing printed, and one sentence that holds the parts. */
        void refused(String... parts) {
            assertThat(errors).startsWith("gatun: ").endsWith(".\n");
            List.of(parts).forEach(part -> assertThat(errors).contains(part));
            assertThat(errors.lines()).hasSize(1);
            assertThat(output).isEmpty();
            assertThat(status).isEqualTo(2);
        }
    }

    static Program start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.gatun.cli.Main"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        Process process = builder.start();
        return new Program(
                process,
                CompletableFuture.supplyAsync(() -> text(process.getErrorStream()), Thread::startVirtualThread));
    }

    static Result run(String... arguments) throws Exception {
        return run(Map.of(), "", arguments);
    }

    static Result run(Map<String, String> environment, String input, String... arguments) throws Exception {
        try (Program program = start(environment, arguments)) {
            Process process = program.process;
            CompletableFuture<String> output =
                    CompletableFuture.supplyAsync(() -> text(process.getInputStream()), Thread::startVirtualThread);
            try (OutputStream stream = process.getOutputStream()) {
                stream.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // a program that refuses its arguments does not read its input
            }
            return new Result(program.end(), output.get(), program.errors.get());
        }
    }

    /** The first line of its output. */
    String line() throws IOException {
        return new BufferedReader(process.inputReader(StandardCharsets.UTF_8)).readLine();
    }

    int end() throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the program ends").isTrue();
        return process.exitValue();
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
