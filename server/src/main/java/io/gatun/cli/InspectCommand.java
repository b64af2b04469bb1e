package io.gatun.cli;

import io.gatun.kernel.Compute;
import io.gatun.kernel.InstructionSet;
import io.gatun.kernel.Kernel;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Model;
import io.gatun.kernel.TensorType;
import io.gatun.model.GgufFile;
import io.gatun.model.Head;
import io.gatun.model.ModelDescription;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.Task;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what a model file holds, or what the kernel computes with. */
@Command(
        name = "inspect",
        description =
                "Says what a GGUF file holds: architecture, sizes, heads, labels, types, bytes; or what the kernel "
                        + "computes with.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class InspectCommand implements Callable<Integer> {
    /** One of the two. */
    static final class Subject {
        @Parameters(index = "0", paramLabel = "FILE", description = "The file.")
        private String file = "";

        @Option(
                names = "--cpu",
                description =
                        "Instead of a file: the instruction sets that this build has code for, which of them this "
                                + "processor has, and which is in use.")
        private boolean cpu;
    }

    @ArgGroup(multiplicity = "1")
    private Subject subject = new Subject();

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    @Override
    public Integer call() {
        Output out = Output.standard();
        if (subject.cpu) {
            List<InstructionSet> sets = Kernel.instructionSets();
            if (json) {
                out.line(CpuJson.write(sets));
            } else {
                sets.forEach(set -> row(out, set.name(), describe(set)));
            }
            return 0;
        }
        ModelDescription model = describe(ModelSource.file(ModelOption.path(subject.file)));
        if (json) {
            out.line(ModelJson.write(model));
        } else {
            print(model, out);
        }
        return 0;
    }

    private static String describe(InstructionSet set) {
        String state = set.inUse() ? "in use" : set.supported() ? "supported" : "not supported";
        return state + (set.bf16() ? ", multiplies bf16" : "");
    }

    /** The kernel checks the file too: what it would not run is not described as if it did. */
    private static ModelDescription describe(ModelSource source) {
        Kernel.load();
        return source.read(image -> {
            try {
                Model.check(image, Compute.INT8);
                return ModelDescription.of(GgufFile.parse(image));
            } catch (KernelException | ModelException e) {
                throw new ModelException("The file " + source + " is no model for Gatun: " + e.getMessage(), e);
            }
        });
    }

    private static void print(ModelDescription model, Output out) {
        row(out, "architecture", model.architecture());
        row(out, "name", model.name().isEmpty() ? "-" : model.name());
        row(out, "bytes", grouped(model.bytes()));
        row(out, "parameters", grouped(model.parameters()));
        row(out, "vocabulary", grouped(model.vocabularySize()));
        row(out, "context", grouped(model.contextLength()));
        row(out, "embedding", grouped(model.embeddingLength()));
        row(out, "layers", grouped(model.layerCount()));
        row(out, "attention heads", grouped(model.attentionHeadCount()));
        row(out, "feed-forward", grouped(model.feedForwardLength()));
        row(out, "token types", grouped(model.tokenTypeCount()));
        for (Map.Entry<TensorType, Long> type : model.typeBytes().entrySet()) {
            row(out, "bytes in " + type.getKey().name().toLowerCase(Locale.ROOT), grouped(type.getValue()));
        }
        if (model.heads().isEmpty()) {
            row(out, "heads", "none");
        }
        for (Head head : model.heads()) {
            print(head, out);
        }
    }

    private static void print(Head head, Output out) {
        row(out, "head", head.name());
        boolean text = head.task() == Task.TEXT_CLASSIFICATION;
        row(out, "  task", head.task().id() + (text ? ", " + head.problemType().id() : ""));
        row(out, "  activation", head.activation());
        row(
                out,
                "  layers",
                String.join(", ", head.layers().stream().map(String::valueOf).toList()));
        head.threshold().ifPresent(threshold -> row(out, "  threshold", String.valueOf((float) threshold)));
        if (head.labels().isEmpty()) {
            return;
        }
        row(out, "  labels", head.labels().size() + ": " + String.join(", ", head.labels()));
    }

    /** Control characters of a file's own texts do not reach the terminal. */
    private static void row(Output out, String name, String value) {
        out.line(String.format(Locale.ROOT, "%-18s%s", name, value.replaceAll("\\p{Cntrl}", "?")));
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
