package io.gatun;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows point one way: kernel ← text, model ← task, batch ← metrics ← service ← inference ← http, grpc ← cli. */
final class ArchitectureTest {
    private static JavaClasses gatun = new ClassFileImporter().importClasses();

    @BeforeAll
    static void read() {
        gatun = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.gatun");
        assertThat(gatun).hasSizeGreaterThan(30);
    }

    @Test
    void dataFlowsOneWay() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("kernel")
                .definedBy("io.gatun.kernel..")
                .layer("text")
                .definedBy("io.gatun.text..")
                .layer("model")
                .definedBy("io.gatun.model..")
                .layer("task")
                .definedBy("io.gatun.task..")
                .layer("batch")
                .definedBy("io.gatun.batch..")
                .layer("metrics")
                .definedBy("io.gatun.metrics..")
                .layer("service")
                .definedBy("io.gatun.service..")
                .layer("inference")
                .definedBy("io.gatun.inference..")
                .layer("edge")
                .definedBy("io.gatun.edge..")
                .layer("telemetry")
                .definedBy("io.gatun.telemetry..")
                .layer("http")
                .definedBy("io.gatun.http..")
                .layer("grpc")
                .definedBy("io.gatun.grpc..")
                .layer("cli")
                .definedBy("io.gatun.cli..")
                .whereLayer("cli")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("http")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("grpc")
                .mayOnlyBeAccessedByLayers("cli")
                .whereLayer("edge")
                .mayOnlyBeAccessedByLayers("http", "grpc", "cli")
                .whereLayer("telemetry")
                .mayOnlyBeAccessedByLayers("http", "grpc", "cli")
                .whereLayer("inference")
                .mayOnlyBeAccessedByLayers("http", "grpc", "cli")
                .whereLayer("service")
                .mayOnlyBeAccessedByLayers("inference", "telemetry", "http", "grpc", "cli")
                .whereLayer("metrics")
                .mayOnlyBeAccessedByLayers("service", "inference", "http", "grpc", "cli")
                .whereLayer("batch")
                .mayOnlyBeAccessedByLayers("metrics", "service", "inference", "http", "grpc", "cli")
                .whereLayer("task")
                .mayOnlyBeAccessedByLayers("service", "inference", "http", "grpc", "cli")
                .whereLayer("model")
                .mayOnlyBeAccessedByLayers("task", "batch", "metrics", "service", "inference", "http", "grpc", "cli")
                .whereLayer("text")
                .mayOnlyBeAccessedByLayers("model", "task", "batch", "service", "inference", "http", "grpc", "cli")
                .whereLayer("kernel")
                .mayOnlyBeAccessedByLayers("model", "batch", "metrics", "service", "inference", "http", "grpc", "cli")
                .check(gatun);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.gatun.(*)..").should().beFreeOfCycles().check(gatun);
    }

    @Test
    void onlyTheDoorsKnowHttp() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.gatun.http..", "io.gatun.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.helidon..", "java.net.http..")
                .check(gatun);
    }

    @Test
    void onlyTheDoorKnowsGrpc() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.gatun.grpc..", "io.gatun.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.grpc..", "io.netty..", "com.google.protobuf..")
                .check(gatun);
    }

    @Test
    void generatedBindingsStayInTheKernelPackage() {
        classes()
                .that()
                .resideInAPackage("io.gatun.kernel.generated..")
                .should()
                .onlyHaveDependentClassesThat()
                .resideInAnyPackage("io.gatun.kernel", "io.gatun.kernel.generated..")
                .check(gatun);
    }

    @Test
    void nothingIsNamedForNothing() {
        noClasses()
                .should()
                .haveNameMatching(".*(Manager|Helper|Util|Utils|Impl)")
                .check(gatun);
    }
}
