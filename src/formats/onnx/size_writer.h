// Says sizes in ONNX's operators: as constants, as parts of the shapes of values, or computed from such.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/type.h"

namespace remodel::onnx {

class GraphWriter;

// What one graph or body knows of sizes. What the graphs around it know holds inside it too.
class SizeWriter {
 public:
  SizeWriter(GraphWriter& writer, const SizeWriter* outer) : writer_(writer), outer_(outer) {}

  // From here on the value can be asked for its shape.
  void note(const Type& type, const std::string& name);
  // An i64[n] tensor with these sizes, in as few nodes as are known.
  std::string list(const Dims& dims);
  // About how many nodes `list` would emit.
  int cost(const Dims& dims) const;

 private:
  // A value whose shape holds sizes that are no numbers.
  struct Shaped {
    Dims dims;
    std::string name;
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
  const std::string* made(const std::string& text) const;
  Part find(const Dims& dims, size_t first, size_t count) const;
  int cost_of(const Dims& dims, size_t first, const Part& part) const;
  Plan plan(const Dims& dims) const;
  std::string say(const Dims& sizes, const Part& part);
  std::string computed(const Dim& size);
  std::string constant(const std::vector<int64_t>& numbers);
  std::string keep(const std::string& text, std::string name) { return made_[text] = std::move(name); }

  GraphWriter& writer_;
  const SizeWriter* outer_;
  std::vector<Shaped> shaped_;               // one for each shape, the first value that has it
  std::map<std::string, size_t> by_shape_;   // text of a shape -> its place in `shaped_`
  std::map<std::string, std::string> made_;  // text of sizes, or "shape " and a value -> the tensor
};

}  // namespace remodel::onnx
