// Sizes in ONNX's operators.
#include "formats/onnx/writer.h"

namespace remodel::onnx {
namespace {

NodeProto proto(std::string type, std::vector<std::string> inputs, Attributes attributes = {}) {
  NodeProto made;
  made.type = std::move(type);
  made.inputs = std::move(inputs);
  made.attributes = std::move(attributes);
  return made;
}

}  // namespace

int FileWriter::number_of(const std::string& name) {
  auto [place, fresh] = numbers_.try_emplace(name, static_cast<int>(numbered_.size()));
  if (fresh) numbered_.push_back(name);
  return place->second;
}

auto GraphWriter::constant(const std::vector<int64_t>& numbers) -> Tensor {
  return file_.number_of(file_.initializer(constant_ints(numbers), "sizes"));
}

bool GraphWriter::has_parts() const { return file_.opset >= 15; }

auto GraphWriter::shape(Tensor value, int64_t first, int64_t end, int64_t rank) -> Tensor {
  Attributes attributes;
  if (first != 0) attributes.push_back(Attribute::of("start", first));
  if (end != rank) attributes.push_back(Attribute::of("end", end));
  return file_.number_of(emit(proto("Shape", {file_.numbered(value)}, attributes)));
}

auto GraphWriter::part(Tensor sizes, int64_t first, int64_t end) -> Tensor {
  std::vector<int64_t> axes;
  for (int64_t i = first; i < end; ++i) axes.push_back(i);
  return file_.number_of(emit(proto("Gather", {file_.numbered(sizes), file_.numbered(constant(axes))},
                                    {Attribute::of("axis", int64_t{0})})));
}

auto GraphWriter::join(const std::vector<Tensor>& lists) -> Tensor {
  std::vector<std::string> names;
  for (Tensor list : lists) names.push_back(file_.numbered(list));
  return file_.number_of(emit(proto("Concat", names, {Attribute::of("axis", int64_t{0})})));
}

auto GraphWriter::compute(Arithmetic what, Tensor first, Tensor second) -> Tensor {
  const std::string a = file_.numbered(first), b = file_.numbered(second);
  const auto binary = [&](std::string type) { return file_.number_of(emit(proto(std::move(type), {a, b}))); };
  switch (what) {
    case Arithmetic::add:
      return binary("Add");
    case Arithmetic::mul:
      return binary("Mul");
    case Arithmetic::floor_div:
      return binary("Div");  // which truncates: the same, as none is negative
    case Arithmetic::min:
    case Arithmetic::max:
      break;
  }
  const bool min = what == Arithmetic::min;
  if (file_.opset >= 12) return binary(min ? "Min" : "Max");
  const std::string less = emit(proto("Less", {a, b}));
  return file_.number_of(emit(proto("Where", {less, min ? a : b, min ? b : a})));
}

// All versions of Shape take these.
bool GraphWriter::can_be_asked(DType dtype) const {
  return dtype == DType::boolean || dtype == DType::f16 || dtype == DType::f32 || dtype == DType::f64 ||
         (is_integer(dtype) && !is_packed(dtype));
}

}  // namespace remodel::onnx
