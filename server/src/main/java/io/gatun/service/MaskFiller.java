package io.gatun.service;

import io.gatun.batch.Answer;
import io.gatun.batch.Outputs;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.FillMask;
import io.gatun.task.MaskFill;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Tokens for the masks of texts. Each method waits for its answer. Thread-safe. */
public final class MaskFiller {
    /** Tokens of all sequences of an answer: some 20 MB as text. */
    private static final long MAX_ANSWER_TOKENS = 1 << 22;

    private final Catalogue catalogue;
    private final Computation computation;

    MaskFiller(Catalogue catalogue, Computation computation) {
        this.catalogue = catalogue;
        this.computation = computation;
    }

    /**
     * The best tokens for each mask of each text, the best first.
     *
     * @param headName or nothing: the model's first that fills masks
     * @throws RequestException when a text has no mask or too many, or none of the targets is any token
     */
    public List<List<List<MaskFill>>> fill(
            Call call,
            Optional<String> modelName,
            Optional<String> headName,
            List<String> texts,
            Truncation truncation,
            FillOptions options)
            throws InterruptedException {
        try (Catalogue.Lease lease = catalogue.lease(modelName)) {
            ServedModel served = lease.served();
            Head head = Computation.head(served, headName, Task.FILL_MASK);
            List<Encoding> encodings = computation.encoder().encode(call, served, Input.texts(texts), truncation);
            TextModel model = served.model();
            int mask = model.maskToken()
                    .orElseThrow(() -> RequestException.validation(
                            "The vocabulary of the model \"" + served.name() + "\" has no mask; ask another model."));
            List<int[]> masks = masks(served, encodings, mask);
            int vocabulary = model.description().vocabularySize();
            Optional<int[]> targets = options.targets().isPresent()
                    ? Optional.of(
                            targets(call, model.tokenizer(), options.targets().get()))
                    : Optional.empty();
            int count = count(options.topK(), vocabulary, targets);
            checkAnswer(encodings, masks, count);
            List<List<List<MaskFill>>> fills = new ArrayList<>();
            List<Integer> all = IntStream.range(0, texts.size()).boxed().toList();
            for (List<Integer> part : Computation.parts(all, i -> (long) masks.get(i).length * vocabulary)) {
                List<Answer> answers = computation.answers(
                        call, served, part.stream().map(encodings::get).toList(), Outputs.ofHead(head.index()));
                for (int i = 0; i < part.size(); i++) {
                    Encoding encoding = encodings.get(part.get(i));
                    float[] logits = answers.get(i).logits(head);
                    fills.add(fills(call, model, head, encoding, masks.get(part.get(i)), logits, count, targets));
                }
            }
            return fills;
        }
    }

    /** Where each text's masks are. */
    private static List<int[]> masks(ServedModel served, List<Encoding> encodings, int mask) {
        String name = served.model().tokenizer().tokenOf(mask);
        List<int[]> masks = new ArrayList<>();
        for (int i = 0; i < encodings.size(); i++) {
            int[] places = places(encodings.get(i), mask);
            String text = encodings.size() == 1 ? "The text" : "inputs[" + i + "]";
            if (places.length == 0) {
                throw RequestException.validation(text + " has no mask; write " + name
                        + " where a word is wanted, before the text is cut if it is long.");
            }
            checkLimit(served, text, places.length);
            masks.add(places);
        }
        return masks;
    }

    /** Where a text's masks are. */
    static int[] places(Encoding encoding, int mask) {
        int[] ids = encoding.ids();
        return IntStream.range(0, ids.length).filter(at -> ids[at] == mask).toArray();
    }

    /** Refuses a text of more masks than a batch has room for. */
    static void checkLimit(ServedModel served, String text, int masks) {
        int limit = served.lanes().settings().limits().maxMasks();
        if (masks > limit) {
            throw RequestException.validation(
                    text + " has " + masks + " masks, more than the limit of " + limit + "; send it in parts.");
        }
    }

