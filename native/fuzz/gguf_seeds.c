/* Writes the smallest models of every kind to a folder: what gguf_fuzz begins with. It would never guess one. */
#include "model_builder.h"

#include <stdio.h>

static int write_seed(const char *folder, const gtt_shape *shape) {
    char path[1024];
    gtt_model *model = gtt_build(shape, NULL);
    snprintf(path, sizeof(path), "%s/type-%u%s%s.gguf", folder, shape->type, shape->fused ? "-fused" : "",
             shape->foreign ? "-foreign" : "");
    FILE *file = fopen(path, "wb");
    int written = file != NULL && fwrite(model->file.data, 1, model->file.size, file) == model->file.size;
    if (file != NULL && fclose(file) != 0) {
        written = 0;
    }
    if (!written) {
        perror(path);
    }
    gtt_model_free(model);
    return written;
}

int main(int count, char **arguments) {
    static const uint32_t types[] = {0, 1, 2, 3, 6, 7, 8, 20, 30};
    gtt_shape shape = {.layers = 1, .width = 32, .attention_heads = 2, .feed_forward = 32, .vocabulary = 4,
                       .context = 4, .activation = "gelu_erf"};
    int written = count == 2;
    if (!written) {
        fprintf(stderr, "usage: gguf_seeds FOLDER\n");
    }
    for (size_t i = 0; written && i < 4 * sizeof(types) / sizeof(types[0]); i++) {
        shape.type = types[i / 4];
        shape.fused = i & 1;
        shape.token_types = i & 1 ? 2 : 0;
        shape.foreign = i >> 1 & 1;
        written = write_seed(arguments[1], &shape);
    }
    return !written;
}
