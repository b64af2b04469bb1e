package io.gatun.bench.soak;

import io.gatun.bench.load.LoadException;
import io.gatun.bench.load.ServerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Mixed traffic for a long time, against a Gatun of its own. */
@Command(
        name = "scripts/bench soak",
        description = "Asks a Gatun that it starts over HTTP and gRPC, with hang-ups, bad and oversize requests,"
                + " deadlines and reloads, and fails when an answer changes or anything grows.",
        mixinStandardHelpOptions = true)
final class SoakCommand implements Callable<Integer> {
    private static final String RELOADED = "reloaded";
    private static final int FAILED = 1;
    private static final double MS_A_MINUTE = 60_000;

    @Option(names = "--minutes", paramLabel = "N", description = "How long (default: ${DEFAULT-VALUE}).")
    private double minutes = 2;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A GGUF file that is loaded beside the default model, unloaded and loaded again (default: the"
                    + " default model once more).")
    private @Nullable Path model;

    @Option(names = "--seed", paramLabel = "N", description = "Of what clients do (default: another each time).")
    private @Nullable Long seed;

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new SoakCommand());
        command.setExecutionExceptionHandler((e, _, _) -> {
            if (e instanceof LoadException || e instanceof IOException) {
                say(e.getMessage() == null ? e.toString() : e.getMessage());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        long used = seed == null ? new Random().nextInt(Integer.MAX_VALUE) : seed;
        say("seed " + used);
        String embedded = System.getProperty("gatun.default-model", "");
        List<String> command = List.of(
                ServerProcess.path("scripts/gatun"),
                "serve",
                "--port",
                "0",
                "--grpc-port",
                "0",
                "--model",
                "default=" + embedded,
                "--model",
                RELOADED + "=" + (model == null ? embedded : callers(model)));
        ServerProcess server = ServerProcess.start("gatun", "", command);
        List<String> faults;
        int status;
        try {
            faults = new Soak(server, RELOADED, used, SoakCommand::say)
                    .run(Duration.ofMillis((long) (minutes * MS_A_MINUTE)));
        } finally {
            status = server.end();
        }
        faults.forEach(System.out::println);
        if (status != 0) {
            System.out.println("The server ended with status " + status + ".");
        }
        if (!faults.isEmpty() || status != 0) {
            return FAILED;
        }
        System.out.println("Every answer was the same bits, and nothing grew.");
        return 0;
    }

    /** A file that the user names is looked for where the user is. */
    private static Path callers(Path file) {
        return Path.of(System.getProperty("gatun.bench.folder", ""))
                .resolve(file)
                .toAbsolutePath();
    }

    private static void say(String what) {
        System.err.println("soak: " + what);
    }
}
