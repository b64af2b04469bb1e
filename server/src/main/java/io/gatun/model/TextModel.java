package io.gatun.model;

import io.gatun.kernel.Compute;
import io.gatun.kernel.HeadInfo;
import io.gatun.kernel.Kernel;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Model;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import io.gatun.text.TokenizerException;
import io.gatun.text.WordPieceVocabulary;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A model that is ready to run: the kernel's, its tokenizer, and what it says of itself. Thread-safe; owns native memory
 * until it is closed.
 */
public final class TextModel implements AutoCloseable {
    private final String name;
    private final ModelDescription description;
    private final Model kernel;
    private final Tokenizer tokenizer;
    private final WordPieceVocabulary.SpecialIds specialIds;
    private final Duration loadTime;

    private TextModel(
            String name,
            ModelDescription description,
            Model kernel,
            Tokenizer tokenizer,
            WordPieceVocabulary.SpecialIds specialIds,
            Duration loadTime) {
        this.name = name;
        this.description = description;
        this.kernel = kernel;
        this.tokenizer = tokenizer;
        this.specialIds = specialIds;
        this.loadTime = loadTime;
    }

    /** Loads a model that computes in 8 bits. */
    public static TextModel load(String name, ModelSource source) {
        return load(name, source, Compute.INT8);
    }

    /**
     * Loads a model: its weights are packed by as many threads as there are processors. When this returns, nothing of
     * the source is in memory any more.
     *
     * @param name by which requests call it
     * @throws ModelException with one sentence that names the source and what is wrong with it
     * @throws TokenizerException when the tokenizer's library cannot be unpacked
     * @throws KernelException when the kernel's library cannot be loaded
     */
    public static TextModel load(String name, ModelSource source, Compute compute) {
        Kernel.load();
        long start = System.nanoTime();
        return source.read(image -> {
            try {
                return open(name, image, compute, start);
            } catch (ModelException | KernelException e) {
                throw new ModelException("The model " + source + " cannot be used: " + e.getMessage() + ".", e);
            }
        });
    }

    private static TextModel open(String name, MemorySegment image, Compute compute, long start) {
        Model kernel = Model.open(image, compute, Runtime.getRuntime().availableProcessors());
        Duration loadTime = Duration.ofNanos(System.nanoTime() - start);
        try {
            GgufFile file = GgufFile.parse(image);
            ModelDescription description = ModelDescription.of(file);
            WordPieceVocabulary vocabulary = VocabularyKeys.read(file);
            check(description, kernel, vocabulary.tokens().size());
            Tokenizer tokenizer = Tokenizer.fromVocabulary(vocabulary);
            return new TextModel(name, description, kernel, tokenizer, vocabulary.ids(), loadTime);
        } catch (Throwable e) {
            kernel.close();
            throw e;
        }
    }

    public String name() {
        return name;
    }

    public ModelDescription description() {
        return description;
    }

    public Model kernel() {
        return kernel;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** The head of that name, if the model has it. */
    public Optional<Head> head(String head) {
        return description.heads().stream().filter(h -> h.name().equals(head)).findFirst();
    }

    /**
     * The head that answers when none is named: the first of the task or, where the model has none, the first of all.
     *
     * @throws java.util.NoSuchElementException when the model has no head
     */
    public Head defaultHead(Task task) {
        List<Head> heads = description.heads();
        return heads.stream().filter(head -> head.task() == task).findFirst().orElseGet(heads::getFirst);
    }

    /** Tokens of the longest text, special tokens included. */
    public int maxTokens() {
        return description.contextLength();
    }

    /** How long it took to map the file, check it and pack the weights; the tokenizer is not in it. */
    public Duration loadTime() {
        return loadTime;
    }

    /** The id that stands for a word the vocabulary cannot spell. */
    public int unknownToken() {
        return specialIds.unknown();
    }

    /** The id of the token that stands for a word to be found, [MASK], where the vocabulary has one. */
    public OptionalInt maskToken() {
        return specialIds.mask() < 0 ? OptionalInt.empty() : OptionalInt.of(specialIds.mask());
    }

    /** The id of the token that fills batches elsewhere, [PAD], where the vocabulary has one. */
    public OptionalInt paddingToken() {
        return specialIds.pad() < 0 ? OptionalInt.empty() : OptionalInt.of(specialIds.pad());
    }

    /** A sequence of tokens of the vocabulary, with [CLS] before and [SEP] behind it unless it begins and ends so. */
    public Encoding encoding(int[] ids) {
        return Encoding.of(ids, specialIds.cls(), specialIds.sep());
    }

    /** The types of an encoding's tokens for the kernel; null, all 0, where the model tells no first from second text. */
    public int @Nullable [] typeIds(Encoding encoding) {
        return kernel.info().tokenTypeCount() > 1 ? encoding.typeIds() : null;
    }

    @Override
    public void close() {
        tokenizer.close();
        kernel.close();
    }

    private static HeadInfo.Rows rows(Task task) {
        return switch (task) {
            case TEXT_CLASSIFICATION -> HeadInfo.Rows.PER_TEXT;
            case TOKEN_CLASSIFICATION, QUESTION_ANSWERING -> HeadInfo.Rows.PER_TOKEN;
            case FILL_MASK -> HeadInfo.Rows.PER_MASK;
        };
    }

    /** Two readers saw the file; they must have seen the same model. */
    private static void check(ModelDescription description, Model kernel, int tokens) {
        List<HeadInfo> heads = kernel.heads();
        boolean same = heads.size() == description.heads().size()
                && tokens == kernel.info().vocabularySize();
        for (int i = 0; same && i < heads.size(); i++) {
            Head head = description.heads().get(i);
            same = head.name().equals(heads.get(i).name())
                    && rows(head.task()) == heads.get(i).rows()
                    && (head.task() == Task.FILL_MASK
                            || head.labels().size() == heads.get(i).labelCount());
        }
        if (!same) {
            throw new ModelException("its heads or its vocabulary contradict its tensors");
        }
    }
}
