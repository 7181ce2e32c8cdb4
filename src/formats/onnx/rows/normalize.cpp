#include "ops/normalize.h"

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/weights.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

// The dtype that stash_type names, and its code.
DType read_statistics(ReadNode& node) {
  DType dtype = dtype_of_code(node.integer("stash_type", 1));
  if (!is_float(dtype)) fail("attribute 'stash_type': {} is no float", name_of(dtype));
  return dtype;
}

ValueId mean_over(ReadNode& node, ValueId x, std::vector<int64_t> axes, bool keep) {
  Reduce reduce;
  reduce.kind = Reduce::Kind::mean;
  reduce.axes = std::move(axes);
  reduce.keep = keep;
  return node.emit(reduce, {x});
}

// ---- batches

// Statistics of the batch, and what the running ones become.
void read_batch_norm_training(ReadNode& node, const BatchNorm& op) {
  const ValueId x = node.input(0);
  const double momentum = node.real("momentum", 0.9f);
  std::vector<int64_t> axes{0};
  for (int64_t i = 2; i < node.rank(0); ++i) axes.push_back(i);
  ValueId centred = node.emit(Sub{}, {x, mean_over(node, x, axes, true)});
  ValueId mean = mean_over(node, x, axes, false);
  ValueId variance = mean_over(node, node.emit(Mul{}, {centred, centred}), axes, false);
  node.result(0, node.emit(op, {x, node.input(1), node.input(2), mean, variance}));
  for (size_t k = 1; k < node.outputs(); ++k) {
    if (!node.wants(k)) continue;
    const DType dtype = node.type(3).dtype;
    ValueId now = k % 2 == 1 ? mean : variance;
    if (dtype != node.type(0).dtype) now = node.emit(Cast(dtype), {now});
    if (k < 3) {
      ValueId before =
          node.emit(Mul{}, {node.input(k + 2), node.add_scalar(dtype, static_cast<float>(momentum))});
      now = node.emit(Mul{}, {now, node.add_scalar(dtype, 1 - momentum)});
      now = node.emit(Add{}, {before, now});
    }
    node.result(k, now);
  }
}

// Before version 9 the parameters may be those of each element, [channels, spatial...].
void read_batch_norm_elements(ReadNode& node, double epsilon) {
  ValueId variance = node.emit(Add{}, {node.input(4), node.add_scalar(node.type(4).dtype, epsilon)});
  ValueId factor = node.emit(Div{}, {node.input(1), node.emit(Sqrt{}, {variance})});
  ValueId y = node.emit(Mul{}, {node.emit(Sub{}, {node.input(0), node.input(3)}), factor});
  node.result(0, node.emit(Add{}, {y, node.input(2)}));
}

void read_batch_norm(ReadNode& node) {
  BatchNorm op;
  op.epsilon = node.real("epsilon", 1e-5f);
  for (const char* name : {"momentum", "consumed_inputs", "is_test"}) node.ignore(name);
  bool spatial = node.version() >= 9 || node.integer("spatial", 1) != 0;
  bool more = false;
  for (size_t k = 1; k < node.outputs(); ++k) more = more || node.wants(k);
  bool training = node.version() >= 14 ? node.integer("training_mode", 0) != 0 : more;
  if (!training && more) fail("there are more results than y, but training_mode is 0");
  if (training && !spatial) fail("training with spatial=0 is not supported");
  if (training) return read_batch_norm_training(node, op);
  if (!spatial) return read_batch_norm_elements(node, op.epsilon);
  node.emit_results(op, node.operands());
}

// ---- channels
// Ones or zeros stand for parameters that are not there, where their number is known.
std::string channels_problem(const WriteNode& node, Channels channels) {
  if (channels != Channels::first) return "ONNX has the channels first";
  if (node.has(1) && node.has(2)) return "";
  if (node.rank(0) < 2 || !(*node.type(0).dims)[1].is_number()) return "ONNX needs scale and bias";
  return "";
}

