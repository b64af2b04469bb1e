package io.gatun.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Answers questions from passages, without a server. */
@Command(
        name = "qa",
        description = "Answers questions from a passage: one line of JSON a question, the answer with its place.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class QaCommand implements Callable<Integer> {
    @Mixin
    private BulkOptions bulk = new BulkOptions();

    @Option(names = "--context", paramLabel = "FILE", description = "The passage; the texts are then questions.")
    private @Nullable String context;

    @Option(names = "--question", paramLabel = "TEXT", description = "The question; the texts are then passages.")
    private @Nullable String question;

    @Option(names = "--top-k", paramLabel = "N", description = "How many answers are wanted (default: 1).")
    private @Nullable Integer topK;

    @Option(names = "--no-answer", description = "Lets the passage hold no answer: an empty one may be the best.")
    private boolean impossible;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode fields = bulk.fields();
        ObjectNode parameters = fields.putObject("parameters");
        if (topK != null) {
            parameters.put("top_k", topK);
        }
        if (impossible) {
            parameters.put("handle_impossible_answer", true);
        }
        return TaskRun.run(bulk, "question-answering", fields, inputs());
    }

    private BiConsumer<String, ObjectNode> inputs() {
        if (bulk.json()) {
            return (text, body) -> {};
        }
        if (question != null && context == null) {
            String asked = question;
            return (text, body) ->
                    body.putObject("inputs").put("question", asked).put("context", text);
        }
        if (context != null && question == null) {
            String passage = passage(ModelOption.path(context));
            return (text, body) ->
                    body.putObject("inputs").put("question", text).put("context", passage);
        }
        throw new ParameterException(
                spec.commandLine(), "Name either --context FILE or --question TEXT, or pass --json");
    }

    private static String passage(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new CommandException("The file " + file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }
}
