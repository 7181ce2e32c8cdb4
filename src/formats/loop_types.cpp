#include "formats/loop_types.h"

namespace remodel {

GraphPtr read_loop_body(std::vector<Type> types, size_t first_input, size_t first_output, size_t carried,
                        bool widest, Graph& around, std::vector<Error>& problems,
                        const std::function<GraphPtr(const std::vector<Type>&)>& read_body) {
  const auto before = static_cast<std::ptrdiff_t>(problems.size());
  std::vector<Error> first_problems;
  std::vector<std::vector<bool>> widened(carried);
  const auto fresh = [&] { return Dim::symbol(around.fresh_symbol()); };
  const auto widen_all = [&] {
    widest = true;
    for (size_t j = 0; j < carried; ++j) {
      Type& type = types[first_input + j];
      if (!type.is_tensor() || !type.dims) continue;
      widened[j].assign(type.dims->size(), true);
      for (Dim& dim : *type.dims) dim = fresh();
    }
  };
  for (size_t j = 0; j < carried; ++j) {
    const Type& type = types[first_input + j];
    widened[j].assign(type.dims ? type.dims->size() : 0, false);
  }
  if (widest) widen_all();
  for (;;) {
    const GraphPtr body = read_body(types);
    if (std::ssize(problems) > before) {
      // Sizes of the first step may not fit those of the next.
      if (!widest && first_problems.empty()) {
        first_problems.assign(problems.begin() + before, problems.end());
        problems.erase(problems.begin() + before, problems.end());
        widen_all();
        continue;
      }
      if (!first_problems.empty()) {
        problems.erase(problems.begin() + before, problems.end());
        problems.insert(problems.end(), first_problems.begin(), first_problems.end());
      }
      return nullptr;
    }
    if (!body) return nullptr;
    bool changed = false;
    for (size_t j = 0; j < carried; ++j) {
      Type& type = types[first_input + j];
      const Type& next = body->value(body->outputs[first_output + j].value).type;
      Type wider;
      try {
        wider = join(type, next, [&](size_t axis) -> Dim {
          if (widened[j][axis]) return (*type.dims)[axis];
          widened[j][axis] = true;
          return fresh();
        });
      } catch (Error& error) {
        throw error.at(fmt::format("carried value {}", j));
      }
      if (same_shape_and_dtype(type, wider)) continue;
      wider.grid = type.grid;
      type = wider;
      changed = true;
    }
    if (!changed) return body;
  }
}

}  // namespace remodel
