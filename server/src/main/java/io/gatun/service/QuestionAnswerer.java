package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.task.AnswerSelection;
import io.gatun.task.AnswerSpan;
import io.gatun.task.QuestionAnswering;
import io.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** What texts of any length answer to questions. Each method waits for its answer. Thread-safe. */
public final class QuestionAnswerer {
    /** Of all windows of a request that may become answers. */
    private static final long MAX_SPANS = 1 << 19;
    /** History leaves each window room for so many tokens that the one before it lacks: a quarter of a sequence. */
    private static final int NEW_PART = 4;

    private final Catalogue catalogue;
    private final Computation computation;
    private final ServiceLimits limits;

    QuestionAnswerer(Catalogue catalogue, Computation computation, ServiceLimits limits) {
        this.catalogue = catalogue;
        this.computation = computation;
        this.limits = limits;
    }

    /**
     * The answers to each question, the best first; at least one. All windows of all contexts are computed together. Of
     * a conversation the latest turns are put before the question: as many, whole, as the options' tokens and the
     * sequence have room for.
     *
     * @param headName or nothing: the model's first that answers questions
     */
    public List<List<AnswerSpan>> answers(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            List<Question> questions,
            AnswerOptions options)
            throws InterruptedException {
        check(questions);
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Head head = Computation.head(served, headName, Task.QUESTION_ANSWERING);
            int sequence = options.sequence(Math.min(served.model().maxTokens(), limits.maxTokens()));
            Sequences sequences = new Sequences(sequence, options.stride(sequence), options.maxHistory());
            Map<String, Encoding> encodings =
                    computation.encoder().encodeEach(call, served, questions.size(), texts(questions, sequence));
            List<List<Encoding>> windows = windows(questions, encodings, sequences, options.selection());
            return answers(call, served, head, questions, windows, options.selection());
        }
    }

    private static void check(List<Question> questions) {
        for (int i = 0; i < questions.size(); i++) {
            String place = questions.size() == 1 ? "The " : "inputs[" + i + "]: the ";
            if (questions.get(i).question().isEmpty()) {
                throw RequestException.validation(place + "question is empty; send a text.");
            }
            if (questions.get(i).context().isEmpty()) {
                throw RequestException.validation(
                        place + "context is empty; send the text in which the answer is to be found.");
            }
        }
    }

    /** Every text once, however many questions it goes with; of a history no more than there could be room for. */
    private static Set<String> texts(List<Question> questions, int sequence) {
        Set<String> texts = new LinkedHashSet<>();
        for (Question question : questions) {
            texts.add(question.question());
            texts.add(question.context());
            latest(question, sequence).forEach(turn -> texts.add(turn.text()));
        }
        return texts;
    }

    private static List<Question.Turn> latest(Question question, int sequence) {
        List<Question.Turn> history = question.history();
        return history.subList(Math.max(0, history.size() - sequence), history.size());
    }

    /** How questions and contexts become sequences: their most tokens, those that two share, and those of history. */
    private record Sequences(int tokens, int stride, int maxHistory) {
        /** The question with what was said before it. */
        Encoding asked(Question question, Map<String, Encoding> encodings) {
            Encoding alone = get(encodings, question.question());
            int context = get(encodings, question.context()).length() - 2;
            int kept = Math.min(context, stride + Math.ceilDiv(tokens, NEW_PART));
            int room = Math.min(maxHistory, room(alone) - kept);
            List<Encoding> said = new ArrayList<>();
            said.add(alone);
            for (Question.Turn turn : latest(question, tokens).reversed()) {
                Encoding encoding = get(encodings, turn.text());
                room -= encoding.length() - 2;
                if (room < 0) {
                    break;
                }
                said.addFirst(encoding);
            }
            return Encoding.joined(said);
        }

        /** Tokens of the context behind a question with its special tokens, and before a last [SEP]. */
        int room(Encoding asked) {
            return tokens - asked.length() - 1;
        }
    }

    private static Encoding get(Map<String, Encoding> encodings, String text) {
        return Objects.requireNonNull(encodings.get(text));
    }

    private static List<List<Encoding>> windows(
            List<Question> questions, Map<String, Encoding> encodings, Sequences sequences, AnswerSelection selection) {
        List<Encoding> asked = questions.stream()
                .map(question -> sequences.asked(question, encodings))
                .toList();
        long windows = 0;
        long tokens = 0;
        for (int i = 0; i < asked.size(); i++) {
            Encoding context = get(encodings, questions.get(i).context());
            checkRoom(asked.get(i), context, sequences);
            int count = context.windowCount(sequences.room(asked.get(i)) + 2, sequences.stride);
            windows += count;
            tokens += count == 1 ? asked.get(i).length() + context.length() - 1 : (long) count * sequences.tokens;
        }
        checkSize(windows, tokens, sequences, selection);
        List<List<Encoding>> all = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            Encoding before = asked.get(i);
            all.add(
                    get(encodings, questions.get(i).context())
                            .windows(sequences.room(before) + 2, sequences.stride)
                            .stream()
                            .map(before::followedBy)
                            .toList());
        }
        return all;
    }

    private static void checkRoom(Encoding asked, Encoding context, Sequences sequences) {
        int room = sequences.room(asked);
        if (context.length() - 2 > room && room <= sequences.stride) {
            throw RequestException.validation("A question of " + (asked.length() - 2) + " tokens leaves room for "
                    + Math.max(0, room) + " tokens of the context in a sequence of " + sequences.tokens
                    + ", which must be more than the \"doc_stride\" of " + sequences.stride
                    + "; send a shorter question, a larger \"max_seq_len\" or a smaller \"doc_stride\".");
        }
    }

    private static void checkSize(long windows, long tokens, Sequences sequences, AnswerSelection selection) {
        if (tokens > Encoder.MAX_WINDOW_TOKENS) {
            throw RequestException.validation("The contexts make " + windows + " windows of " + tokens
                    + " tokens in all, more than the limit of " + Encoder.MAX_WINDOW_TOKENS
                    + "; send fewer questions, a shorter context or a smaller \"doc_stride\".");
        }
        long spans = (long) sequences.tokens * Math.min(sequences.tokens, selection.maxTokens());
        if (windows * Math.min(selection.spansPerWindow(), spans) > MAX_SPANS) {
            throw RequestException.validation("A \"top_k\" of " + selection.topK() + " is too large for " + windows
                    + " windows of contexts; send a smaller one, or fewer questions.");
        }
    }

    private List<List<AnswerSpan>> answers(
            Call call,
            ServedModel served,
            Head head,
            List<Question> questions,
            List<List<Encoding>> windows,
            AnswerSelection selection)
            throws InterruptedException {
        List<Encoding> all = windows.stream().flatMap(List::stream).toList();
        all.forEach(window -> call.timings().addTokens(window.length()));
        List<Answer> answers = computation.answers(call, served, all, Outputs.ofHead(head.index()));
        List<List<AnswerSpan>> spans = new ArrayList<>(questions.size());
        int next = 0;
        for (int i = 0; i < questions.size(); i++) {
            QuestionAnswering task =
                    new QuestionAnswering(head, questions.get(i).context(), selection);
            for (Encoding window : windows.get(i)) {
                task.add(window, answers.get(next++).logits(head));
            }
            spans.add(task.answers());
        }
        return spans;
    }
}
