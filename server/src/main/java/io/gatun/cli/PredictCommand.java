package io.gatun.cli;

import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Classifies texts without a server. */
@Command(
        name = "predict",
        description = "Classifies texts: one line of JSON a text, all labels, the best first.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class PredictCommand implements Callable<Integer> {
    @Option(names = "--model", paramLabel = "PATH", description = "A GGUF file (default: the embedded model).")
    private @Nullable String path;

    @Option(
            names = "--head",
            paramLabel = "NAME",
            description = "The head that answers (default: the first that classifies texts).")
    private @Nullable String headName;

    @Option(names = "--raw", description = "Logits instead of scores.")
    private boolean raw;

    @Option(names = "--truncate", description = "Cut a text that is too long instead of refusing it.")
    private boolean truncate;

    @Mixin
    private ComputeOption computing = new ComputeOption();

    @Parameters(
            paramLabel = "TEXT",
            arity = "0..*",
            description = "The texts; '-', or none: the lines of standard input, in UTF-8.")
    private List<String> texts = List.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        Predictor.Source source = source();
        ModelOption option = path == null ? ModelOption.embedded() : ModelOption.parse("model=" + path);
        try (TextModel model = TextModel.load(option.name(), option.source(), computing.compute())) {
            Predictor.Settings settings = new Predictor.Settings(head(model), raw, truncate);
            LaneSettings limits = LaneSettings.of(model, Runtime.getRuntime().availableProcessors());
            try (Lanes lanes = Lanes.start(model, limits, (sequences, tokens) -> {})) {
                new Predictor(model, lanes, settings).run(source, Output.standard());
            }
        }
        return 0;
    }

    private boolean readsInput() {
        return texts.isEmpty() || texts.equals(List.of("-"));
    }

    private Predictor.Source source() {
        if (!readsInput()) {
            return new Arguments(texts);
        }
        if (texts.isEmpty() && Terminal.interactive()) {
            throw new ParameterException(spec.commandLine(), "A text is missing; name one, or '-' for standard input");
        }
        LineReader lines = new LineReader(System.in);
        return () -> {
            String line = lines.next();
            return line == null ? null : new Predictor.Text(line, "Line " + lines.number() + " of standard input");
        };
    }

    private Head head(TextModel model) {
        if (model.description().heads().isEmpty()) {
            throw new CommandException("The model has no head, so it predicts nothing.");
        }
        Optional<Head> head =
                headName == null ? Optional.of(model.defaultHead(Task.TEXT_CLASSIFICATION)) : model.head(headName);
        List<String> fitting = model.description().heads().stream()
                .filter(h -> h.task() == Task.TEXT_CLASSIFICATION)
                .map(Head::name)
                .toList();
        String choice = fitting.isEmpty()
                ? "it has none that classifies texts."
                : "these classify texts: " + String.join(", ", fitting) + ".";
        if (head.isEmpty()) {
            throw new CommandException("The model has no head '" + headName + "'; " + choice);
        }
        if (head.get().task() != Task.TEXT_CLASSIFICATION) {
            throw new CommandException("The head '" + head.get().name() + "' answers tokens and not texts; " + choice);
        }
        return head.get();
    }

    /** The texts of the command line, in order. */
    private static final class Arguments implements Predictor.Source {
        private final List<String> texts;
        private int next;

        Arguments(List<String> texts) {
            this.texts = texts;
        }

        @Override
        public Predictor.@Nullable Text next() {
            if (next == texts.size()) {
                return null;
            }
            String text = texts.get(next++);
            return new Predictor.Text(text, "Text " + next);
        }
    }
}
