package io.gatun.bench.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A server that runs for as long as it is measured. */
public final class ServerProcess implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration END_LIMIT = Duration.ofSeconds(30);
    private static final String READY = "ready ";

    private final Process process;
    private final List<String> ready;

    private ServerProcess(Process process, List<String> ready) {
        this.process = process;
        this.ready = ready;
    }

    /**
     * Starts a server and waits until it prints that it is ready. What else it says goes to standard error.
     *
     * @param cpus as {@code taskset -c} takes them; empty for all
     * @throws LoadException when it does not become ready
     */
    public static ServerProcess start(String name, String cpus, List<String> command) {
        return start(name, cpus, new ProcessBuilder(), command);
    }

    /**
     * Starts a main class of this build, likewise.
     *
     * @param command the JVM's options, the class and its arguments
     */
    public static ServerProcess startJava(String name, String cpus, List<String> command) {
        List<String> whole = new ArrayList<>();
        whole.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        whole.addAll(command);
        ProcessBuilder builder = new ProcessBuilder();
        // Not as an argument: ONNX Runtime 1.29 ends a process whose command line is longer than 4 KB.
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return start(name, cpus, builder, whole);
    }

    private static ServerProcess start(String name, String cpus, ProcessBuilder builder, List<String> command) {
        List<String> whole = new ArrayList<>();
        if (!cpus.isEmpty()) {
            whole.addAll(List.of("taskset", "-c", cpus));
        }
        whole.addAll(command);
        try {
            Process process = builder.command(whole)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            // It must not outlive a measurement that is broken off.
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
            try {
                return new ServerProcess(
                        process, List.of(readyLine(name, process).split(" ", -1)));
            } catch (LoadException e) {
                process.destroy();
                throw e;
            }
        } catch (IOException e) {
            throw new LoadException(name + " cannot be started: " + e.getMessage() + ".", e);
        }
    }

    private static String readyLine(String name, Process process) {
        CompletableFuture<String> line = new CompletableFuture<>();
        // Reads on when the server is ready, so that its output never fills the pipe.
        Thread.ofPlatform().daemon().name(name + "-output").start(() -> {
            try (BufferedReader output =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                output.lines().filter(text -> text.startsWith(READY)).forEach(line::complete);
            } catch (IOException e) {
                line.completeExceptionally(e);
            }
            line.completeExceptionally(new IOException("it ended"));
        });
        try {
            return line.get(START_LIMIT.toSeconds(), TimeUnit.SECONDS).substring(READY.length());
        } catch (ExecutionException | TimeoutException e) {
            throw new LoadException(name + " did not become ready; what it says is above.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LoadException(name + " was not waited for.", e);
        }
    }

    /** Where it listens. */
    public URI address(boolean grpc) {
        return ready.stream()
                .filter(word -> word.startsWith(grpc ? "grpc://" : "http://"))
                .findFirst()
                .map(URI::create)
                .orElseThrow(() -> new LoadException("A server that printed " + ready + " does not speak that."));
    }

    public long pid() {
        return process.pid();
    }

    /** A file of this build, by its path from the repository's root, in which benchmarks run. */
    public static String path(String file) {
        return Path.of(file).toAbsolutePath().toString();
    }

    /**
     * Asks it to end, and ends it when it does not.
     *
     * @return its exit status
     */
    public int end() {
        process.destroy();
        try {
            if (!process.waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    @Override
    public void close() {
        end();
    }
}
