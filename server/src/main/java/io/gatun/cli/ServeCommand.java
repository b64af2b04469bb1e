package io.gatun.cli;

import io.gatun.edge.Edge;
import io.gatun.edge.FileWatch;
import io.gatun.grpc.GrpcServer;
import io.gatun.http.HttpServer;
import io.gatun.inference.InferenceService;
import io.gatun.kernel.Kernel;
import io.gatun.metrics.Metrics;
import io.gatun.model.ModelSource;
import io.gatun.service.Catalogue;
import io.gatun.service.ModelLoader;
import io.gatun.service.TextService;
import io.gatun.telemetry.LogOutput;
import io.gatun.telemetry.Telemetry;
import io.gatun.telemetry.Tracing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Serves models over HTTP until the process is told to end; then answers what it took and exits with status 0. */
@Command(
        name = "serve",
        description = "Serves models over HTTP. Prints one line that starts with 'ready' when requests are answered.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ServeCommand implements Callable<Integer> {
    @Option(
            names = "--host",
            paramLabel = "HOST",
            description = "The address to listen on (default: ${DEFAULT-VALUE}).",
            defaultValue = "127.0.0.1")
    private String host = "";

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "The port to listen on; 0: any that is free (default: ${DEFAULT-VALUE}).",
            defaultValue = "8080")
    private int port;

    @Option(
            names = "--grpc-port",
            paramLabel = "PORT",
            description = "The port to listen on for gRPC; 0: any that is free (default: the one after --port).")
    private @Nullable Integer grpcPort;

    @Option(
            names = "--model",
            paramLabel = "[NAME=]PATH",
            description = "A GGUF file to serve; may be given again. The first answers requests that name none "
                    + "(default: the embedded model, named default).")
    private List<String> models = List.of();

    @Option(
            names = "--access-log",
            description = "Tells of each request in one line of JSON on standard error, without its texts.")
    private boolean accessLog;

    @Mixin
    private EdgeOptions edges = new EdgeOptions();

    @Mixin
    private LaneOptions lanes = new LaneOptions();

    @Mixin
    private LimitOptions limits = new LimitOptions();

    @Mixin
    private ComputeOption computing = new ComputeOption();

    @Override
    public Integer call() throws InterruptedException {
        // Sockets are watched by platform threads: the JDK's usual virtual ones take one more wake-up for each request.
        System.getProperties().putIfAbsent("jdk.pollerMode", "1");
        checkPort(port);
        int calls = grpcPort != null ? grpcPort : port == 0 ? 0 : port + 1;
        checkPort(calls);
        if (host.isBlank()) {
            throw new CommandException("The option --host is empty; name an address, such as 127.0.0.1 or 0.0.0.0.");
        }
        FileWatch files = new FileWatch();
        Edge edge = edges.edge(files);
        LogOutput log = new LogOutput();
        log.install();
        Telemetry telemetry =
                new Telemetry(Tracing.of(System.getenv()), accessLog ? Optional.of(log) : Optional.empty());
        Metrics metrics = new Metrics();
        metrics.logDropped(log::dropped);
        ModelLoader loader =
                new ModelLoader(computing.compute(), lanes::settings, lanes.memoryLimit(), metrics, metrics);
        Catalogue catalogue = new Catalogue(sources(), loader);
        // What loading left in the heap would be copied around, and keep its pages, for as long as the program serves.
        System.gc();
        TextService service = new TextService(catalogue, metrics, limits.service());
        InferenceService inference = new InferenceService(service);
        HttpServer http = HttpServer.start(limits.http(host, port), edge, telemetry, service, inference, metrics);
        GrpcServer grpc = GrpcServer.start(limits.grpc(host, calls), service, inference, edge, telemetry);
        AtomicInteger status = new AtomicInteger();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> drain(http, grpc, telemetry, log, status), "gatun-drain"));
        try {
            Output.standard()
                    .line("ready " + http.address() + " " + grpc.address() + " "
                            + loader.compute().id() + " " + Kernel.cpu());
            Output.standard().flush();
        } catch (Output.OutputException e) {
            status.set(Main.FAILED);
            throw e;
        }
        new CountDownLatch(1).await(); // the process ends by a signal
        return 0;
    }

    private static void checkPort(int port) {
        if (port < 0 || port > 65_535) {
            throw new CommandException("The port " + port + " is none; choose one from 0 to 65535.");
        }
    }

    private Map<String, ModelSource> sources() {
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        ModelOption.parseAll(models).forEach(option -> sources.put(option.name(), option.source()));
        return sources;
    }

    /** Ends the process from within its shutdown: a signal alone would make its status 143. */
    private static void drain(
            HttpServer http, GrpcServer grpc, Telemetry telemetry, LogOutput log, AtomicInteger status) {
        try {
            // Both refuse from now on. The lanes stay open: a request that was taken may not have reached them yet.
            http.drain();
            grpc.drain();
            Thread closing = Thread.ofPlatform().name("gatun-drain-grpc").start(grpc::close);
            http.close();
            closing.join();
            telemetry.close();
            log.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            Runtime.getRuntime().halt(status.get());
        }
    }
}