std::vector<std::string> channel_inputs(WriteNode& node) {
  std::vector<std::string> inputs{node.in(0), node.in(1), node.in(2)};
  for (size_t i = 1; i < 3; ++i)
    if (inputs[i].empty())
      inputs[i] =
          node.constant(constant_splat(node.dtype(0), {(*node.type(0).dims)[1].number()}, i == 1 ? 1 : 0));
  return inputs;
}

void write_batch_norm(WriteNode& node) {
  std::vector<std::string> inputs = channel_inputs(node);
  inputs.insert(inputs.end(), {node.in(3), node.in(4)});
  node.emit_to(node.outs(), "BatchNormalization", inputs,
               {Attribute::of("epsilon", node.op<BatchNorm>().epsilon)});
}

void write_instance_norm(WriteNode& node) {
  node.emit_to(node.outs(), "InstanceNormalization", channel_inputs(node),
               {Attribute::of("epsilon", node.op<InstanceNorm>().epsilon)});
}

void write_group_norm(WriteNode& node) {
  const auto& op = node.op<GroupNorm>();
  node.emit_to(node.outs(), "GroupNormalization", channel_inputs(node),
               {Attribute::of("num_groups", op.groups), Attribute::of("epsilon", op.epsilon)});
}

// ---- axes
std::vector<int64_t> axes_from(ReadNode& node, int64_t axis) {
  int64_t rank = node.rank(0);
  std::vector<int64_t> axes;
  for (int64_t i = resolve_axis(axis, static_cast<size_t>(rank)); i < rank; ++i) axes.push_back(i);
  return axes;
}

// The last axes of x, from `first` on; -1 where they are others.
int64_t first_of(const WriteNode& node, const std::vector<int64_t>& axes) {
  int64_t rank = node.rank(0);
  if (rank < 0 || axes.empty()) return -1;
  for (size_t i = 0; i < axes.size(); ++i)
    if (resolve_axis(axes[i], static_cast<size_t>(rank)) != rank - static_cast<int64_t>(axes.size() - i))
      return -1;
  return rank - static_cast<int64_t>(axes.size());
}

std::string trailing_problem(const WriteNode& node, const std::vector<int64_t>& axes) {
  const int64_t first = first_of(node, axes);
  if (first < 0) return "ONNX normalises the last axes";
  if (node.has(1)) return "";
  Dims over(node.type(0).dims->begin() + first, node.type(0).dims->end());
  return numbers(over) ? "" : "ONNX needs a scale";
}

// The operands, with ones for a scale that is not there.
std::vector<std::string> scaled_inputs(WriteNode& node, const std::vector<int64_t>& axes) {
  std::vector<std::string> inputs = node.ins();
  if (node.has(1)) return inputs;
  Dims over(node.type(0).dims->begin() + first_of(node, axes), node.type(0).dims->end());
  inputs.resize(std::max<size_t>(inputs.size(), 2));
  inputs[1] = node.constant(constant_splat(node.dtype(0), *numbers(over), 1));
  return inputs;
}

void write_layer_norm(WriteNode& node) {
  const auto& op = node.op<LayerNorm>();
  Attributes attributes{Attribute::of("axis", first_of(node, op.axes)), Attribute::of("epsilon", op.epsilon)};
  if (op.statistics != DType::f32)
    attributes.push_back(Attribute::of("stash_type", code_of_dtype(op.statistics)));
  node.emit_to(node.outs(), "LayerNormalization", scaled_inputs(node, op.axes), attributes);
}

void write_rms_norm(WriteNode& node) {
  const auto& op = node.op<RmsNorm>();
  Attributes attributes{Attribute::of("axis", first_of(node, op.axes)), Attribute::of("epsilon", op.epsilon)};
  if (op.statistics != DType::f32)
    attributes.push_back(Attribute::of("stash_type", code_of_dtype(op.statistics)));
  node.emit_to(node.outs(), "RMSNormalization", scaled_inputs(node, op.axes), attributes);
}

