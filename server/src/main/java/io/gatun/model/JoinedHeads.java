package io.gatun.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Heads of other folders that share the encoder of a base. Keeps their files open.
 */
final class JoinedHeads implements AutoCloseable {
    private static final int MAX_HEADS = 31; // the kernel's

    private final Map<String, HuggingFaceFolder> folders = new LinkedHashMap<>();

    private JoinedHeads() {}

    /** Opens the folders, each by the name that its head is to have. */
    static JoinedHeads open(Map<String, Path> heads) throws IOException {
        JoinedHeads joined = new JoinedHeads();
        try {
            for (Map.Entry<String, Path> head : heads.entrySet()) {
                if (!Head.isName(head.getKey())) {
                    throw new ModelException("The head's name " + head.getKey() + " is not " + Head.NAMES + ".");
                }
                joined.folders.put(head.getKey(), HuggingFaceFolder.open(head.getValue()));
            }
            return joined;
        } catch (Throwable e) {
            joined.close();
            throw e;
        }
    }

    /**
     * The heads of a base and behind them those of the other folders, in their order.
     *
     * @throws ModelException that says by how much they differ when an encoder is not the base's
     */
    List<HeadWeights> join(HuggingFaceFolder base) throws IOException {
        List<HeadWeights> all = new ArrayList<>(base.heads());
        Set<String> names = new HashSet<>();
        all.forEach(weights -> names.add(weights.head().name()));
        for (Map.Entry<String, HuggingFaceFolder> entry : folders.entrySet()) {
            if (!names.add(entry.getKey())) {
                throw new ModelException("The folder " + base.path() + " has a head " + entry.getKey()
                        + " already; give the head of "
                        + entry.getValue().path() + " another name.");
            }
            all.add(only(entry.getValue()).as(all.size(), entry.getKey()));
        }
        if (all.size() > MAX_HEADS) {
            throw new ModelException(
                    all.size() + " heads are too many for one model; join at most " + MAX_HEADS + " of them.");
        }
        checkEncoders(base);
        return all;
    }

    private static HeadWeights only(HuggingFaceFolder folder) throws IOException {
        List<HeadWeights> heads = folder.heads();
        if (heads.size() != 1) {
            throw new ModelException(
                    "The folder " + folder.path() + " has " + (heads.isEmpty() ? "no head" : heads.size() + " heads")
                            + "; a folder with one head can be joined.");
        }
        return heads.getFirst();
    }

    private void checkEncoders(HuggingFaceFolder base) throws IOException {
        List<String> others = new ArrayList<>();
        for (Map.Entry<String, HuggingFaceFolder> entry : folders.entrySet()) {
            difference(base, entry.getValue())
                    .ifPresent(how -> others.add("the head " + entry.getKey() + " of "
                            + entry.getValue().path() + " (" + how + ")"));
        }
        if (!others.isEmpty()) {
            throw new ModelException("The encoder of " + base.path() + " is not that of "
                    + String.join(" and of ", others) + "; convert what has another encoder to a model of its own.");
        }
    }

    /** What is different about another folder's encoder, if anything is. */
    private static Optional<String> difference(HuggingFaceFolder base, HuggingFaceFolder other) throws IOException {
        Optional<String> shape = base.config().otherEncoder(other.config());
        if (shape.isPresent()) {
            return shape;
        }
        if (other.hasTokenizer() && !other.vocabulary().equals(base.vocabulary())) {
            return Optional.of("its tokenizer is another one");
        }
        List<EncoderTensor> tensors = EncoderTensor.of(base.config());
        int differing = 0;
        double largest = 0;
        String most = "";
        for (EncoderTensor tensor : tensors) {
            double difference = Difference.between(base.encoder(tensor), other.encoder(tensor))
                    .largest();
            differing += difference > 0 ? 1 : 0;
            if (difference > largest) {
                largest = difference;
                most = tensor.source();
            }
        }
        return differing == 0
                ? Optional.empty()
                : Optional.of(differing + " of " + tensors.size() + " tensors differ, " + most + " the most: by up to "
                        + Difference.shown(largest));
    }

    @Override
    public void close() throws IOException {
        for (HuggingFaceFolder folder : folders.values()) {
            folder.close();
        }
    }
}
