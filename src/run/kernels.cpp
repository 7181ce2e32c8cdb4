#include "run/kernel.h"

namespace remodel {

// One function a family, in kernels/.
void add_activation_kernels(Kernels& kernels);
void add_arg_kernels(Kernels& kernels);
void add_attention_kernels(Kernels& kernels);
void add_binary_kernels(Kernels& kernels);
void add_cast_kernels(Kernels& kernels);
void add_compare_kernels(Kernels& kernels);
void add_control_kernels(Kernels& kernels);
void add_conv_kernels(Kernels& kernels);
void add_detection_kernels(Kernels& kernels);
void add_dropout_kernels(Kernels& kernels);
void add_gather_kernels(Kernels& kernels);
void add_generate_kernels(Kernels& kernels);
void add_list_kernels(Kernels& kernels);
void add_lookup_kernels(Kernels& kernels);
void add_matmul_kernels(Kernels& kernels);
void add_normalize_kernels(Kernels& kernels);
void add_pool_kernels(Kernels& kernels);
void add_quantize_kernels(Kernels& kernels);
void add_random_kernels(Kernels& kernels);
void add_recurrent_kernels(Kernels& kernels);
void add_reduce_kernels(Kernels& kernels);
void add_resize_kernels(Kernels& kernels);
void add_shape_kernels(Kernels& kernels);
void add_signal_kernels(Kernels& kernels);
void add_slice_kernels(Kernels& kernels);
void add_sort_kernels(Kernels& kernels);
void add_text_kernels(Kernels& kernels);
void add_tree_kernels(Kernels& kernels);
void add_unary_kernels(Kernels& kernels);

const Kernels& all_kernels() {
  static const Kernels kernels = [] {
    Kernels made;
    add_activation_kernels(made);
    add_arg_kernels(made);
    add_attention_kernels(made);
    add_binary_kernels(made);
    add_cast_kernels(made);
    add_compare_kernels(made);
    add_control_kernels(made);
    add_conv_kernels(made);
    add_detection_kernels(made);
    add_dropout_kernels(made);
    add_gather_kernels(made);
    add_generate_kernels(made);
    add_list_kernels(made);
    add_lookup_kernels(made);
    add_matmul_kernels(made);
    add_normalize_kernels(made);
    add_pool_kernels(made);
    add_quantize_kernels(made);
    add_random_kernels(made);
    add_recurrent_kernels(made);
    add_reduce_kernels(made);
    add_resize_kernels(made);
    add_shape_kernels(made);
    add_signal_kernels(made);
    add_slice_kernels(made);
    add_sort_kernels(made);
    add_text_kernels(made);
    add_tree_kernels(made);
    add_unary_kernels(made);
    return made;
  }();
  return kernels;
}

const OpInfo* Kernels::find_op(std::string_view name) const {
  for (const auto& [info, kernel] : table_)
    if (info->name == name) return info;
  return nullptr;
}

const OpInfo* find_op(std::string_view name) { return all_kernels().find_op(name); }

}  // namespace remodel
