// Sizes in TensorFlow Lite's operators, as i32.
#include "formats/tflite/writer.h"

namespace remodel::tflite {
namespace {

Operator made(std::string type, Ids inputs, Id output, Attributes attributes = {}) {
  Operator result;
  result.type = std::move(type);
  result.inputs = std::move(inputs);
  result.outputs = {output};
  result.attributes = std::move(attributes);
  return result;
}

Type list_of(int64_t count) { return Type(DType::i32, {Dim(count)}); }

}  // namespace

auto GraphWriter::shape(Tensor value, int64_t first, int64_t end, int64_t rank) -> Tensor {
  (void)first;
  (void)end;
  const Id result = add_tensor("shape", list_of(rank));
  emit(made("SHAPE", {value}, result, {word("out_type", "INT32")}));
  return result;
}

auto GraphWriter::part(Tensor sizes, int64_t first, int64_t end) -> Tensor {
  const Id result = add_tensor("sizes", list_of(end - first));
  emit(made("SLICE", {sizes, integers({first}), integers({end - first})}, result));
  return result;
}

auto GraphWriter::join(const std::vector<Tensor>& lists) -> Tensor {
  int64_t count = 0;
  for (Tensor list : lists) count += (*type_of(list).dims)[0].number();
  const Id result = add_tensor("sizes", list_of(count));
  emit(made("CONCATENATION", lists, result, {Attribute::of("axis", int64_t{0})}));
  return result;
}

auto GraphWriter::compute(Arithmetic what, Tensor a, Tensor b) -> Tensor {
  static constexpr std::string_view types[] = {"ADD", "MUL", "FLOOR_DIV", "MINIMUM", "MAXIMUM"};
  const Id result = add_tensor("size", list_of(1));
  emit(made(std::string(types[static_cast<int>(what)]), {a, b}, result));
  return result;
}

}  // namespace remodel::tflite
