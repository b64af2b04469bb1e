package io.gatun.cli;

import io.gatun.kernel.KernelException;
import io.gatun.model.ModelException;
import io.gatun.text.TokenizerException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The program. Exit status 0: done; 2: it was not, and one sentence on standard error says why. */
public final class Main {
    static final int FAILED = 2;

    private Main() {}

    public static void main(String[] args) {
        int status;
        try {
            status = run(List.of(args));
        } catch (Throwable e) {
            status = report(e);
        }
        System.exit(status);
    }

    private static int run(List<String> args) {
        // Help and version pass through standard output's only writer, in its encoding.
        StringWriter out = new StringWriter();
        CommandLine command = new CommandLine(new GatunCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // a text may start with @
                .setOut(new PrintWriter(out))
                .setParameterExceptionHandler((e, ignored) -> report(e))
                .setExecutionExceptionHandler((e, ignored, parsed) -> report(e));
        command.setUsageHelpAutoWidth(false);
        int status = command.execute(args.toArray(String[]::new));
        command.getOut().flush();
        if (!out.toString().isEmpty()) {
            Output.standard().line(out.toString().stripTrailing());
        }
        try {
            Output.standard().flush();
        } catch (Output.OutputException e) {
            // One sentence has been said already.
            if (status == 0) {
                throw e;
            }
        }
        return status;
    }

    /** Says in one line what went wrong. */
    private static int report(Throwable failure) {
        if (failure instanceof Output.OutputException output && output.closed()) {
            return 0;
        }
        System.err.println("gatun: " + sentence(failure));
        if ("1".equals(System.getenv("GATUN_DEBUG"))) {
            failure.printStackTrace();
        }
        return FAILED;
    }

    private static String sentence(Throwable failure) {
        @Nullable String message = failure.getMessage();
        String said = message == null || message.isBlank() ? failure.getClass().getSimpleName() : message;
        String text = switch (failure) {
            case ParameterException e ->
                unpunctuated(said) + "; see "
                        + e.getCommandLine().getCommandSpec().qualifiedName() + " --help";
            case OutOfMemoryError _ ->
                "There is too little memory for Java (" + unpunctuated(said) + "); set GATUN_JAVA_OPTIONS=-Xmx1g";
            case CommandException _, ModelException _, TokenizerException _, KernelException _ -> said;
            case Output.OutputException _ -> said;
            default ->
                isForUsers(failure) ? said : "Unexpected " + failure.getClass().getSimpleName() + ": " + said;
        };
        return unpunctuated(text.strip().replaceAll("\\s*\\R\\s*", " ")) + ".";
    }

    /** The doors' own exceptions are named and not imported: a command that opens no door need not load them. */
    private static boolean isForUsers(Throwable failure) {
        return List.of(
                        "io.gatun.edge.ListenException",
                        "io.gatun.edge.EdgeException",
                        "io.gatun.telemetry.TelemetryException")
                .contains(failure.getClass().getName());
    }

    private static String unpunctuated(String text) {
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }
}
