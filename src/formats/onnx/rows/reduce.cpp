#include "ops/reduce.h"

#include <numeric>

#include "formats/onnx/rows.h"
#include "ops/dropout.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

using Kind = Reduce::Kind;

struct KindName {
  Kind kind;
  const char* type;
};
constexpr KindName kind_names[] = {{Kind::sum, "ReduceSum"},
                                   {Kind::mean, "ReduceMean"},
                                   {Kind::product, "ReduceProd"},
                                   {Kind::max, "ReduceMax"},
                                   {Kind::min, "ReduceMin"},
                                   {Kind::l1, "ReduceL1"},
                                   {Kind::l2, "ReduceL2"},
                                   {Kind::log_sum, "ReduceLogSum"},
                                   {Kind::log_sum_exp, "ReduceLogSumExp"},
                                   {Kind::sum_of_squares, "ReduceSumSquare"}};

// The first opset that takes the axes as an input.
int axes_are_input_since(Kind kind) { return kind == Kind::sum ? 13 : 18; }

void read_reduce(ReadNode& node, Kind kind) {
  Reduce op{kind, {}, node.integer("keepdims", 1) != 0, false};
  std::optional<std::vector<int64_t>> axes;
  bool as_input = node.version() >= axes_are_input_since(kind);
  if (!as_input) {
    axes = node.integers("axes");
  } else {
    op.empty_is_none = node.integer("noop_with_empty_axes", 0) != 0;
    axes = node.has_input(1) ? node.known_integers(1) : std::vector<int64_t>();
  }
  const auto& dims = node.type(0).dims;
  if (axes && (dims || !axes->empty())) {
    if (axes->empty() && !op.empty_is_none) {
      axes->resize(dims->size());
      std::iota(axes->begin(), axes->end(), 0);
    }
    op.axes = *axes, op.empty_is_none = false;
    return node.emit_results(op, {node.input(0)});
  }
  ValueId listed = as_input && node.has_input(1) ? node.input(1) : node.add_constant(constant_ints({}));
  node.emit_results(op, {node.input(0), listed});
}

template <Kind kind>
void read_kind(ReadNode& node) {
  read_reduce(node, kind);
}

const char* type_of(const Reduce& op) {
  for (const auto& [kind, type] : kind_names)
    if (kind == op.kind) return type;
  return "";
}

void write_reduce(WriteNode& node) {
  const auto& op = node.op<Reduce>();
  bool as_input = node.opset() >= axes_are_input_since(op.kind);
  Attributes attributes{Attribute::of("keepdims", int64_t{op.keep})};
  std::vector<std::string> inputs{node.in(0)};
  std::vector<int64_t> axes = op.axes;
  bool empty_is_none = node.has(1) ? op.empty_is_none : true;
  if (node.has(1) && !as_input) axes = node.constant(1)->tensor().ints();
  if (as_input && (node.has(1) || !axes.empty()))
    inputs.push_back(node.has(1) ? node.in(1) : node.integers(axes));
  if (!as_input && !axes.empty()) attributes.push_back(Attribute::of("axes", axes));
  if (as_input && empty_is_none && (node.has(1) || axes.empty()))
    attributes.push_back(Attribute::of("noop_with_empty_axes", int64_t{1}));
  node.emit_to(node.outs(), type_of(op), inputs, attributes);
}
std::string cannot_reduce(const WriteNode& node) {
  const auto& op = node.op<Reduce>();
  if (node.opset() >= axes_are_input_since(op.kind)) return "";
  if (node.has(1) && !node.constant(1)) return "the axes are computed when the model runs";
  bool none = node.has(1) ? node.constant(1)->count() == 0 && op.empty_is_none : op.axes.empty();
  if (none && node.rank(0) != 0) return "no axis is reduced";
  return "";
}

template <class Op>
void arg_rows(Rows& rows, const char* type) {
  auto slots = [] {
    return std::vector<Slot>{attr("axis", &Op::axis, int64_t{0}), attr("keepdims", &Op::keep, int64_t{1})};
  };
  rows.row<Op>(type, range(1, 11), slots(), [](const WriteNode& node) -> std::string {
    return node.op<Op>().last ? "it finds the first place before opset 12" : "";
  });
  std::vector<Slot> with_last = slots();
  with_last.push_back(attr("select_last_index", &Op::last, int64_t{0}));
  rows.row<Op>(type, since(12), with_last);
}

