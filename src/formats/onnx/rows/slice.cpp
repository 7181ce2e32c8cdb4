#include "ops/slice.h"

#include <algorithm>

#include "formats/onnx/rows.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

int64_t counted_axis(ReadNode& node, int64_t axis) {
  return node.type(0).dims ? resolve_axis(axis, node.rank(0)) : axis;
}

std::vector<int64_t> first_axes(size_t count) {
  std::vector<int64_t> axes;
  for (size_t axis = 0; axis < count; ++axis) axes.push_back(axis);
  return axes;
}

void read_concat(ReadNode& node) {
  int64_t axis = node.version() < 4 ? node.integer("axis", 1) : node.integer("axis");
  node.emit_results(Concat{counted_axis(node, axis)}, node.operands());
}

// Sizes are an attribute, in opset 1 and from 13 on an input; left out, the parts are equal. From opset 18 on
// the last part may be smaller.
void read_split(ReadNode& node) {
  Split op;
  op.axis = counted_axis(node, node.integer("axis", 0));
  if (node.version() >= 2 && node.version() < 13) op.sizes = to_dims(node.integers("split"));
  if (node.version() == 1) {
    op.sizes = to_dims(node.integers("split"));
    if (ConstantPtr sizes = node.constant(1))
      for (double size : sizes->tensor().doubles()) op.sizes.push_back(static_cast<int64_t>(size));
    else if (node.has_input(1))
      fail("input 1 must be a constant");
  }
  bool given = node.version() >= 13 && node.has_input(1);
  int64_t parts = node.version() >= 18 ? node.integer("num_outputs", node.outputs()) : node.outputs();
  if (given) {
    auto sizes = node.sizes(1);
    if (!sizes) return node.emit_results(op, {node.input(0), node.input(1)});
    op.sizes = *sizes;
  } else if (op.sizes.empty() && node.type(0).dims) {
    if (parts != static_cast<int64_t>(node.outputs()))
      fail("{} outputs for num_outputs {}", node.outputs(), parts);
    const Dim& length = (*node.type(0).dims)[op.axis];
    op.sizes = node.version() >= 18 ? equal_parts(length, parts) : Dims(parts, floor_div(length, parts));
  }
  node.emit_results(op, {node.input(0)});
}

// How sizes that are not numbers can be said without computing them.
enum class Parts { listed, equal };
Parts parts_of(const WriteNode& node) {
  const auto& op = node.op<Split>();
  if (op.sizes.empty()) return Parts::equal;
  if (numbers(op.sizes)) return Parts::listed;
  if (std::all_of(op.sizes.begin(), op.sizes.end(), [&](const Dim& size) { return size == op.sizes[0]; }))
    return Parts::equal;
  const auto& dims = node.type(0).dims;
  bool newest = node.opset() >= 18 && dims;
  if (newest && op.sizes == equal_parts((*dims)[resolve_axis(op.axis, dims->size())], op.sizes.size()))
    return Parts::equal;
  return Parts::listed;
}

void write_split(WriteNode& node) {
  const auto& op = node.op<Split>();
  Attributes attributes{Attribute::of("axis", op.axis)};
  std::vector<std::string> inputs{node.in(0)}, outputs;
  // Every part needs a name, or their number would not be known.
  for (size_t k = 0; k < node.outputs(); ++k)
    outputs.push_back(node.wants(k) ? node.out(k) : node.fresh_name("unused"));
  if (node.has(1)) {
    inputs.push_back(node.in(1));
  } else if (parts_of(node) == Parts::equal) {
    if (node.opset() >= 18)
      attributes.push_back(Attribute::of("num_outputs", static_cast<int64_t>(node.outputs())));
  } else if (node.opset() >= 13) {
    inputs.push_back(node.sizes(op.sizes));
  } else {
    attributes.push_back(Attribute::of("split", *numbers(op.sizes)));
  }
  node.emit_to(outputs, "Split", inputs, attributes);
}

std::string has_split(const WriteNode& node) {
  if (node.opset() >= 13) return "";
  if (node.has(1)) return "the sizes are only known when it runs";
  bool said = parts_of(node) == Parts::equal || numbers(node.op<Split>().sizes);
  return said ? "" : "the sizes " + text_of(node.op<Split>().sizes) + " depend on the input's";
}