// Whether a parameter has exactly the sizes of x's last axes.
bool fits(ReadNode& node, size_t i, const std::vector<int64_t>& axes) {
  const auto &x = node.type(0).dims, &parameter = node.type(i).dims;
  if (!x || !parameter || parameter->size() != axes.size()) return false;
  for (size_t k = 0; k < axes.size(); ++k)
    if (!((*parameter)[k] == (*x)[static_cast<size_t>(axes[k])])) return false;
  return true;
}

void read_layer_norm(ReadNode& node) {
  LayerNorm op;
  op.axes = axes_from(node, node.integer("axis", -1));
  op.epsilon = node.real("epsilon", 1e-5f);
  op.statistics = read_statistics(node);
  bool whole = true;
  for (size_t i = 1; i < node.inputs(); ++i) whole = whole && (!node.has_input(i) || fits(node, i, op.axes));
  if (whole) return node.emit_results(op, node.operands());
  // Parameters that broadcast are applied by ops of their own.
  std::vector<ValueId> results = node.emit(op, {node.input(0)}, std::max<size_t>(node.outputs(), 1));
  ValueId y = results[0];
  if (node.has_input(1)) y = node.emit(Mul{}, {y, node.input(1)});
  if (node.has_input(2)) y = node.emit(Add{}, {y, node.input(2)});
  node.result(0, y);
  for (size_t k = 1; k < results.size(); ++k) node.result(k, results[k]);
}

// SimplifiedLayerNormalization is the same, as ONNX Runtime had it first.
void read_rms_norm(ReadNode& node) {
  RmsNorm op;
  op.axes = axes_from(node, node.integer("axis", -1));
  op.epsilon = node.real("epsilon", 1e-5f);
  op.statistics = read_statistics(node);
  const DType dtype = node.type(1).dtype;
  if (fits(node, 1, op.axes) && dtype == node.type(0).dtype) return node.emit_results(op, node.operands());
  std::vector<ValueId> results = node.emit(op, {node.input(0)}, std::max<size_t>(node.outputs(), 1));
  ValueId y = results[0];
  if (dtype != node.type(0).dtype) y = node.emit(Cast(dtype), {y});
  node.result(0, node.emit(Mul{}, {y, node.input(1)}));
  for (size_t k = 1; k < results.size(); ++k) node.result(k, results[k]);
}

// (x - mean) / (standard deviation + 1e-9)
void read_mean_variance(ReadNode& node) {
  std::vector<int64_t> axes = node.integers("axes", {0, 2, 3});
  const DType dtype = node.type(0).dtype;
  ValueId centred = node.emit(Sub{}, {node.input(0), mean_over(node, node.input(0), axes, true)});
  ValueId variance = mean_over(node, node.emit(Mul{}, {centred, centred}), axes, true);
  ValueId deviation = node.emit(Add{}, {node.emit(Sqrt{}, {variance}), node.add_scalar(dtype, 1e-9)});
  node.result(0, node.emit(Div{}, {centred, deviation}));
}

// scale * x + bias, an experimental operator of opset 1.
void read_image_scaler(ReadNode& node) {
  const DType dtype = node.type(0).dtype;
  std::vector<double> bias = node.reals("bias");
  ValueId y = node.emit(Mul{}, {node.input(0), node.add_scalar(dtype, node.real("scale", 1))});
  Shape shape{static_cast<int64_t>(bias.size()), 1, 1};
  ConstantPtr offsets = constant_cast(constant_tensor(Tensor::of<double>(DType::f64, shape, bias)), dtype);
  node.result(0, bias.empty() ? y : node.emit(Add{}, {y, node.add_constant(offsets)}));
}

