/* The shared library as a stranger sees it: only by its headers. */
#include "gatun.h"
#include "gatun_ggml.h"

#include "ggml.h"
#include "gguf.h"

#include <stdio.h>
#include <string.h>

static int writes_gguf(void) {
    char meta[512];
    struct gguf_context *gguf = gguf_init_empty();
    struct ggml_init_params params = {4 * ggml_tensor_overhead(), NULL, true};
    struct ggml_context *context = ggml_init(params);
    const int64_t shape[2] = {32, 2};
    struct ggml_tensor *tensor = ggml_new_tensor(context, GGML_TYPE_Q8_0, 2, shape);
    ggml_set_name(tensor, "a");
    gguf_set_val_str(gguf, "general.architecture", "bert");
    gguf_add_tensor(gguf, tensor);
    const size_t size = gguf_get_meta_size(gguf);
    if (size <= sizeof(meta)) {
        gguf_get_meta_data(gguf, meta);
    }
    ggml_free(context);
    gguf_free(gguf);
    return size <= sizeof(meta) && memcmp(meta, "GGUF", 4) == 0;
}

static int quantizes(void) {
    float values[32];
    unsigned char block[34];
    for (int i = 0; i < 32; i++) {
        values[i] = (float)i / 31;
    }
    const size_t size = ggml_quantize_chunk(GGML_TYPE_Q8_0, values, block, 0, 1, 32, NULL);
    ggml_quantize_free();
    return size == sizeof(block) && size == ggml_row_size(GGML_TYPE_Q8_0, 32) && block[33] == 127 && block[2] == 0;
}

int main(void) {
    const int sound = gt_abi_version() == GT_ABI_VERSION && writes_gguf() && quantizes();
    printf("%s on ggml %s: %s\n", gt_cpu_name(), gt_ggml_version(), sound ? "sound" : "broken");
    return !sound;
}