void read_slice(ReadNode& node) {
  bool attributes = node.version() < 10 && node.proto().type == "Slice";
  auto integers = [&](const char* name, size_t i) -> std::optional<Dims> {
    if (!attributes) return node.has_input(i) ? node.sizes(i) : Dims{};
    return to_dims(node.integers(name));
  };
  auto starts = integers("starts", 1), ends = integers("ends", 2), axes = integers("axes", 3);
  auto steps = attributes ? Dims{} : integers("steps", 4);
  auto dynamic = [&] {
    std::vector<ValueId> operands = node.operands();
    if (attributes) {
      for (const auto& list : {*starts, *ends})
        operands.push_back(node.add_constant(constant_ints(*numbers(list))));
      operands.push_back(axes->empty() ? absent : node.add_constant(constant_ints(*numbers(*axes))));
    }
    node.emit_results(DynamicSlice{}, operands);
  };
  if (!starts || !ends || !axes || !steps || !node.type(0).dims) return dynamic();
  const Dims& from = *node.type(0).dims;
  size_t count = starts->size();
  if (axes->empty()) axes = to_dims(first_axes(count));
  if (steps->empty()) steps = Dims(count, 1);
  if (ends->size() != count || axes->size() != count || steps->size() != count)
    fail("{} starts, {} ends, {} axes, {} steps", count, ends->size(), axes->size(), steps->size());
  if (!numbers(*axes) || !numbers(*steps)) return dynamic();
  Slice op;
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = resolve_axis((*axes)[i].number(), from.size());
    auto span = resolve_slice(from[axis], (*starts)[i], (*ends)[i], (*steps)[i].number());
    if (!span) return dynamic();
    op.axes.push_back(axis);
    op.starts.push_back(span->start);
    op.sizes.push_back(span->size);
    op.steps.push_back((*steps)[i].number());
  }
  node.emit_results(op, {node.input(0)});
}

// The arguments of all min and max that occur in an expression.
void collect_bounds(const Dim& dim, Dims& to) {
  for (const auto& term : dim.terms())
    for (const auto& atom : term.atoms)
      if (atom->kind == Dim::Atom::min || atom->kind == Dim::Atom::max)
        for (const Dim& argument : atom->arguments) {
          to.push_back(argument);
          collect_bounds(argument, to);
        }
}

struct Bounds {
  Dim start, end;
};

// A start and end that ONNX clamps to the same elements, numbers where there are any.
Bounds bounds_of(const std::optional<Dim>& length, const Dim& start, const Dim& size, int64_t step) {
  // A step beyond the end of any axis is as long as another.
  step = std::clamp<int64_t>(step, -INT32_MAX, INT32_MAX);
  Dim end = start + size * Dim(step);
  if (!length) return {start, end.is_number() && end.number() < 0 ? Dim(-INT64_MAX) : end};
  Dims starts{start}, ends{end, step > 0 ? INT64_MAX : -INT64_MAX}, inner;
  collect_bounds(start, inner);
  starts.push_back(start - *length);
  for (const Dim& bound : inner) starts.push_back(bound - *length);
  inner.clear();
  collect_bounds(size, inner);
  ends.push_back(end - *length);
  for (const Dim& bound : inner) {
    Dim other = start + bound * Dim(step);
    ends.push_back(other);
    ends.push_back(other - *length);
    ends.push_back(bound);
  }
  Bounds best{start, step > 0 ? end : end - *length};
  size_t best_cost = SIZE_MAX;
  for (const Dim& s : starts)
    for (const Dim& e : ends) {
      size_t cost = (s.is_number() ? 0 : s.text().size()) + (e.is_number() ? 0 : e.text().size());
      if (cost >= best_cost) continue;
      auto span = resolve_slice(*length, s, e, step);
      if (!span || !(span->size == size) || !(span->start == start || size.is_number(0))) continue;
      best = {s, e};
      best_cost = cost;
    }
  return best;
}

struct SliceForm {
  Dims starts, ends;
};
SliceForm slice_form(const WriteNode& node) {
  const auto& op = node.op<Slice>();
  const auto& dims = node.type(0).dims;
  SliceForm form;
  for (size_t i = 0; i < op.axes.size(); ++i) {
    std::optional<Dim> length;
    if (dims) length = (*dims)[resolve_axis(op.axes[i], dims->size())];
    Bounds bounds = bounds_of(length, op.starts[i], op.sizes[i], op.steps[i]);
    form.starts.push_back(bounds.start);
    form.ends.push_back(bounds.end);
  }
  return form;
}

