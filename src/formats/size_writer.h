// Says sizes in a format's operators: as constants, as parts of the shapes of values, or computed from such.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/type.h"

namespace remodel {

// What a format says sizes with. It gives each tensor a number; those of sizes are lists of integers.
class SizeOperators {
 public:
  using Tensor = int;
  enum class Arithmetic : uint8_t { add, mul, floor_div, min, max };

  virtual ~SizeOperators() = default;
  virtual Tensor constant(const std::vector<int64_t>& numbers) = 0;
  // The sizes of the axes first .. end of a value of that rank; `has_parts`: by one operator, whatever they
  // are. Otherwise it is only asked for all of them.
  virtual bool has_parts() const = 0;
  virtual Tensor shape(Tensor value, int64_t first, int64_t end, int64_t rank) = 0;
  virtual Tensor part(Tensor sizes, int64_t first, int64_t end) = 0;
  virtual Tensor join(const std::vector<Tensor>& lists) = 0;
  // Of lists of one element, none of which is negative.
  virtual Tensor compute(Arithmetic what, Tensor a, Tensor b) = 0;
  // Whether a value of the type can be asked for its sizes.
  virtual bool can_be_asked(DType dtype) const = 0;
};

// What one graph or body knows of sizes. What the graphs around it know holds inside it too, if it sees them.
class SizeWriter {
 public:
  using Tensor = SizeOperators::Tensor;

  SizeWriter(SizeOperators& operators, const SizeWriter* outer) : operators_(operators), outer_(outer) {}

  // From here on the value can be asked for its shape.
  void note(const Type& type, Tensor value);
  // A tensor that holds these sizes.
  void know(const Dims& sizes, Tensor tensor);
  // A tensor with these sizes, in as few nodes as are known.
  Tensor list(const Dims& dims);
  // About how many nodes `list` would emit.
  int cost(const Dims& dims) const;

 private:
  // A value whose shape holds sizes that are no numbers.
  struct Shaped {
    Dims dims;
    Tensor value;
  };
  // Consecutive sizes of a list, said in one way.
  struct Part {
    size_t count = 0;
    const Shaped* from = nullptr;  // null: numbers, or one size that is computed
    size_t axis = 0;
  };
  struct Plan {
    std::vector<Part> parts;
    int cost = 0;
  };
  const Tensor* made(const std::string& text) const;
  Part find(const Dims& dims, size_t first, size_t count) const;
  int cost_of(const Dims& dims, size_t first, const Part& part) const;
  Plan plan(const Dims& dims) const;
  Tensor say(const Dims& sizes, const Part& part);
  Tensor computed(const Dim& size);
  Tensor keep(const std::string& text, Tensor tensor) { return made_[text] = tensor; }

  SizeOperators& operators_;
  const SizeWriter* outer_;
  std::vector<Shaped> shaped_;              // one for each shape, the first value that has it
  std::map<std::string, size_t> by_shape_;  // text of a shape -> its place in `shaped_`
  std::map<std::string, Tensor> made_;      // text of sizes, or "shape " and a value -> the tensor
};

}  // namespace remodel