    /** The best tokens for each mask of a text. */
    List<List<MaskFill>> fills(
            Call call,
            TextModel model,
            Head head,
            Encoding encoding,
            int[] masks,
            float[] logits,
            int count,
            Optional<int[]> targets)
            throws InterruptedException {
        int vocabulary = model.description().vocabularySize();
        List<List<FillMask.Candidate>> best = IntStream.range(0, masks.length)
                .mapToObj(row -> FillMask.best(head, logits, row, vocabulary, count, targets))
                .toList();
        return texts(call, model, encoding, masks, best);
    }

    /** The tokens that targets name, each once; of one that the vocabulary lacks its first token. */
    private int[] targets(Call call, Tokenizer tokenizer, List<String> targets) throws InterruptedException {
        long characters = targets.stream().mapToLong(String::length).sum();
        int[] tokens = computation
                .encoder()
                .tokenizing(
                        call,
                        characters,
                        () -> targets.stream()
                                .flatMapToInt(target -> target(tokenizer, target).stream())
                                .distinct()
                                .sorted()
                                .toArray());
        if (tokens.length == 0) {
            throw RequestException.validation(
                    "None of the \"targets\" holds a token; send words of the model's vocabulary.");
        }
        return tokens;
    }

    private static OptionalInt target(Tokenizer tokenizer, String target) {
        OptionalInt known = tokenizer.idOf(target);
        return known.isPresent()
                ? known
                : Arrays.stream(tokenizer.encode(target, false).ids()).findFirst();
    }

    private static int count(int topK, int vocabulary, Optional<int[]> targets) {
        if (targets.isEmpty() && topK > vocabulary) {
            throw RequestException.validation(
                    "The parameter \"top_k\" is " + topK + ", more than the " + vocabulary + " tokens that there are.");
        }
        return Math.min(topK, targets.map(tokens -> tokens.length).orElse(vocabulary));
    }

    /** Refuses what would be answered with too much text. */
    static void checkAnswer(List<Encoding> encodings, List<int[]> masks, int count) {
        long tokens = 0;
        for (int i = 0; i < masks.size(); i++) {
            tokens += (long) masks.get(i).length * count * encodings.get(i).length();
        }
        if (tokens > MAX_ANSWER_TOKENS) {
            throw RequestException.validation("The answer would hold sequences of " + tokens
                    + " tokens, more than the limit of " + MAX_ANSWER_TOKENS
                    + "; send a smaller \"top_k\", or fewer texts or masks.");
        }
    }

    /** Tokens to texts. Special tokens are left out, unless there are other masks, which are to be seen. */
    private List<List<MaskFill>> texts(
            Call call, TextModel model, Encoding encoding, int[] masks, List<List<FillMask.Candidate>> best)
            throws InterruptedException {
        long characters = (long) Inference.CHARACTERS_PER_TOKEN
                * encoding.length()
                * best.stream().mapToLong(List::size).sum();
        return computation.encoder().tokenizing(call, characters, () -> {
            List<List<MaskFill>> fills = new ArrayList<>();
            for (int i = 0; i < masks.length; i++) {
                int place = masks[i];
                fills.add(best.get(i).stream()
                        .map(candidate -> fill(model, encoding, place, candidate, masks.length == 1))
                        .toList());
            }
            return fills;
        });
    }

    private static MaskFill fill(
            TextModel model, Encoding encoding, int place, FillMask.Candidate candidate, boolean only) {
        int[] ids = encoding.ids().clone();
        ids[place] = candidate.token();
        OptionalInt padding = model.paddingToken();
        int[] shown = padding.isEmpty()
                ? ids
                : Arrays.stream(ids).filter(id -> id != padding.getAsInt()).toArray();
        return new MaskFill(
                candidate.score(),
                candidate.token(),
                model.tokenizer().decode(new int[] {candidate.token()}, false),
                model.tokenizer().decode(shown, only));
    }
}
