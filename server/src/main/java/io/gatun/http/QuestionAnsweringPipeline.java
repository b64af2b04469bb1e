package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.AnswerOptions;
import io.gatun.service.ErrorType;
import io.gatun.service.Question;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.task.AnswerSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Hugging Face's pipeline {@code question-answering}, with our {@code head}, and {@code history} of a conversation.
 *
 * <p>As there, one question is answered with an object or, if there are several answers, with a list, and several
 * questions with a list of such. Its {@code max_question_len} is passed over, as it is there with the tokenizers that
 * are used here: a question is never cut.
 */
final class QuestionAnsweringPipeline implements Pipeline {
    private static final String EXAMPLE =
            "{\"inputs\": {\"question\": \"Who built it?\", \"context\": \"Anna built it.\"}}";
    /** What an answer takes of the heap, as an object and as text. */
    private static final long HEAP_PER_ANSWER = 256;

    private final TextService service;

    QuestionAnsweringPipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields parameters = fields.object("parameters");
        List<List<AnswerSpan>> answers = service.questions()
                .answers(
                        asked.call(), model, fields.pipelineHead(), questions(fields, parameters), options(parameters));
        asked.reserve(HEAP_PER_ANSWER * answers.stream().mapToLong(List::size).sum());
        return Reply.largeJson(Json.answers(answers.size() > 1, answers, AnswerSpan::write));
    }

    private static AnswerOptions options(Fields parameters) {
        return AnswerOptions.of(
                parameters.integer(parameters.has("top_k") ? "top_k" : "topk"),
                parameters.integer("max_answer_len"),
                parameters.flag("handle_impossible_answer", false),
                parameters.flag("align_to_words", true),
                parameters.integer("max_seq_len"),
                parameters.integer("doc_stride"),
                parameters.integer("max_history_tokens"));
    }

    private static List<Question> questions(Fields fields, Fields parameters) {
        JsonNode inputs = fields.required("inputs", EXAMPLE);
        if (inputs.isObject()) {
            return ofObject(fields.object("inputs"), parameters);
        }
        if (!inputs.isArray()) {
            throw RequestException.validation(
                    "The field \"inputs\" must be an object with a question and a context, or a list of such, not "
                            + Fields.kind(inputs) + "; send " + EXAMPLE + ".");
        }
        List<Question> questions = new ArrayList<>();
        for (Fields each : fields.objects("inputs")) {
            String place = "inputs[" + questions.size() + "]: ";
            questions.add(new Question(
                    text(each, "question", place), text(each, "context", place), history(each, parameters)));
        }
        if (questions.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "The list \"inputs\" is empty; send at least one question.");
        }
        return questions;
    }

    private static String text(Fields fields, String name, String place) {
        JsonNode node = fields.required(name, EXAMPLE);
        if (!node.isTextual()) {
            throw RequestException.validation(
                    place + "the " + name + " must be a text, not " + Fields.kind(node) + "; send " + EXAMPLE + ".");
        }
        return node.textValue();
    }

    /** A question or a list of them, over one context or each over its own. */
    private static List<Question> ofObject(Fields inputs, Fields parameters) {
        List<Question.Turn> history = history(inputs, parameters);
        if (!inputs.required("question", EXAMPLE).isArray()) {
            return List.of(new Question(text(inputs, "question", ""), text(inputs, "context", ""), history));
        }
        List<String> asked = inputs.texts("question", EXAMPLE);
        if (asked.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "The list \"question\" is empty; send at least one.");
        }
        boolean each = inputs.required("context", EXAMPLE).isArray();
        List<String> contexts = each ? inputs.texts("context", EXAMPLE) : List.of(text(inputs, "context", ""));
        if (each && contexts.size() != asked.size()) {
            throw RequestException.validation("There are " + asked.size() + " questions and " + contexts.size()
                    + " contexts; send one context for all questions, or one for each.");
        }
        List<Question> questions = new ArrayList<>(asked.size());
        for (int i = 0; i < asked.size(); i++) {
            questions.add(new Question(asked.get(i), contexts.get(each ? i : 0), history));
        }
        return questions;
    }

    /** What was said before: with the question, or as a parameter for all of them. */
    private static List<Question.Turn> history(Fields inputs, Fields parameters) {
        Fields where = inputs.has("history") ? inputs : parameters;
        if (!where.has("history")) {
            return List.of();
        }
        JsonNode list = where.required("history", "");
        List<Question.Turn> turns = new ArrayList<>();
        for (JsonNode turn : list) {
            JsonNode question = turn.isArray() ? turn.path(0) : turn.path("question");
            JsonNode answer = turn.isArray() ? turn.path(1) : turn.path("answer");
            if (!question.isTextual() || !answer.isTextual() || (turn.isArray() && turn.size() != 2)) {
                throw RequestException.validation("history[" + turns.size()
                        + "] must be an earlier question and its answer; send {\"question\": \"Who?\", \"answer\":"
                        + " \"Anna\"} or [\"Who?\", \"Anna\"].");
            }
            turns.add(new Question.Turn(question.textValue(), answer.textValue()));
        }
        if (!list.isArray()) {
            throw RequestException.validation("The field \"history\" must be a list, not " + Fields.kind(list)
                    + "; send [{\"question\": \"Who?\", \"answer\": \"Anna\"}].");
        }
        return turns;
    }
}
