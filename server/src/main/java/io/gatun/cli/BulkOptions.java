package io.gatun.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What all commands have that answer texts without a server: the model, and where the texts come from. */
final class BulkOptions {
    @Option(names = "--model", paramLabel = "PATH", description = "A GGUF file (default: the embedded model).")
    private @Nullable String path;

    @Option(
            names = "--head",
            paramLabel = "NAME",
            description = "The head that answers (default: the model's first of this task).")
    private @Nullable String head;

    @Option(names = "--truncate", description = "Cut a text that is too long instead of refusing it.")
    private boolean truncate;

    @Option(
            names = "--input",
            paramLabel = "FILE",
            description = "Reads the texts from this file, one a line, in UTF-8.")
    private @Nullable String input;

    @Option(
            names = "--json",
            description = "Each line is an object as the task's route takes it, such as {\"inputs\": \"a text\"}.")
    private boolean json;

    @Mixin
    private ComputeOption computing = new ComputeOption();

    @Parameters(
            paramLabel = "TEXT",
            arity = "0..*",
            description = "The texts; '-', or none: the lines of standard input, in UTF-8.")
    private List<String> texts = List.of();

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    ModelOption model() {
        return path == null ? ModelOption.embedded() : ModelOption.parse("model=" + path);
    }

    ComputeOption computing() {
        return computing;
    }

    /** Whether each line is an object. */
    boolean json() {
        return json;
    }

    /** What the options say of every text: fields of a request's body beside its inputs. */
    ObjectNode fields() {
        ObjectNode fields = JsonNodeFactory.instance.objectNode();
        if (head != null) {
            fields.put("head", head);
        }
        if (truncate) {
            fields.put("truncate", true);
        }
        return fields;
    }

    /** Opens the texts. Whoever gets the source closes it. */
    Source source() {
        if (input != null) {
            if (!texts.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "Texts come from --input or from the command line");
            }
            try {
                FileInputStream stream =
                        new FileInputStream(ModelOption.path(input).toFile());
                return new Source.Lines(stream, stream.getChannel().size(), input);
            } catch (IOException e) {
                throw new CommandException("The file " + input + " cannot be read: " + e.getMessage() + ".", e);
            }
        }
        if (!texts.isEmpty() && !texts.equals(List.of("-"))) {
            return new Source.Arguments(texts);
        }
        if (texts.isEmpty() && Terminal.interactive()) {
            throw new ParameterException(spec.commandLine(), "A text is missing; name one, or '-' for standard input");
        }
        return new Source.Lines(System.in, -1, "standard input");
    }
}
