package io.gatun.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.Head;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What it costs to ask all heads of the default model at once, beside each alone. Before anything is timed, all at once
 * must give the bits that each gives alone.
 */
@Command(
        name = "scripts/bench heads",
        description = "Times each head alone and all at once, and tells how much dearer all are than the dearest.",
        mixinStandardHelpOptions = true)
final class HeadsCommand implements Callable<Integer> {
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int WARM_UP_ROUNDS = 5;
    private static final int LEAST_ROUNDS = 9;
    /** Batches of one timing: its figure is their median. */
    private static final int BATCHES = 15;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            description = "Sequences by tokens, as 1x32,8x128, or mixed (default: ${DEFAULT-VALUE}).")
    private String wanted = "1x64";

    @Option(names = "--threads", paramLabel = "N", description = "That compute a batch (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(
            names = "--compute",
            paramLabel = "TYPE",
            description = "int8, f32 or bf16 (default: ${DEFAULT-VALUE}).",
            converter = ComputeConverter.class)
    private Compute compute = Compute.INT8;

    @Option(names = "--seconds", paramLabel = "S", description = "Of all timings together (default: ${DEFAULT-VALUE}).")
    private double seconds = 10;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes what is printed as JSON.")
    private @Nullable Path json;

    /** Heads that are asked for together, and what that took, one figure a round: milliseconds. */
    private record Timed(String name, int heads, List<Double> millis) {
        double median() {
            return quantile(millis, 0.5);
        }
    }

    public static void main(String[] args) {
        Program.run(
                "heads",
                new HeadsCommand(),
                List.of(ModelException.class, KernelException.class, IOException.class),
                args);
    }

    @Override
    public Integer call() throws IOException {
        JsonFile target = json == null ? null : JsonFile.of(json);
        if (threads < 1) {
            throw new IOException("--threads is " + threads + ", expected at least 1.");
        }
        try (TextModel model = TextModel.load("default", ModelSource.embedded(), compute);
                Session session = Session.open(model.kernel(), new SessionLimits(1024, 16, threads));
                Companions companions = new Companions(session, compute.joins() ? threads - 1 : 0)) {
            Shape shape = Shape.all(text -> model.tokenizer().encode(text, true).ids()).stream()
                    .filter(each -> each.name().equals(wanted))
                    .findFirst()
                    .orElseThrow(() -> new IOException("No shape is called " + wanted + "."));
            List<Timed> timed = questions(model.description().heads());
            checkBits(session, shape, model.description().heads());
            companions.wake();
            measure(session, shape, timed);
            ObjectNode report = report(timed);
            if (target != null) {
                target.write(report);
            }
        }
        return 0;
    }

    /** Each head alone; all of them last. */
    private static List<Timed> questions(List<Head> heads) {
        List<Timed> questions = new ArrayList<>();
        int all = 0;
        for (Head head : heads) {
            questions.add(new Timed(head.name(), 1 << head.index(), new ArrayList<>()));
            all |= 1 << head.index();
        }
        questions.add(new Timed("all", all, new ArrayList<>()));
        return questions;
    }

    private static void ask(Session session, Shape shape, int heads) {
        session.batch().clear();
        shape.sequences().forEach(ids -> session.batch().add(ids, null, heads, false));
    }

    private static void checkBits(Session session, Shape shape, List<Head> heads) {
        int all = heads.stream().mapToInt(head -> 1 << head.index()).sum();
        ask(session, shape, all);
        session.run();
        List<float[]> together = IntStream.range(0, shape.sequences().size())
                .boxed()
                .flatMap(s -> heads.stream().map(head -> session.logits(s, head.index())))
                .toList();
        for (Head head : heads) {
            ask(session, shape, 1 << head.index());
            session.run();
            for (int s = 0; s < shape.sequences().size(); s++) {
                float[] alone = session.logits(s, head.index());
                if (!Arrays.equals(alone, together.get(s * heads.size() + head.index()))) {
                    throw new IllegalStateException("the head " + head.name() + " differs beside others");
                }
            }
        }
    }

    /** Rounds of every question in turn, so that what disturbs the machine disturbs all alike. */
    private void measure(Session session, Shape shape, List<Timed> timed) {
        long start = 0;
        for (int round = -WARM_UP_ROUNDS; round < LEAST_ROUNDS || System.nanoTime() - start < seconds * 1e9; round++) {
            if (round == 0) {
                start = System.nanoTime();
            }
            for (Timed each : timed) {
                double millis = time(session, shape, each.heads);
                if (round >= 0) {
                    each.millis.add(millis);
                }
            }
        }
    }

    private double time(Session session, Shape shape, int heads) {
        ask(session, shape, heads);
        session.run(threads);
        List<Double> nanos = new ArrayList<>();
        for (int i = 0; i < BATCHES; i++) {
            long start = System.nanoTime();
            session.run(threads);
            nanos.add((double) (System.nanoTime() - start));
        }
        return quantile(nanos, 0.5) / NANOS_PER_MILLI;
    }

    private ObjectNode report(List<Timed> timed) {
        Timed all = timed.getLast();
        Timed dearest = timed.subList(0, timed.size() - 1).stream()
                .max(Comparator.comparingDouble(Timed::median))
                .orElseThrow();
        List<Double> ratios = IntStream.range(0, all.millis.size())
                .mapToObj(round -> all.millis.get(round) / dearest.millis.get(round))
                .toList();
        System.out.printf(
                Locale.ROOT,
                "%s, %s, %d threads, %d rounds: median (quartiles)%n",
                wanted,
                compute.id(),
                threads,
                ratios.size());
        ObjectNode node = JsonFile.begin(Map.of(), threads)
                .put("shape", wanted)
                .put("compute", compute.id())
                .put("rounds", ratios.size());
        ObjectNode heads = node.putObject("ms");
        for (Timed each : timed) {
            print(each.name, each.millis, "ms");
            put(heads.putObject(each.name), each.millis);
        }
        print("all / " + dearest.name, ratios, "");
        put(node.putObject("ratio").put("dearest", dearest.name), ratios);
        return node;
    }

    private static void print(String name, List<Double> values, String unit) {
        System.out.printf(
                Locale.ROOT,
                "  %-20s %7.3f %-2s (%.3f to %.3f)%n",
                name,
                quantile(values, 0.5),
                unit,
                quantile(values, 0.25),
                quantile(values, 0.75));
    }

    private static void put(ObjectNode node, List<Double> values) {
        node.put("median", quantile(values, 0.5))
                .put("lowerQuartile", quantile(values, 0.25))
                .put("upperQuartile", quantile(values, 0.75));
    }

    private static double quantile(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.round(share * (sorted.size() - 1)));
    }
}