void read_cum_sum(ReadNode& node) {
  Cumulate op;
  op.exclusive = node.integer("exclusive", 0) != 0;
  op.reverse = node.integer("reverse", 0) != 0;
  auto axis = node.known_integers(1);
  if (!axis) return node.emit_results(op, {node.input(0), node.input(1)});
  if (axis->size() != 1) fail("the axis must be one number");
  op.axis = (*axis)[0];
  node.emit_results(op, {node.input(0)});
}
void write_cum_sum(WriteNode& node) {
  const auto& op = node.op<Cumulate>();
  Attributes attributes;
  if (op.exclusive) attributes.push_back(Attribute::of("exclusive", int64_t{1}));
  if (op.reverse) attributes.push_back(Attribute::of("reverse", int64_t{1}));
  std::string axis = node.has(1) ? node.in(1) : node.scalar(DType::i64, static_cast<double>(op.axis));
  node.emit_to(node.outs(), "CumSum", {node.in(0), axis}, attributes);
}

// What is dropped at inference is nothing. Before opset 7 `is_test` said so, and runtimes go by it whatever
// it says.
void read_dropout(ReadNode& node) {
  node.ignore("consumed_inputs"), node.ignore("is_test"), node.ignore("ratio"), node.ignore("seed");
  bool training = false;
  if (node.version() >= 12 && node.has_input(2)) {
    ConstantPtr given = node.constant(2), ratio = node.constant(1);
    training = !given || given->tensor().ints().at(0) != 0;
    if (given && node.has_input(1) && ratio && splat_value(*ratio) == 0.0) training = false;
  }
  if (training) {
    Dropout op;
    op.seeded = node.has("seed"), op.seed = node.integer("seed", 0);
    return node.emit_results(op, node.operands());
  }
  node.result(0, node.input(0));
  if (!node.wants(1)) return;
  DType dtype = node.version() < 10 ? node.type(0).dtype : DType::boolean;
  ValueId one = node.add_scalar(dtype, 1);
  const auto& dims = node.type(0).dims;
  if (dims)
    node.result(1, node.emit(Expand{*dims}, {one}));
  else
    node.result(1, node.emit(Expand{}, {one, node.emit(ShapeOf{}, {node.input(0)})}));
}
void write_dropout(WriteNode& node) {
  const auto& op = node.op<Dropout>();
  Attributes attributes;
  if (op.seeded) attributes.push_back(Attribute::of("seed", op.seed));
  node.emit_to(node.outs(), "Dropout", node.ins(), attributes);
}

}  // namespace

void reduce_rows(Rows& rows) {
  rows.read("ReduceSum", since(1), read_kind<Kind::sum>);
  rows.read("ReduceMean", since(1), read_kind<Kind::mean>);
  rows.read("ReduceProd", since(1), read_kind<Kind::product>);
  rows.read("ReduceMax", since(1), read_kind<Kind::max>);
  rows.read("ReduceMin", since(1), read_kind<Kind::min>);
  rows.read("ReduceL1", since(1), read_kind<Kind::l1>);
  rows.read("ReduceL2", since(1), read_kind<Kind::l2>);
  rows.read("ReduceLogSum", since(1), read_kind<Kind::log_sum>);
  rows.read("ReduceLogSumExp", since(1), read_kind<Kind::log_sum_exp>);
  rows.read("ReduceSumSquare", since(1), read_kind<Kind::sum_of_squares>);
  rows.write<Reduce>(since(1), write_reduce, cannot_reduce);
  arg_rows<ArgMax>(rows, "ArgMax");
  arg_rows<ArgMin>(rows, "ArgMin");
  rows.read("CumSum", since(11), read_cum_sum);
  rows.write<Cumulate>(since(11), write_cum_sum, [](const WriteNode& node) -> std::string {
    return node.op<Cumulate>().kind == Cumulate::Kind::sum ? "" : "ONNX has no running products";
  });
  rows.read("Identity", since(1), [](ReadNode& node) { node.result(0, node.input(0)); });
  rows.read("Dropout", since(1), read_dropout);
  rows.write<Dropout>(since(12), write_dropout);
}

}  // namespace remodel::onnx
