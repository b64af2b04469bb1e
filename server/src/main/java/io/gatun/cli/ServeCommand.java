package io.gatun.cli;

import io.gatun.batch.Catalogue;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.batch.ServedModel;
import io.gatun.http.HttpServer;
import io.gatun.http.ServerSettings;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Kernel;
import io.gatun.metrics.Metrics;
import io.gatun.model.TextModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Serves models over HTTP until the process is told to end; then answers what it took and exits with status 0. */
@Command(
        name = "serve",
        description = "Serves models over HTTP. Prints one line that starts with 'ready' when requests are answered.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ServeCommand implements Callable<Integer> {
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_LANES = 1024;

    /** Shows the reason of a size that cannot be read. */
    static final class MemorySizeConverter implements ITypeConverter<MemorySize> {
        @Override
        public MemorySize convert(String text) {
            try {
                return MemorySize.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

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
            names = "--model",
            paramLabel = "[NAME=]PATH",
            description = "A GGUF file to serve; may be given again. The first answers requests that name none "
                    + "(default: the embedded model, named default).")
    private List<String> models = List.of();

    @Option(
            names = "--lanes",
            paramLabel = "N",
            description = "Threads that compute, for each model (default: one a processor).")
    private @Nullable Integer lanes;

    @Option(
            names = "--memory-limit",
            paramLabel = "SIZE",
            description = "The most native memory that models and lanes may take, like 512m or 2g (default: no limit).",
            converter = MemorySizeConverter.class)
    private @Nullable MemorySize memoryLimit;

    @Mixin
    private ComputeOption computing = new ComputeOption();

    @Override
    public Integer call() throws InterruptedException {
        if (port < 0 || port > 65_535) {
            throw new CommandException("The port " + port + " is none; choose one from 0 to 65535.");
        }
        if (host.isBlank()) {
            throw new CommandException("The option --host is empty; name an address, such as 127.0.0.1 or 0.0.0.0.");
        }
        int laneCount = lanes == null ? Runtime.getRuntime().availableProcessors() : lanes;
        if (laneCount < 1 || laneCount > MAX_LANES) {
            throw new CommandException("There cannot be " + laneCount + " lanes; choose 1 to " + MAX_LANES + ".");
        }
        Compute compute = computing.compute();
        List<TextModel> loaded = new ArrayList<>();
        for (ModelOption option : ModelOption.parseAll(models)) {
            loaded.add(TextModel.load(option.name(), option.source(), compute));
        }
        checkMemory(loaded, laneCount);
        Metrics metrics = new Metrics();
        Catalogue catalogue = start(loaded, laneCount, metrics);
        // What loading left in the heap would be copied around, and keep its pages, for as long as the program serves.
        System.gc();
        HttpServer server = HttpServer.start(ServerSettings.of(host, port), catalogue, metrics);
        AtomicInteger status = new AtomicInteger();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server, catalogue, status), "gatun-drain"));
        try {
            Output.standard().line("ready " + server.address() + " " + compute.id() + " " + Kernel.cpu());
            Output.standard().flush();
        } catch (Output.OutputException e) {
            status.set(Main.FAILED);
            throw e;
        }
        new CountDownLatch(1).await(); // the process ends by a signal
        return 0;
    }

    private void checkMemory(List<TextModel> loaded, int laneCount) {
        if (memoryLimit == null) {
            return;
        }
        long needed = 0;
        for (TextModel model : loaded) {
            needed += model.kernel().bytes() + Lanes.bytes(model, LaneSettings.of(model, laneCount));
        }
        if (needed > memoryLimit.bytes()) {
            throw new CommandException("The models with " + laneCount + " lanes each need " + MemorySize.show(needed)
                    + " (" + needed + " bytes), more than the limit of " + MemorySize.show(memoryLimit.bytes())
                    + "; raise --memory-limit or lower --lanes.");
        }
    }

    private static Catalogue start(List<TextModel> loaded, int laneCount, Metrics metrics) {
        List<ServedModel> served = new ArrayList<>();
        for (TextModel model : loaded) {
            Lanes started = Lanes.start(model, LaneSettings.of(model, laneCount), metrics);
            ServedModel servedModel = new ServedModel(model, started);
            metrics.model(
                    model.name(),
                    started::queuedJobs,
                    servedModel::bytes,
                    started::busyRatio,
                    started::abandonedJobs,
                    model.loadTime());
            served.add(servedModel);
        }
        return new Catalogue(served);
    }

    /** Ends the process from within its shutdown: a signal alone would make its status 143. */
    private static void drain(HttpServer server, Catalogue catalogue, AtomicInteger status) {
        try {
            // The server first: a request that it took may not have reached the lanes yet, and they must still take it.
            server.drain();
            server.close();
            for (ServedModel model : catalogue.all()) {
                model.lanes().drain(DRAIN_TIMEOUT);
            }
        } finally {
            Runtime.getRuntime().halt(status.get());
        }
    }
}
