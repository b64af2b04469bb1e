package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Slab;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A Hugging Face folder that cannot be converted is one sentence that names what is wrong, and leaves no file. */
final class BrokenFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Checkpoints.copy("distilbert-heads-small", folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "config.json | \"model_type\": \"distilbert\" | \"model_type\": \"gpt2\" | gpt2",
                "config.json | \"n_layers\": 3 | \"n_layers\": 4 | layer.3",
                "config.json | \"dim\": 64 | \"dim\": 32 | shape",
                "config.json | \"dim\": 64 | \"dim\": \"x\" | dim",
                "config.json | \"activation\": \"gelu\" | \"activation\": \"mish\" | mish",
                "config.json | \"n_heads\": 4 | \"n_heads\": 7 | is no multiple of the 7 heads",
                "config.json | \"vocab_size\": 600 | \"vocab_size\": 2000000000 | shape",
                "config.json | \"vocab_size\": 600 | \"vocab_size\": 599 | shape",
                "config.json | \"2\": \"POSITIVE\" | \"5\": \"POSITIVE\" | id2label",
                "config.json | \"0\": \"NEGATIVE\" | \"zero\": \"NEGATIVE\" | id2label",
                "heads.json | \"default\": \"tone\" | \"default\": \"tune\" | tune",
                "heads.json | \"rows\": \"all\" | \"rows\": \"first\" | rows",
                "heads.json | concatenate | average | [2, 128], not [2, 64]",
                "heads.json | concatenate | mix | mix",
                "heads.json | concatenate | weighted | 0 weights for 2 layers",
                "heads.json | \"join\": \"concatenate\" | \"weights\": [1, 2] | concatenate, not weighted",
                "heads.json | \"concatenate\" | \"weighted\", \"weights\": [1, \"2\"] | holds \"2\"",
                "heads.json | \"concatenate\" | \"weighted\", \"weights\": [1, 1001] | holds 1001",
                "heads.json | \"token-classification\" | \"question-answering\" | answers questions has start and end",
                "heads.json | \"token-classification\" | \"fill-mask\" | reads masks",
                "heads.json | \"name\": \"spans\" | \"name\": \"Spans\" | Spans",
                "heads.json | \"name\": \"spans\" | \"name\": \"topics\" | twice: topics",
                "heads.json | \"file\": \"heads.safetensors\" | \"file\": \"../heads.safetensors\" | itself",
                "heads.json | \"file\": \"heads.safetensors\" | \"file\": \"none.safetensors\" | none.safetensors",
                "heads.json | spans.classifier | spams.classifier | spams.classifier",
                "heads.json | token-classification | translation | translation",
                "heads.json | \"activation\": \"relu\" | \"activation\": \"mish\" | mish",
                "tokenizer.json | \"WordPiece\" | \"BPE\" | WordPiece",
                "tokenizer.json | \"BertNormalizer\" | \"NFC\" | BertNormalizer",
                "tokenizer.json | \"TemplateProcessing\" | \"RobertaProcessing\" | RobertaProcessing",
                "tokenizer.json | \"post_processor\" | \"no_processor\" | post_processor.type is absent",
                "tokenizer.json | \"type_id\": 1 | \"type_id\": 0 | $B:0",
                "tokenizer.json | \"id\": \"A\" | \"id\": \"B\" | [CLS]:0 $B:0 [SEP]:0, not",
                "tokenizer.json | \"id\": \"[SEP]\" | \"id\": \"[MASK]\" | [MASK]:0",
                "tokenizer.json | { | <  | JSON",
            })
    void aFieldThatIsWrong(String file, String found, String changed, String named) throws IOException {
        change(file, found, changed);
        assertRefused(named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "null | post_processor.type is absent",
                "{'type': 'Sequence', 'processors': []} | post_processor.type is Sequence",
                "{'type': 'BertProcessing', 'cls': ['[CLS]', 3], 'sep': ['[SEP]', 2]} | id 3 for [CLS]",
                "{'type': 'BertProcessing', 'cls': ['[CLS]', 2]} | for [SEP]",
                "{'type': 'TemplateProcessing', 'single': []} | not [CLS]:0 $A:0 [SEP]:0",
            },
            quoteCharacter = '~')
    void aPostProcessorThatIsNotBerts(String processor, String named) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        ObjectNode tokenizer = (ObjectNode) JSON.readTree(file.toFile());
        tokenizer.set("post_processor", JSON.readTree(processor.replace('\'', '"')));
        Files.writeString(file, tokenizer.toString());
        assertRefused(named);
    }

    @Test
    void aTemplateThatAddsOtherTokens() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        ObjectNode tokenizer = (ObjectNode) JSON.readTree(file.toFile());
        for (String ids : List.of("[4]", "[2, 2]", "[]")) {
            ((ObjectNode) tokenizer.at("/post_processor/special_tokens/[CLS]")).set("ids", JSON.readTree(ids));
            Files.writeString(file, tokenizer.toString());
            assertRefused("for [CLS]");
        }
    }

    @Test
    void aTokenThatTheTableHasNoRowFor() throws IOException {
        change("tokenizer.json", "\"[MASK]\": 4,", "\"[MASK]\": 2000000000,");
        assertRefused("2000000000");
    }

    @Test
    void aVocabularyInAnotherEncoding() throws IOException {
        Files.delete(folder.resolve("tokenizer.json"));
        Files.write(folder.resolve("vocab.txt"), new byte[] {'c', (byte) 0xe9, '\n'}, StandardOpenOption.APPEND);
        assertRefused("vocab.txt is not in UTF-8; save it");
        Files.write(folder.resolve("config.json"), new byte[] {0, 0, 0, '{', '}', 0, 0, 0});
        assertRefused("config.json is not in UTF-8; save it");
    }

    @ParameterizedTest
    @CsvSource({"0", "-1", "2"})
    void anEpsilonThatTheKernelDoesNotTake(String epsilon) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Checkpoints.copy("bert-small", folder);
        change("config.json", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": " + epsilon);
        assertRefused(
                "The folder " + folder + " makes a model that does not run: key bert.attention.layer_norm_epsilon");
    }

    @ParameterizedTest
    @CsvSource({"config.json", "model.safetensors", "heads.safetensors"})
    void aFileThatIsMissing(String file) throws IOException {
        Files.delete(folder.resolve(file));
        assertRefused("has no file " + file);
        Files.createDirectory(folder.resolve(file));
        assertRefused("has no file " + file);
    }

    @Test
    void aShardThatIsMissing() throws IOException {
        Checkpoints.split(folder);
        Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
        assertRefused("has no file model-00002-of-00002.safetensors");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "weight_map | weights_map | has no weight_map",
                "00001-of | 00002-of | has no tensor",
                "model-00001 | ../model-00001 | itself",
                "distilbert.embeddings.LayerNorm.bias | distilbert.embeddings.LayerNorm.bios | bios",
            })
    void anIndexThatIsWrong(String found, String changed, String named) throws IOException {
        Checkpoints.split(folder);
        change("model.safetensors.index.json", found, changed);
        assertRefused(named);
    }

    @Test
    void tensorsThatOverlap() throws IOException {
        Path file = folder.resolve("model.safetensors");
        Checkpoints.rewrite(file, header -> addTensor(header, 0), 0);
        assertRefused("overlaps");
    }

    @Test
    void bytesThatNoTensorCovers() throws IOException {
        Path file = folder.resolve("model.safetensors");
        long tensors = Files.size(file) - 8 - headerLength(file);
        Checkpoints.rewrite(file, header -> addTensor(header, tensors + 4), 8);
        assertRefused("tensor added leaves a hole");
        Checkpoints.rewrite(file, header -> header.remove("added"), 0);
        assertRefused("no tensor covers its last 8 bytes");
    }

    @Test
    void weightsThatAreCutShort() throws IOException {
        byte[] weights = Files.readAllBytes(folder.resolve("model.safetensors"));
        for (int i = 0; i < 60; i++) {
            Files.write(folder.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length * i / 60));
            assertRefused("model.safetensors");
        }
    }

    @Test
    void aHeaderThatIsAbsurd() throws IOException {
        byte[] weights = Files.readAllBytes(folder.resolve("model.safetensors"));
        for (long length : new long[] {-1, 0, 1, Long.MAX_VALUE, weights.length}) {
            ByteBuffer.wrap(weights).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
            Files.write(folder.resolve("model.safetensors"), weights);
            assertRefused("header");
        }
    }

    @Test
    void aWeightThatIsNoNumber() throws IOException {
        byte[] weights = Files.readAllBytes(folder.resolve("model.safetensors"));
        ByteBuffer.wrap(weights).order(ByteOrder.LITTLE_ENDIAN).putFloat(weights.length - 4, Float.NaN);
        Files.write(folder.resolve("model.safetensors"), weights);
        assertRefused("not finite");
    }

    @Test
    void aTargetThatCannotBeWritten() {
        assertThatThrownBy(() -> Converter.convert(folder, folder.resolve("none/m.gguf"), TensorType.F32, (d, t) -> {}))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("there is no folder " + folder.resolve("none") + "; make it first");
        assertThatThrownBy(() -> Converter.convert(folder, folder.resolve("m.gguf"), TensorType.Q6_K, (d, t) -> {}))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("Q6_K");
        Path tooLong = folder.resolve("m".repeat(255));
        assertThatThrownBy(() -> Converter.convert(folder, tooLong, TensorType.F32, (d, t) -> {}))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("failed: " + tooLong);
    }

    @Test
    void whatThisUserMayNotOpen() throws IOException {
        Path file = folder.resolve("config.json");
        Files.setPosixFilePermissions(file, Set.of());
        assumeThat(Files.isReadable(file)).as("the tests do not run as root").isFalse();
        assertRefused("this user may not open " + file + "; change its permissions");
        Path closed = Files.createDirectory(folder.resolve("closed"), PosixFilePermissions.asFileAttribute(Set.of()));
        assertThatThrownBy(() -> Converter.convert(folder, closed.resolve("m.gguf"), TensorType.F32, (d, t) -> {}))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("may not write in the folder " + closed);
    }

    private void change(String file, String found, String changed) throws IOException {
        Path path = folder.resolve(file);
        String text = Files.readString(path);
        assertThat(text).contains(found);
        Files.writeString(path, text.replace(found, changed));
    }

    /** One number at a place among the data. */
    private static void addTensor(ObjectNode header, long start) {
        ObjectNode tensor = header.putObject("added").put("dtype", "F32");
        tensor.putArray("shape").add(1);
        tensor.putArray("data_offsets").add(start).add(start + 4);
    }

    private static long headerLength(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    private void assertRefused(String named) throws IOException {
        long before = Slab.allocatedBytes();
        Path target = folder.resolve("m.gguf");
        assertThatThrownBy(() -> Converter.convert(folder, target, TensorType.Q8_0, (d, t) -> {}))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining(named)
                .hasMessageMatching("(?s)[^\n]*");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.startsWith("m.gguf"));
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }
}
