// What a user asks of a model's interface while it is read: where to cut it, and the inputs' shapes and
// types. Sizes and types decide how nodes are read, so this comes before any node.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "ir/dim.h"
#include "ir/dtype.h"

namespace remodel {

struct InputShape {
  std::string name;          // "": the shape of the input at this place of the list
  std::optional<Dims> dims;  // nullopt: as it is
};
struct InputType {
  std::string name;
  DType dtype;
};

struct ReadRequest {
  std::vector<std::string> inputs, outputs;  // tensors to cut at; empty: the model's own
  std::vector<InputShape> shapes;
  std::vector<InputType> types;
  std::string signature;  // the entry point, of several; "": the main one

  // The whole model, with all its entry points.
  bool empty() const {
    return inputs.empty() && outputs.empty() && shapes.empty() && types.empty() && signature.empty();
  }
};

// The tensors of a model that a user may name.
class TensorNames {
 public:
  TensorNames() = default;
  explicit TensorNames(const std::vector<std::string>& names) : names_(names.begin(), names.end()) {}
  void add(std::string_view name) { names_.emplace(name); }
  // The name as the model spells it: as given, or without TensorFlow's ":0". Refuses unknown ones and names
  // what is near. `what` is "tensor" or "input".
  std::string find(const std::string& name, std::string_view what) const;

 private:
  std::unordered_set<std::string> names_;
};

// Parses "1,300,300,3;1,10" and "name=1,3,224,224". A size may be -1 or ? where it is not known, or a symbol.
std::vector<InputShape> parse_input_shapes(std::string_view text);
// Parses "ids=int32,mask=bool".
std::vector<InputType> parse_input_types(std::string_view text);
// "a, b" -> {"a", "b"}
std::vector<std::string> parse_names(std::string_view text);

// Follows one request of several: what is wrong with it joins the problems, so that all are told at once.
void follow(std::vector<Error>& problems, const std::function<void()>& request);

// The shapes by name, of inputs in this order. Too many, too few, and names that are no inputs are problems.
std::vector<InputShape> named_shapes(std::vector<InputShape> shapes, const std::vector<std::string>& inputs,
                                     std::vector<Error>& problems);
// The types by the names that the model has for its inputs.
std::vector<InputType> named_types(std::vector<InputType> types, const std::vector<std::string>& inputs,
                                   std::vector<Error>& problems);

}  // namespace remodel
