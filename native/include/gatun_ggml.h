/*
 * gatun_ggml.h - the functions of ggml that the model converter calls, under names that this library exports.
 *
 * The library exports gt_* and nothing else, so that the ggml inside it can never meet another ggml in the same
 * process. The converter needs a few of ggml's own functions (the quantizers and the GGUF writer): ggml and the
 * kernel are compiled with this header first, which renames those functions and thereby exports them as they are,
 * without forwarding code. Bindings are generated from this header followed by ggml.h and gguf.h.
 */
#define ggml_init gt_ggml_init
#define ggml_free gt_ggml_free
#define ggml_tensor_overhead gt_ggml_tensor_overhead
#define ggml_new_tensor gt_ggml_new_tensor
#define ggml_set_name gt_ggml_set_name
#define ggml_row_size gt_ggml_row_size
#define ggml_quantize_chunk gt_ggml_quantize_chunk
#define ggml_quantize_free gt_ggml_quantize_free
#define gguf_init_empty gt_gguf_init_empty
#define gguf_free gt_gguf_free
#define gguf_set_val_u32 gt_gguf_set_val_u32
#define gguf_set_val_f32 gt_gguf_set_val_f32
#define gguf_set_val_bool gt_gguf_set_val_bool
#define gguf_set_val_str gt_gguf_set_val_str
#define gguf_set_arr_str gt_gguf_set_arr_str
#define gguf_set_arr_data gt_gguf_set_arr_data
#define gguf_add_tensor gt_gguf_add_tensor
#define gguf_get_meta_size gt_gguf_get_meta_size
#define gguf_get_meta_data gt_gguf_get_meta_data
