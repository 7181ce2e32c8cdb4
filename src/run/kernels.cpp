#include "run/kernel.h"

namespace remodel {

// One function a family, in kernels/.
void add_activation_kernels(Kernels& kernels);
void add_gather_kernels(Kernels& kernels);
void add_generate_kernels(Kernels& kernels);
void add_shape_kernels(Kernels& kernels);
void add_slice_kernels(Kernels& kernels);
void add_sort_kernels(Kernels& kernels);

const Kernels& all_kernels() {
  static const Kernels kernels = [] {
    Kernels made;
    add_activation_kernels(made);
    add_gather_kernels(made);
    add_generate_kernels(made);
    add_shape_kernels(made);
    add_slice_kernels(made);
    add_sort_kernels(made);
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
