package io.gatun.bench.load;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The servers that are compared: Gatun, and ONNX Runtime's fastest int8 form behind the same web server. */
final class Servers {
    static final String GATUN = "gatun";

    private static final String ONE_BY_ONE = "onnxruntime";
    private static final String PARALLEL = "onnxruntime-parallel";
    private static final String BATCHER = "onnxruntime-batcher";

    /** All of them. */
    static final List<String> NAMES = List.of(GATUN, ONE_BY_ONE, PARALLEL, BATCHER);

    private static final List<String> ONNX_SERVER = List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-Xms256m",
            "-Xmx1g",
            "-Xmn128m",
            "-Dgatun.default-model=" + System.getProperty("gatun.default-model", ""),
            "io.gatun.bench.peers.OnnxServerCommand",
            "--cache",
            ServerProcess.path("bench/target/peers"));

    private Servers() {}

    /**
     * Starts a server on a port of its own.
     *
     * @param name one of {@link #NAMES}
     * @param cpus as {@code taskset -c} takes them; empty for all
     * @throws LoadException when there is none of that name, or it does not become ready
     */
    static ServerProcess start(String name, String cpus) {
        String cores = Long.toString(count(cpus));
        return switch (name) {
            case GATUN ->
                ServerProcess.start(
                        name,
                        cpus,
                        List.of(ServerProcess.path("scripts/gatun"), "serve", "--port", "0", "--grpc-port", "0"));
            case ONE_BY_ONE -> onnx(name, cpus, "--threads", cores);
            case PARALLEL -> onnx(name, cpus, "--threads", "1", "--runs", cores);
            case BATCHER -> onnx(name, cpus, "--threads", cores, "--batch", "8", "--window-ms", "3");
            default -> throw new LoadException("No server is called " + name + "; there are " + NAMES + ".");
        };
    }

    private static ServerProcess onnx(String name, String cpus, String... arguments) {
        List<String> command = new ArrayList<>(ONNX_SERVER);
        command.addAll(Arrays.asList(arguments));
        return ServerProcess.startJava(name, cpus, command);
    }

    /** The processors of a list such as {@code 0,2-3}; all when it is empty. */
    static long count(String cpus) {
        try {
            return cpus.isEmpty()
                    ? Runtime.getRuntime().availableProcessors()
                    : Stream.of(cpus.split(",", -1))
                            .mapToInt(range -> {
                                int dash = range.indexOf('-');
                                return dash < 0
                                        ? 1
                                        : Integer.parseInt(range.substring(dash + 1))
                                                - Integer.parseInt(range.substring(0, dash))
                                                + 1;
                            })
                            .sum();
        } catch (NumberFormatException e) {
            throw new LoadException("\"" + cpus + "\" is no list of processors, such as 0,2-3.", e);
        }
    }
}
