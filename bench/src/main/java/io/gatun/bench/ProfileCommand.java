package io.gatun.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.Stage;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Where the time of a batch of the default model goes, stage by stage. */
@Command(
        name = "scripts/bench profile",
        description = "Tells where a batch's time goes: milliseconds and per cent of each stage, over all threads.",
        mixinStandardHelpOptions = true)
final class ProfileCommand implements Callable<Integer> {
    private static final int MAX_TOKENS = 1024;
    private static final int MAX_SEQUENCES = 16;
    private static final int LEAST_RUNS = 5;
    private static final double NANOS_PER_MILLI = 1e6;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            split = ",",
            description = "Sequences by tokens, as 1x32,8x128, or mixed (default: all that are benchmarked).")
    private List<String> wanted = List.of();

    @Option(names = "--threads", paramLabel = "N", description = "That compute a batch (default: ${DEFAULT-VALUE}).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--compute",
            paramLabel = "TYPE",
            description = "int8, f32 or bf16 (default: ${DEFAULT-VALUE}).",
            converter = ComputeConverter.class)
    private Compute compute = Compute.INT8;

    @Option(names = "--seconds", paramLabel = "S", description = "Of each shape (default: ${DEFAULT-VALUE}).")
    private double seconds = 2;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes what is printed as JSON.")
    private @Nullable Path json;

    /** A shape's profile: nanoseconds of each stage, of so many batches. */
    private record Profile(Shape shape, int batches, double millis, Map<Stage, Long> nanos) {
        double millis(Stage stage) {
            return nanos.getOrDefault(stage, 0L) / NANOS_PER_MILLI / batches;
        }

        double share(Stage stage) {
            long all = nanos.values().stream().mapToLong(Long::longValue).sum();
            return nanos.getOrDefault(stage, 0L) / (double) Math.max(1, all);
        }
    }

    public static void main(String[] args) {
        Program.run(
                "profile",
                new ProfileCommand(),
                List.of(ModelException.class, KernelException.class, IOException.class),
                args);
    }

    @Override
    public Integer call() throws IOException {
        JsonFile target = json == null ? null : JsonFile.of(json);
        if (threads < 1) {
            throw new IOException("--threads is " + threads + ", expected at least 1.");
        }
        if (!compute.joins()) {
            throw new IOException(
                    "--compute is " + compute.id() + ", whose stages ggml does not tell; choose int8, f32 or bf16.");
        }
        List<Profile> profiles = new ArrayList<>();
        try (TextModel model = TextModel.load("default", ModelSource.embedded(), compute);
                Session session = Session.open(model.kernel(), new SessionLimits(MAX_TOKENS, MAX_SEQUENCES, threads));
                Companions companions = new Companions(session, threads - 1)) {
            companions.wake();
            for (Shape shape :
                    Shape.all(text -> model.tokenizer().encode(text, true).ids())) {
                if (wanted.isEmpty() || wanted.contains(shape.name())) {
                    profiles.add(measure(session, shape));
                }
            }
        }
        if (profiles.isEmpty()) {
            throw new IOException("No shape is called " + String.join(" or ", wanted) + ".");
        }
        profiles.forEach(this::print);
        if (target != null) {
            target.write(json(profiles));
        }
        return 0;
    }

    private Profile measure(Session session, Shape shape) {
        session.batch().clear();
        shape.sequences().forEach(ids -> session.batch().add(ids, null, 1, false));
        for (int i = 0; i < LEAST_RUNS; i++) {
            session.run(threads);
        }
        session.profile();
        long start = System.nanoTime();
        int batches = 0;
        long spent = 0;
        while (batches < LEAST_RUNS || spent < seconds * 1e9) {
            session.run(threads);
            batches++;
            spent = System.nanoTime() - start;
        }
        return new Profile(shape, batches, spent / NANOS_PER_MILLI / batches, session.profile());
    }

    private void print(Profile profile) {
        System.out.printf(
                Locale.ROOT,
                "%s, %s, %d threads: %.3f ms a batch, mean of %d%n",
                profile.shape.name(),
                compute.id(),
                threads,
                profile.millis,
                profile.batches);
        for (Stage stage : Stage.values()) {
            System.out.printf(
                    Locale.ROOT,
                    "  %-10s %9.3f ms %6.1f %%%n",
                    stage.id(),
                    profile.millis(stage),
                    100 * profile.share(stage));
        }
    }

    private ObjectNode json(List<Profile> profiles) {
        ObjectNode node = JsonFile.begin(Map.of(), threads);
        node.put("compute", compute.id());
        ArrayNode list = node.putArray("profiles");
        for (Profile profile : profiles) {
            ObjectNode entry = list.addObject()
                    .put("shape", profile.shape.name())
                    .put("batches", profile.batches)
                    .put("ms", profile.millis);
            ObjectNode stages = entry.putObject("stages");
            for (Stage stage : Stage.values()) {
                stages.putObject(stage.id()).put("ms", profile.millis(stage)).put("share", profile.share(stage));
            }
        }
        return node;
    }
}
