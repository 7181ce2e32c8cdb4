#include "run/kernel.h"

namespace remodel {

// One function a family, in kernels/.
void add_unary_kernels(Kernels& kernels);
void add_binary_kernels(Kernels& kernels);
void add_compare_kernels(Kernels& kernels);
void add_activation_kernels(Kernels& kernels);
void add_cast_kernels(Kernels& kernels);
void add_reduce_kernels(Kernels& kernels);
void add_arg_kernels(Kernels& kernels);
void add_dropout_kernels(Kernels& kernels);
void add_control_kernels(Kernels& kernels);
void add_list_kernels(Kernels& kernels);
void add_text_kernels(Kernels& kernels);
void add_random_kernels(Kernels& kernels);
void add_detection_kernels(Kernels& kernels);
void add_shape_kernels(Kernels& kernels);

const Kernels& all_kernels() {
  static const Kernels kernels = [] {
    Kernels made;
    add_unary_kernels(made);
    add_binary_kernels(made);
    add_compare_kernels(made);
    add_activation_kernels(made);
    add_cast_kernels(made);
    add_reduce_kernels(made);
    add_arg_kernels(made);
    add_dropout_kernels(made);
    add_control_kernels(made);
    add_list_kernels(made);
    add_text_kernels(made);
    add_random_kernels(made);
    add_detection_kernels(made);
    add_shape_kernels(made);
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
