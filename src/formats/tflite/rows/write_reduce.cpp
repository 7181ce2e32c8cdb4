#include "formats/tflite/rows.h"
#include "ops/reduce.h"

namespace remodel::tflite {
namespace {

void write_reduce(WriteNode& node) {
  const auto& op = node.op<Reduce>();
  using Kind = Reduce::Kind;
  std::vector<int64_t> all;
  for (int64_t axis = 0; axis < node.rank(0); ++axis) all.push_back(axis);
  Id axes = -1;
  if (node.has(1)) {
    const auto& listed = node.type(1).dims;
    if (!listed || listed->size() > 1) fail("the number of axes is not known");
    const bool none = listed->size() == 1 && (*listed)[0].is_number(0);
    if (none && op.empty_is_none) fail("a reduction over no axis");
    if (!none && !listed->empty() && !(*listed)[0].at_least(1)) fail("whether there are axes is not known");
    axes = none ? node.integers(all) : node.in(1);
  } else {
    if (op.axes.empty()) fail("a reduction over no axis");
    axes = node.integers(op.axes);
  }
  const bool boolean = node.dtype(0) == DType::boolean;
  const char* type = op.kind == Kind::sum       ? "SUM"
                     : op.kind == Kind::mean    ? "MEAN"
                     : op.kind == Kind::product ? "REDUCE_PROD"
                     : op.kind == Kind::max     ? boolean ? "REDUCE_ANY" : "REDUCE_MAX"
                     : op.kind == Kind::min     ? boolean ? "REDUCE_ALL" : "REDUCE_MIN"
                                                : nullptr;
  if (!type) fail("this reduction has no operator");
  if (is_float(node.dtype(0)) && product(node.dims(0)).is_number(0) &&
      (op.kind == Kind::max || op.kind == Kind::min))
    fail("the extreme of no numbers");
  if (op.kind == Kind::mean && !is_float(node.dtype(0))) fail("a mean of integers");
  node.emit_to(node.outs(), type, {node.in(0), axes}, {Attribute::of("keep_dims", op.keep)});
}

void write_arg(WriteNode& node, const ArgExtreme& op, const char* type) {
  if (op.last) fail("the last of several counts");
  const Dims dims = node.dims(0);
  const int64_t axis = resolve_axis(op.axis, dims.size());
  const Id place = node.scalar(DType::i32, static_cast<double>(axis));
  const Attributes attributes{word("output_type", "INT64")};
  if (!op.keep) return node.emit_to(node.outs(), type, {node.in(0), place}, attributes);
  Dims less = dims;
  less.erase(less.begin() + axis);
  const Id result = node.emit(type, {node.in(0), place}, Type(DType::i64, less), attributes);
  node.reshape_to(node.out(), result, node.result_dims());
}

void write_cumulate(WriteNode& node) {
  const auto& op = node.op<Cumulate>();
  if (op.kind != Cumulate::Kind::sum) fail("a running product has no operator");
  if (node.has(1)) fail("an axis that is only known when the model runs");
  const int64_t axis = resolve_axis(op.axis, node.dims(0).size());
  Attributes attributes;
  if (op.exclusive) attributes.push_back(Attribute::of("exclusive", true));
  if (op.reverse) attributes.push_back(Attribute::of("reverse", true));
  node.emit_to(node.outs(), "CUMSUM", {node.in(0), node.scalar(DType::i32, static_cast<double>(axis))},
               attributes);
}

}  // namespace

void write_reduce_rows(Rows& rows) {
  rows.write<Reduce>(since(1), write_reduce);
  rows.write<ArgMax>(since(1), [](WriteNode& node) { write_arg(node, node.op<ArgMax>(), "ARG_MAX"); });
  rows.write<ArgMin>(since(1), [](WriteNode& node) { write_arg(node, node.op<ArgMin>(), "ARG_MIN"); });
  rows.write<Cumulate>(since(1), write_cumulate);
}

}  // namespace remodel::tflite