void write_slice(WriteNode& node) {
  const auto& op = node.op<Slice>();
  SliceForm form = slice_form(node);
  if (node.opset() < 10)
    return node.emit_to(node.outs(), "Slice", {node.in(0)},
                        {Attribute::of("axes", op.axes), Attribute::of("starts", *numbers(form.starts)),
                         Attribute::of("ends", *numbers(form.ends))});
  std::vector<std::string> inputs{node.in(0), node.sizes(form.starts), node.sizes(form.ends),
                                  node.integers(op.axes)};
  if (std::any_of(op.steps.begin(), op.steps.end(), [](int64_t step) { return step != 1; }))
    inputs.push_back(node.integers(op.steps));
  node.emit_to(node.outs(), "Slice", inputs);
}

std::string has_slice(const WriteNode& node) {
  if (node.opset() >= 10) return "";
  const auto& op = node.op<Slice>();
  if (std::any_of(op.steps.begin(), op.steps.end(), [](int64_t step) { return step != 1; }))
    return "steps other than 1 need opset 10";
  SliceForm form = slice_form(node);
  return numbers(form.starts) && numbers(form.ends) ? "" : "bounds that depend on sizes need opset 10";
}

PadMode pad_mode(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "reflect") return PadMode::reflect;
  if (name == "edge") return PadMode::edge;
  if (name == "wrap") return PadMode::wrap;
  fail("attribute 'mode': the value '{}' is not known", name);
}

// Attributes, and a number for the value, before opset 11.
void read_pad_2(ReadNode& node) {
  PadMode mode = pad_mode(node.text("mode", "constant"));
  std::vector<int64_t> pads = node.integers(node.version() < 2 ? "paddings" : "pads");
  double value = node.real("value", 0);
  if (node.version() < 2) {
    // The text orders them as starts and ends, its example by axis.
    std::vector<int64_t> by_axis;
    for (size_t i = 0; i < pads.size() / 2; ++i)
      by_axis.insert(by_axis.end(), {pads[i], pads[pads.size() / 2 + i]});
    if (by_axis != pads) fail("opset 1 does not say in which order the paddings stand");
  }
  ValueId fill = absent;
  if (mode == PadMode::constant && value != 0) fill = node.add_scalar(node.type(0).dtype, value);
  auto axes = first_axes(pads.size() / 2);
  int64_t rank = node.type(0).dims ? node.rank(0) : axes.size();
  node.emit_results(resolve_pads(mode, to_dims(pads), axes, rank), {node.input(0), fill});
}

bool is_zero(const Constant& constant) {
  if (constant.count() != 1) return false;
  if (constant.strings()) return constant.strings()->at(0).empty();
  Tensor value = constant.tensor();
  return std::all_of(value.bytes().data(), value.bytes().data() + value.byte_count(),
                     [](uint8_t b) { return b == 0; });
}

void read_pad(ReadNode& node) {
  PadMode mode = pad_mode(node.text("mode", "constant"));
  ValueId value = mode == PadMode::constant ? node.input_or_absent(2) : absent;
  if (value != absent && node.constant(2) && is_zero(*node.constant(2))) value = absent;
  auto pads = node.sizes(1);
  auto axes = node.has_input(3) ? node.known_integers(3) : std::nullopt;
  if (!node.has_input(3) && node.type(0).dims) axes = first_axes(node.rank(0));
  if (pads && axes && node.type(0).dims)
    return node.emit_results(resolve_pads(mode, *pads, *axes, node.rank(0)), {node.input(0), value});
  node.emit_results(Pad{{}, {}, mode}, {node.input(0), value, node.input(1), node.input_or_absent(3)});
}

const char* mode_name(PadMode mode) {
  switch (mode) {
    case PadMode::reflect:
      return "reflect";
    case PadMode::edge:
      return "edge";
    case PadMode::wrap:
      return "wrap";
    default:
      return "constant";
  }
}

void write_pad(WriteNode& node) {
  const auto& op = node.op<Pad>();
  Attributes attributes;
  if (op.mode != PadMode::constant)
    attributes.push_back(Attribute::of("mode", std::string(mode_name(op.mode))));
  Dims pads = op.low;
  pads.insert(pads.end(), op.high.begin(), op.high.end());
  if (node.opset() < 11) {
    attributes.push_back(Attribute::of("pads", *numbers(pads)));
    if (node.has(1)) attributes.push_back(Attribute::of("value", node.constant(1)->tensor().doubles()[0]));
    return node.emit_to(node.outs(), "Pad", {node.in(0)}, attributes);
  }
  std::vector<std::string> inputs{node.in(0), node.has(2) ? node.in(2) : node.sizes(pads), node.in(1),
                                  node.in(3)};
  while (inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), "Pad", inputs, attributes);
}

