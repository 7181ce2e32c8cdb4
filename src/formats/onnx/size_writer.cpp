#include "formats/onnx/size_writer.h"

#include <algorithm>

#include "base/error.h"
#include "formats/onnx/writer.h"

namespace remodel::onnx {
namespace {

// Parts of one list are joined by one more node; between plans of equal cost the fewer parts are better.
constexpr int node = 100, part_more = 1;

bool has_symbols(const Dims& dims) {
  return std::any_of(dims.begin(), dims.end(), [](const Dim& dim) { return !dim.is_number(); });
}

bool all_numbers(const Dims& dims) { return !has_symbols(dims); }

// All versions of Shape take these.
bool can_be_asked(DType dtype) {
  return dtype == DType::boolean || dtype == DType::f16 || dtype == DType::f32 || dtype == DType::f64 ||
         (is_integer(dtype) && !is_packed(dtype));
}

NodeProto proto(std::string type, std::vector<std::string> inputs, Attributes attributes = {}) {
  NodeProto made;
  made.type = std::move(type);
  made.inputs = std::move(inputs);
  made.attributes = std::move(attributes);
  return made;
}

std::string key(const Dims& dims) { return dims.size() == 1 ? dims[0].text() : text_of(dims); }

Dims slice(const Dims& dims, size_t first, size_t count) {
  auto begin = dims.begin() + static_cast<std::ptrdiff_t>(first);
  return Dims(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

void SizeWriter::note(const Type& type, const std::string& name) {
  if (!type.is_tensor() || !type.dims || !can_be_asked(type.dtype) || !has_symbols(*type.dims)) return;
  if (by_shape_.emplace(text_of(*type.dims), shaped_.size()).second) shaped_.push_back({*type.dims, name});
}

const std::string* SizeWriter::made(const std::string& text) const {
  for (const SizeWriter* scope = this; scope; scope = scope->outer_)
    if (auto place = scope->made_.find(text); place != scope->made_.end()) return &place->second;
  return nullptr;
}

// The first value that has these sizes side by side, the whole of whose shape they are if there is such.
SizeWriter::Part SizeWriter::find(const Dims& dims, size_t first, size_t count) const {
  Part part{count, nullptr, 0};
  for (const SizeWriter* scope = this; scope; scope = scope->outer_) {
    if (count == dims.size())
      if (auto place = scope->by_shape_.find(text_of(dims)); place != scope->by_shape_.end())
        return {count, &scope->shaped_[place->second], 0};
    for (const Shaped& shaped : scope->shaped_)
      for (size_t axis = 0; axis + count <= shaped.dims.size() && !part.from; ++axis)
        if (std::equal(dims.begin() + static_cast<std::ptrdiff_t>(first),
                       dims.begin() + static_cast<std::ptrdiff_t>(first + count),
                       shaped.dims.begin() + static_cast<std::ptrdiff_t>(axis)))
          part.from = &shaped, part.axis = axis;
  }
  return part;
}

int SizeWriter::cost_of(const Dims& dims, size_t first, const Part& part) const {
  const Dims sizes = slice(dims, first, part.count);
  if (all_numbers(sizes) || made(key(sizes))) return 0;
  if (!part.from) {
    // Computed from what is computed or asked for itself.
    int nodes = 0;
    const Dim& size = sizes[0];
    for (const Dim::Term& term : size.terms())
      nodes += static_cast<int>(term.atoms.size()) + (term.factor != 1 ? 1 : 0);
    return node * (nodes + (size.rest() != 0 ? 1 : 0));
  }
  if (writer_.file_.opset >= 15) return node;
  bool whole = part.count == part.from->dims.size();
  return node * ((made("shape " + part.from->name) ? 0 : 1) + (whole ? 0 : 1));
}

SizeWriter::Plan SizeWriter::plan(const Dims& dims) const {
  std::vector<Plan> best(dims.size() + 1);
  for (size_t end = 1; end <= dims.size(); ++end) {
    bool first_plan = true;
    for (size_t first = 0; first < end; ++first) {
      const Dims sizes = slice(dims, first, end - first);
      Part part{end - first, nullptr, 0};
      if (has_symbols(sizes) && !made(key(sizes))) {
        part = find(dims, first, end - first);
        if (!part.from && part.count > 1) continue;
      }
      int cost = best[first].cost + cost_of(dims, first, part) + part_more;
      if (!first_plan && cost >= best[end].cost) continue;
      first_plan = false;
      best[end] = best[first];
      best[end].parts.push_back(part);
      best[end].cost = cost;
    }
  }
  Plan chosen = std::move(best.back());
  if (chosen.parts.size() > 1) chosen.cost += node;
  return chosen;
}

int SizeWriter::cost(const Dims& dims) const {
  return all_numbers(dims) || made(key(dims)) ? 0 : plan(dims).cost / node;
}

std::string SizeWriter::constant(const std::vector<int64_t>& numbers) {
  return writer_.file_.initializer(constant_ints(numbers), "sizes");
}

std::string SizeWriter::list(const Dims& dims) {
  if (auto known = numbers(dims)) return constant(*known);
  if (const std::string* name = made(key(dims))) return *name;
  std::vector<std::string> names;
  size_t first = 0;
  const std::vector<Part> parts = plan(dims).parts;
  for (const Part& part : parts) {
    names.push_back(say(slice(dims, first, part.count), part));
    first += part.count;
  }
  if (names.size() == 1) return names[0];
  return keep(key(dims), writer_.emit(proto("Concat", names, {Attribute::of("axis", int64_t{0})})));
}

std::string SizeWriter::say(const Dims& sizes, const Part& part) {
  if (auto known = numbers(sizes)) return constant(*known);
  if (const std::string* name = made(key(sizes))) return *name;
  if (!part.from) return keep(key(sizes), computed(sizes[0]));
  const std::string from = part.from->name;
  const auto axis = static_cast<int64_t>(part.axis), end = static_cast<int64_t>(part.axis + part.count);
  const bool whole = part.count == part.from->dims.size();
  if (writer_.file_.opset >= 15) {
    Attributes attributes;
    if (axis != 0) attributes.push_back(Attribute::of("start", axis));
    if (!whole && end != static_cast<int64_t>(part.from->dims.size()))
      attributes.push_back(Attribute::of("end", end));
    return keep(key(sizes), writer_.emit(proto("Shape", {from}, attributes)));
  }
  const std::string* known = made("shape " + from);
  std::string shape = known ? *known : keep("shape " + from, writer_.emit(proto("Shape", {from})));
  if (whole) return keep(key(sizes), shape);
  std::vector<int64_t> axes;
  for (int64_t i = axis; i < end; ++i) axes.push_back(i);
  return keep(key(sizes),
              writer_.emit(proto("Gather", {shape, constant(axes)}, {Attribute::of("axis", int64_t{0})})));
}

std::string SizeWriter::computed(const Dim& size) {
  if (std::string_view symbol = size.symbol_name(); !symbol.empty())
    fail("the size '{}' is not found in any input", symbol);
  auto emit = [&](std::string type, std::vector<std::string> inputs) {
    return writer_.emit(proto(std::move(type), std::move(inputs)));
  };
  std::string result;
  for (const Dim::Term& term : size.terms()) {
    std::string product;
    for (const auto& atom : term.atoms) {
      std::string factor;
      if (atom->kind == Dim::Atom::symbol) {
        factor = list({Dim::symbol(atom->name)});
      } else {
        std::string a = list({atom->arguments[0]}), b = list({atom->arguments[1]});
        // Sizes are not negative, so truncation is floor.
        if (atom->kind == Dim::Atom::floor_div)
          factor = emit("Div", {a, b});
        else if (writer_.file_.opset >= 12)
          factor = emit(atom->kind == Dim::Atom::min ? "Min" : "Max", {a, b});
        else
          factor = emit("Where", {emit("Less", {a, b}), atom->kind == Dim::Atom::min ? a : b,
                                  atom->kind == Dim::Atom::min ? b : a});
      }
      product = product.empty() ? factor : emit("Mul", {product, factor});
    }
    if (term.factor != 1) product = emit("Mul", {product, constant({term.factor})});
    result = result.empty() ? product : emit("Add", {result, product});
  }
  return size.rest() != 0 ? emit("Add", {result, constant({size.rest()})}) : result;
}

}  // namespace remodel::onnx
