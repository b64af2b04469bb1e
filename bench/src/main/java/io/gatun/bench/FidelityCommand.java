package io.gatun.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.Head;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.text.TruncationDirection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How far model files answer as the fp32 weights do that they were made from, and how well. */
@Command(
        name = "scripts/bench fidelity",
        description = "Compares model files with the fp32 logits of reference texts, and with labels.",
        mixinStandardHelpOptions = true)
final class FidelityCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ROW = "%-24s %-12s %16s %9s %12s%n";

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A GGUF file; may be given again (default: the embedded model).")
    private List<Path> models = List.of();

    @Option(
            names = "--reference",
            paramLabel = "FILE",
            description = "Lines of JSON with ids and, by head, fp32 logits (default: the default model's 336 texts).")
    private Path reference = Path.of("server/src/test/resources/io/gatun/model/reference.jsonl");

    @Option(names = "--tsv", paramLabel = "FILE", description = "Lines of a text, a tab and the label it should get.")
    private @Nullable Path labelled;

    @Option(
            names = "--compute",
            paramLabel = "TYPE",
            description = "int8, f32, bf16 or ggml (default: ${DEFAULT-VALUE}).",
            converter = ComputeConverter.class)
    private Compute compute = Compute.INT8;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes what is printed as JSON.")
    private @Nullable Path json;

    @Option(names = "--head", paramLabel = "NAME", description = "The head that answers --tsv (default: the first).")
    private @Nullable String headName;

    private final ObjectNode report = JSON.createObjectNode();
    private final ArrayNode rows = report.putArray("rows");

    public static void main(String[] args) {
        Program.run(
                "fidelity",
                new FidelityCommand(),
                List.of(ModelException.class, KernelException.class, IllegalArgumentException.class, IOException.class),
                args);
    }

    @Override
    public Integer call() throws IOException {
        JsonFile target = json == null ? null : JsonFile.of(json);
        System.out.printf(Locale.ROOT, ROW, "model", "head", "same as fp32", "", "largest diff");
        List<ModelSource> sources = models.isEmpty()
                ? List.of(ModelSource.embedded())
                : models.stream().map(ModelSource::file).toList();
        for (ModelSource source : sources) {
            try (TextModel model = TextModel.load("model", source, compute);
                    Session session = Session.open(model.kernel(), new SessionLimits(model.maxTokens(), 1))) {
                String name = models.isEmpty()
                        ? "embedded"
                        : String.valueOf(Path.of(source.toString()).getFileName());
                compare(name, model, session);
                if (labelled != null) {
                    score(name, model, session, labelled);
                }
            }
        }
        if (target != null) {
            target.write(
                    JsonFile.begin(Map.of(), 1).put("compute", compute.id()).setAll(report));
        }
        return 0;
    }

    /** Counts the texts, or tokens, whose largest logit is that of the reference. */
    private void compare(String name, TextModel model, Session session) throws IOException {
        List<Head> heads = model.description().heads();
        int[] same = new int[heads.size()];
        int[] all = new int[heads.size()];
        float[] largest = new float[heads.size()];
        for (String line : Files.readAllLines(reference)) {
            JsonNode row = JSON.readTree(line);
            run(session, JSON.treeToValue(row.get("ids"), int[].class), -1 >>> (Integer.SIZE - heads.size()));
            for (Head head : heads) {
                float[] logits = session.logits(0, head.index());
                float[] expected = JSON.treeToValue(row.get(head.name()), float[].class);
                if (expected == null || logits.length != expected.length) {
                    throw new IllegalArgumentException(reference + " has no logits of the head " + head.name());
                }
                int labels = head.labels().size();
                for (int i = 0; i < logits.length; i++) {
                    largest[head.index()] = Math.max(largest[head.index()], Math.abs(logits[i] - expected[i]));
                }
                for (int start = 0; start < logits.length; start += labels) {
                    all[head.index()]++;
                    same[head.index()] += best(logits, start, labels) == best(expected, start, labels) ? 1 : 0;
                }
            }
        }
        for (Head head : heads) {
            int i = head.index();
            String counted = same[i] + " of " + all[i];
            print(name, head.name(), counted, same[i], all[i], String.format(Locale.ROOT, "%.4f", largest[i]));
        }
    }

    /** Counts the texts that get their label. */
    private void score(String name, TextModel model, Session session, Path file) throws IOException {
        Head head = headName == null
                ? model.defaultHead(Task.TEXT_CLASSIFICATION)
                : model.head(headName).orElseThrow(() -> new IllegalArgumentException("no head " + headName));
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        lines.removeIf(line -> line.isBlank() || line.indexOf('\t') < 0);
        int right = 0;
        for (String line : lines) {
            int tab = line.lastIndexOf('\t');
            int[] ids = model.tokenizer()
                    .encode(line.substring(0, tab), true)
                    .truncate(model.maxTokens(), TruncationDirection.RIGHT)
                    .ids();
            run(session, ids, 1 << head.index());
            float[] logits = session.logits(0, head.index());
            String label = head.labels().get(best(logits, 0, logits.length));
            right += label.equals(line.substring(tab + 1).strip()) ? 1 : 0;
        }
        print(name, head.name(), right + " right of " + lines.size(), right, lines.size(), "");
    }

    private static void run(Session session, int[] ids, int heads) {
        session.batch().clear();
        session.batch().add(ids, null, heads, false);
        session.run();
    }

    private void print(String name, String head, String counted, int part, int whole, String difference) {
        String share = String.format(Locale.ROOT, "%.2f %%", 100.0 * part / Math.max(1, whole));
        System.out.printf(Locale.ROOT, ROW, name, head, counted, share, difference);
        rows.addObject()
                .put("model", name)
                .put("head", head)
                .put("counted", counted)
                .put("same", part)
                .put("of", whole)
                .put("largest_difference", difference);
    }

    private static int best(float[] values, int start, int count) {
        int best = start;
        for (int i = start; i < start + count; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best - start;
    }
}