// Version 18 has its parameters per group.
void read_group_norm(ReadNode& node) {
  GroupNorm op;
  op.groups = node.integer("num_groups");
  op.epsilon = node.real("epsilon", 1e-5f);
  if (op.groups < 1) fail("{} groups", op.groups);
  if (node.version() >= 21) {
    read_statistics(node);
    return node.emit_results(op, node.operands());
  }
  if (node.rank(0) < 2) fail("the input must have a channel axis, but is {}", node.type(0).text());
  Dim each = floor_div((*node.type(0).dims)[1], op.groups);
  node.emit_results(
      op, {node.input(0), repeat_each(node, 1, op.groups, each), repeat_each(node, 2, op.groups, each)});
}

void read_lp_normalization(ReadNode& node) {
  LpNorm op;
  op.axes = {node.integer("axis", -1)};
  op.p = static_cast<double>(node.integer("p", 2));
  node.emit_results(op, node.operands());
}

std::string lp_norm_problem(const WriteNode& node) {
  const auto& op = node.op<LpNorm>();
  if (op.axes.size() != 1) return "ONNX normalises one axis";
  if (op.p != 1 && op.p != 2) return "ONNX has the norms of order 1 and 2";
  if (op.epsilon != 0) return "ONNX has no epsilon in LpNormalization";
  return "";
}

void write_lp_norm(WriteNode& node) {
  const auto& op = node.op<LpNorm>();
  node.emit_to(node.outs(), "LpNormalization", node.ins(),
               {Attribute::of("axis", op.axes[0]), Attribute::of("p", static_cast<int64_t>(op.p))});
}

}  // namespace

void normalize_rows(Rows& rows) {
  rows.read("BatchNormalization", since(1), read_batch_norm);
  rows.write<BatchNorm>(since(9), write_batch_norm, [](const WriteNode& node) -> std::string {
    int64_t axis = node.op<BatchNorm>().axis;
    if (axis != 1 && (node.rank(0) < 0 || resolve_axis(axis, static_cast<size_t>(node.rank(0))) != 1))
      return "ONNX normalises axis 1";
    return channels_problem(node, Channels::first);
  });
  rows.read_row<InstanceNorm>("InstanceNormalization", since(1),
                              {attr("epsilon", &InstanceNorm::epsilon, 1e-5), ignore("consumed_inputs")});
  rows.write<InstanceNorm>(since(1), write_instance_norm, [](const WriteNode& node) {
    return channels_problem(node, node.op<InstanceNorm>().channels);
  });
  rows.read("GroupNormalization", since(18), read_group_norm);
  rows.write<GroupNorm>(since(21), write_group_norm, [](const WriteNode& node) {
    return channels_problem(node, node.op<GroupNorm>().channels);
  });
  rows.read("LayerNormalization", since(1), read_layer_norm);
  rows.write<LayerNorm>(since(17), write_layer_norm, [](const WriteNode& node) {
    return trailing_problem(node, node.op<LayerNorm>().axes);
  });
  rows.read("SimplifiedLayerNormalization", since(1), read_rms_norm);
  rows.read("com.microsoft:SimplifiedLayerNormalization", since(1), read_rms_norm);
  rows.read("RMSNormalization", since(23), read_rms_norm);
  rows.write<RmsNorm>(since(23), write_rms_norm, [](const WriteNode& node) -> std::string {
    if (node.wants(1)) return "ONNX's RMSNormalization has one result";
    return trailing_problem(node, node.op<RmsNorm>().axes);
  });
  rows.read("MeanVarianceNormalization", since(9), read_mean_variance);
  rows.read("ImageScaler", since(1), read_image_scaler);
  rows.read("LpNormalization", since(1), read_lp_normalization);
  rows.write<LpNorm>(since(1), write_lp_norm, lp_norm_problem);
  rows.row<Lrn>("LRN", since(1),
                {attr("size", &Lrn::size, Required{}), attr("alpha", &Lrn::alpha, 1e-4),
                 attr("beta", &Lrn::beta, 0.75), attr("bias", &Lrn::bias, 1.0)},
                [](const WriteNode& node) -> std::string {
                  return node.op<Lrn>().channels == Channels::first ? "" : "ONNX has the channels first";
                });
}

}  // namespace remodel::onnx
