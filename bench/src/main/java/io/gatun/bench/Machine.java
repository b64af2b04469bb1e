package io.gatun.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import io.gatun.kernel.Kernel;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a measurement ran on.
 *
 * @param system operating system, architecture, cores and memory
 * @param processor its model
 * @param instructionSet the level that the kernel chose
 */
public record Machine(String system, String processor, String instructionSet) {
    /** This machine. */
    public static Machine here() {
        OperatingSystemMXBean os = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        String system = os.getName() + " " + os.getVersion() + " " + os.getArch() + ", " + os.getAvailableProcessors()
                + " cores, " + Math.round(os.getTotalMemorySize() / (double) (1 << 30)) + " GiB";
        return new Machine(system, processorModel(), Kernel.cpu());
    }

    /** Adds what is known to a report. */
    public void describe(ObjectNode json) {
        json.put("machine", system).put("processor", processor).put("instruction_set", instructionSet);
    }

    private static String processorModel() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            String known = "(vendor_id|cpu family|model|model name|stepping)\\s*:.*";
            return lines.takeWhile(line -> !line.isBlank())
                    .filter(line -> line.matches(known))
                    .sorted((a, b) -> Boolean.compare(b.startsWith("model name"), a.startsWith("model name")))
                    .map(line -> line.replaceFirst("\\s*:\\s*", " ").replaceFirst("^model name ", ""))
                    .reduce((a, b) -> a + ", " + b)
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
