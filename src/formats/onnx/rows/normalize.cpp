#include "ops/normalize.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

// The dtype that stash_type names, and its code.
DType read_statistics(ReadNode& node) {
  DType dtype = dtype_of_code(node.integer("stash_type", 1));
  if (!is_float(dtype)) fail("attribute 'stash_type': {} is no float", name_of(dtype));
  return dtype;
}

// ---- batches
void read_batch_norm(ReadNode& node) {
  BatchNorm op;
  op.epsilon = node.real("epsilon", 1e-5f);
  for (const char* name : {"momentum", "consumed_inputs", "is_test"}) node.ignore(name);
  bool spatial = node.version() >= 9 || node.integer("spatial", 1) != 0;
  bool training = node.version() >= 14 && node.integer("training_mode", 0) != 0;
  if (training) fail("training_mode is not supported");
  if (!spatial) fail("spatial=0 is not supported");
  for (size_t k = 1; k < node.outputs(); ++k)
    if (node.wants(k)) fail("output {} exists in training only", k);
  node.emit_results(op, node.operands());
}

std::string batch_norm_problem(const WriteNode& node) {
  if (node.op<BatchNorm>().axis != 1) return "ONNX normalises axis 1";
  if (!node.has(1) || !node.has(2)) return "ONNX's BatchNormalization needs scale and bias";
  return "";
}

// ---- channels
std::string channels_problem(const WriteNode& node, Channels channels) {
  if (channels != Channels::first) return "ONNX has the channels first";
  if (!node.has(1) || !node.has(2)) return "ONNX needs scale and bias";
  return "";
}

void write_group_norm(WriteNode& node) {
  const auto& op = node.op<GroupNorm>();
  node.emit_to(node.outs(), "GroupNormalization", node.ins(),
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
    if (resolve_axis(axes[i], static_cast<size_t>(rank)) != rank - static_cast<int64_t>(axes.size() - i)) return -1;
  return rank - static_cast<int64_t>(axes.size());
}

std::string trailing_problem(const WriteNode& node, const std::vector<int64_t>& axes) {
  if (first_of(node, axes) < 0) return "ONNX normalises the last axes";
  if (!node.has(1)) return "ONNX needs a scale";
  return "";
}

void write_layer_norm(WriteNode& node) {
  const auto& op = node.op<LayerNorm>();
  Attributes attributes{Attribute::of("axis", first_of(node, op.axes)), Attribute::of("epsilon", op.epsilon)};
  if (op.statistics != DType::f32) attributes.push_back(Attribute::of("stash_type", code_of_dtype(op.statistics)));
  node.emit_to(node.outs(), "LayerNormalization", node.ins(), attributes);
}

void write_rms_norm(WriteNode& node) {
  const auto& op = node.op<RmsNorm>();
  Attributes attributes{Attribute::of("axis", first_of(node, op.axes)), Attribute::of("epsilon", op.epsilon)};
  if (op.statistics != DType::f32) attributes.push_back(Attribute::of("stash_type", code_of_dtype(op.statistics)));
  node.emit_to(node.outs(), "RMSNormalization", node.ins(), attributes);
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
  for (size_t i = 1; i < node.inputs(); ++i)
    if (node.has_input(i) && !fits(node, i, op.axes))
      fail("parameter {} does not have the sizes of the normalised axes of {}", node.type(i).text(), node.type(0).text());
  node.emit_results(op, node.operands());
}

void read_rms_norm(ReadNode& node) {
  RmsNorm op;
  op.axes = axes_from(node, node.integer("axis", -1));
  op.epsilon = node.real("epsilon", 1e-5f);
  op.statistics = read_statistics(node);
  if (node.has_input(1) && !fits(node, 1, op.axes))
    fail("parameter {} does not have the sizes of the normalised axes of {}", node.type(1).text(), node.type(0).text());
  node.emit_results(op, node.operands());
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
  rows.write<BatchNorm>(since(9), [](WriteNode& node) {
    node.emit_to(node.outs(), "BatchNormalization", node.ins(), {Attribute::of("epsilon", node.op<BatchNorm>().epsilon)});
  }, batch_norm_problem);
  rows.row<InstanceNorm>("InstanceNormalization", since(1),
                         {attr("epsilon", &InstanceNorm::epsilon, 1e-5), ignore("consumed_inputs")},
                         [](const WriteNode& node) { return channels_problem(node, node.op<InstanceNorm>().channels); });
  rows.read("GroupNormalization", since(21), [](ReadNode& node) {
    GroupNorm op;
    op.groups = node.integer("num_groups");
    op.epsilon = node.real("epsilon", 1e-5f);
    read_statistics(node);
    node.emit_results(op, node.operands());
  });
  rows.write<GroupNorm>(since(21), write_group_norm,
                        [](const WriteNode& node) { return channels_problem(node, node.op<GroupNorm>().channels); });
  rows.read("LayerNormalization", since(1), read_layer_norm);
  rows.write<LayerNorm>(since(17), write_layer_norm,
                        [](const WriteNode& node) { return trailing_problem(node, node.op<LayerNorm>().axes); });
  rows.read("RMSNormalization", since(23), read_rms_norm);
  rows.write<RmsNorm>(since(23), write_rms_norm, [](const WriteNode& node) -> std::string {
    if (node.wants(1)) return "ONNX's RMSNormalization has one result";
    return trailing_problem(node, node.op<RmsNorm>().axes);
  });
  rows.read("LpNormalization", since(1), read_lp_normalization);
  rows.write<LpNorm>(since(1), write_lp_norm, lp_norm_problem);
  rows.row<Lrn>("LRN", since(1),
                {attr("size", &Lrn::size, Required{}), attr("alpha", &Lrn::alpha, 1e-4), attr("beta", &Lrn::beta, 0.75),
                 attr("bias", &Lrn::bias, 1.0)},
                [](const WriteNode& node) -> std::string {
                  return node.op<Lrn>().channels == Channels::first ? "" : "ONNX has the channels first";
                });
}

}  // namespace remodel::onnx