std::string has_pad(const WriteNode& node) {
  const auto& op = node.op<Pad>();
  if (op.mode == PadMode::symmetric) return "ONNX has no symmetric padding";
  if (op.mode == PadMode::wrap && node.opset() < 19) return "wrapping needs opset 19";
  if (node.has(3) && node.opset() < 18) return "the padded axes are only known when it runs";
  // Runtimes reflect only once.
  const auto& dims = node.type(0).dims;
  for (size_t axis = 0; dims && op.mode != PadMode::constant && axis < op.low.size(); ++axis)
    for (const Dim& pad : {op.low[axis], op.high[axis]}) {
      const Dim& length = (*dims)[axis];
      bool known = pad.is_number() && length.is_number();
      if (known && op.mode != PadMode::edge && pad.number() >= length.number())
        return "the padding is longer than the axis";
      if (pad.is_number() && pad.number() < 0) return "repeating pads cannot be negative";
    }
  if (node.opset() >= 11) {
    bool others = !is_float(node.dtype(0)) && !is_integer(node.dtype(0));
    return node.opset() < 13 && others ? "padding this type needs opset 13" : "";
  }
  if (node.has(2) || !numbers(op.low) || !numbers(op.high)) return "pads that depend on sizes need opset 11";
  if (!is_float(node.dtype(0))) return "padding integers needs opset 11";
  const Constant* value = node.constant(1);
  if (node.has(1) && !value) return "a computed padding value needs opset 11";
  if (value) {
    double number = value->tensor().doubles()[0];
    if (static_cast<double>(static_cast<float>(number)) != number) return "the padding value is no float";
  }
  return "";
}

void read_center_crop_pad(ReadNode& node) {
  CenterCropPad op{node.integers("axes")};
  auto sizes = node.sizes(1);
  const auto& dims = node.type(0).dims;
  if (!sizes || !dims) return node.emit_results(op, {node.input(0), node.input(1)});
  std::vector<int64_t> axes = op.axes.empty() ? first_axes(dims->size()) : op.axes;
  if (sizes->size() != axes.size()) fail("{} sizes for {} axes", sizes->size(), axes.size());
  Dims pads(axes.size() * 2, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    Span span = center_pads((*dims)[resolve_axis(axes[i], dims->size())], (*sizes)[i]);
    pads[i] = span.start;
    pads[axes.size() + i] = span.size;
  }
  node.emit_results(resolve_pads(PadMode::constant, pads, axes, dims->size()), {node.input(0)});
}

std::string has_reverse_sequence(const WriteNode& node) {
  const auto& op = node.op<ReverseSequence>();
  const int64_t rank = node.rank(0);
  for (int64_t axis : {op.time_axis, op.batch_axis})
    if (axis > 1 || (axis < 0 && (rank < 0 || axis + rank > 1)))
      return "ONNX's ReverseSequence wants time and batch as the first two axes";
  return "";
}

// Its numbers have one type.
void write_dynamic_slice(WriteNode& node) {
  std::vector<std::string> operands = node.ins();
  bool same = true;
  for (size_t i = 2; i < operands.size(); ++i)
    same = same && (!node.has(i) || node.dtype(i) == node.dtype(1));
  for (size_t i = 1; i < operands.size() && !same; ++i)
    if (node.has(i) && node.dtype(i) != DType::i64) operands[i] = node.cast(operands[i], DType::i64);
  node.emit_to(node.outs(), "Slice", std::move(operands));
}

}  // namespace

void slice_rows(Rows& rows) {
  rows.read("Concat", since(1), read_concat);
  rows.row<Concat>("Concat", since(4), {attr("axis", &Concat::axis, Required{})});
  rows.read("Split", since(1), read_split);
  rows.write<Split>(since(2), write_split, has_split);
  rows.read("Slice", since(1), read_slice);
  rows.read("DynamicSlice", since(1), read_slice);
  rows.write<Slice>(since(1), write_slice, has_slice);
  rows.write<DynamicSlice>(since(10), write_dynamic_slice);
  rows.read("Pad", range(1, 10), read_pad_2);
  rows.read("Pad", since(11), read_pad);
  rows.write<Pad>(since(2), write_pad, has_pad);
  rows.read("CenterCropPad", since(18), read_center_crop_pad);
  rows.row<CenterCropPad>("CenterCropPad", since(18), {attr("axes", &CenterCropPad::axes)});
  rows.row<ReverseSequence>("ReverseSequence", since(10),
                            {attr("time_axis", &ReverseSequence::time_axis, int64_t{0}),
                             attr("batch_axis", &ReverseSequence::batch_axis, int64_t{1})},
                            has_reverse_sequence);
}

}  // namespace remodel::onnx
