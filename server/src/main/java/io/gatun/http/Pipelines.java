package io.gatun.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.service.Call;
import io.gatun.service.Catalogue;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.ZeroShotClassifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** All of Hugging Face's tasks that are done here, and one of all heads at once. Thread-safe. */
public final class Pipelines {
    private final TextService service;
    /** By Hugging Face's name of the task. */
    private final Map<String, Pipeline> byTask;

    Pipelines(TextService service, TeiRoutes tei) {
        this.service = service;
        this.byTask = Map.of(
                "analyze",
                new AnalyzePipeline(service),
                "feature-extraction",
                tei::embed,
                "sentence-similarity",
                tei::similarity,
                "text-classification",
                new TextClassificationPipeline(service),
                "token-classification",
                new TokenClassificationPipeline(service),
                "zero-shot-classification",
                new ZeroShotPipeline(service),
                "fill-mask",
                new FillMaskPipeline(service),
                "question-answering",
                new QuestionAnsweringPipeline(service));
    }

    /** Those of a program that serves nobody. */
    public static Pipelines of(TextService service) {
        return new Pipelines(service, new TeiRoutes(service));
    }

    /**
     * Has a task done by the default model, as its route does.
     *
     * @param body of the request to the route
     * @return the route's answer, in JSON
     * @throws RequestException as the route would answer it; see {@link TextService} for more
     */
    public String answer(Call call, String task, ObjectNode body) throws InterruptedException {
        try {
            return new String(
                    of(Optional.empty(), task)
                            .answer(new Asked.Alone(call), Optional.empty(), new Fields(body))
                            .bytes(),
                    StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The pipeline of a task.
     *
     * @throws RequestException when no model has it; then it says which tasks the model does
     */
    Pipeline of(Optional<String> model, String task) {
        Pipeline pipeline = byTask.get(task);
        if (pipeline == null) {
            throw unsupported(model, task);
        }
        return pipeline;
    }

    private RequestException unsupported(Optional<String> name, String task) {
        try (Catalogue.Lease lease = service.catalogue().lease(name)) {
            TreeSet<String> tasks = new TreeSet<>();
            tasks.add("feature-extraction");
            tasks.add("sentence-similarity");
            List<Head> heads = lease.served().model().description().heads();
            if (heads.stream().anyMatch(ZeroShotClassifier::infers)) {
                tasks.add("zero-shot-classification");
            }
            heads.stream()
                    .map(Head::task)
                    .map(Task::id)
                    .filter(byTask::containsKey)
                    .forEach(tasks::add);
            return RequestException.validation("The task " + task + " is none that the model \""
                    + lease.served().name() + "\" is served for; it does " + String.join(", ", tasks) + ".");
        }
    }
}
