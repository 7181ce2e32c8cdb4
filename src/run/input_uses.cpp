#include "run/input_uses.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "ops/control.h"

namespace remodel {

void InputUse::join(const InputUse& other) {
  double joined_low = std::max(low, other.low), joined_high = std::min(high, other.high);
  if (joined_low <= joined_high) {
    low = joined_low, high = joined_high;
  } else if (other.low > low) {
    low = other.low, high = other.high;
  }
  nonzero = nonzero || other.nonzero;
  apart = apart || other.apart;
  mask = mask || other.mask;
  if (contents.empty()) contents = other.contents;
}

namespace {

InputUse between(double low, double high) {
  InputUse use;
  use.low = low, use.high = high;
  return use;
}
InputUse exactly(std::vector<double> contents) {
  InputUse use;
  use.contents = std::move(contents);
  return use;
}
InputUse masking() {
  InputUse use;
  use.mask = true;
  return use;
}

class Flow {
 public:
  explicit Flow(const Graph& graph) : graph_(graph), uses_(graph.value_count()) {}

  // The uses of the inputs, given those of the outputs.
  std::vector<InputUse> run(const std::vector<InputUse>& outputs);

  bool has(const Node& node, size_t i) const { return node.has(i); }
  const Type* type(const Node& node, size_t i) const {
    return node.has(i) ? &graph_.value(node.inputs[i]).type : nullptr;
  }
  const Constant* constant(const Node& node, size_t i) const {
    return node.has(i) ? graph_.constant(node.inputs[i]) : nullptr;
  }
  // The operand's sizes where all are known; empty otherwise (or for a scalar).
  Shape shape(const Node& node, size_t i) const {
    const Type* it = type(node, i);
    auto known = it && it->dims ? numbers(*it->dims) : std::nullopt;
    return known.value_or(Shape());
  }
  // The size of an axis of an operand; -1 where it is not known.
  int64_t size(const Node& node, size_t i, int64_t axis) const {
    const Type* it = type(node, i);
    if (!it || !it->dims) return -1;
    int64_t rank = static_cast<int64_t>(it->dims->size());
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank || !(*it->dims)[axis].is_number()) return -1;
    return (*it->dims)[axis].number();
  }
  void want(const Node& node, size_t i, const InputUse& use) {
    if (node.has(i)) uses_[node.inputs[i]].join(use);
  }
  int64_t rank(const Node& node, size_t i) const {
    const Type* it = type(node, i);
    return it && it->dims ? static_cast<int64_t>(it->dims->size()) : -1;
  }
  // An index into `count` elements.
  void index(const Node& node, size_t i, int64_t count, bool apart = false) {
    if (count <= 0) return;
    InputUse use = between(0, static_cast<double>(count - 1));
    use.apart = apart;
    want(node, i, use);
  }
  InputUse result(const Node& node, size_t k = 0) const {
    return k < node.outputs.size() && node.outputs[k] != absent ? uses_[node.outputs[k]] : InputUse();
  }

 private:
  const Graph& graph_;
  std::vector<InputUse> uses_;
};

// The operand names axes: as many of these, the first ones, as it has elements.
void want_axes(Flow& flow, const Node& node, size_t operand, const std::vector<double>& axes) {
  const int64_t count = flow.size(node, operand, 0);
  if (count > 0 && count <= static_cast<int64_t>(axes.size()))
    flow.want(node, operand, exactly({axes.begin(), axes.begin() + count}));
}
std::vector<double> first_axes(int64_t rank) {
  std::vector<double> axes;
  for (int64_t i = 0; i < rank; ++i) axes.push_back(static_cast<double>(i));
  return axes;
}

int64_t integer_field(const Node& node, std::string_view name) {
  const Field* field = node.op.info().find(name);
  return field ? field_as<int64_t>(node.op.data(), *field) : 0;
}

// Smallest and largest element of a constant operand of moderate size.
bool constant_extent(const Constant* constant, double& low, double& high) {
  if (!constant || constant->count() == 0 || constant->count() > (1 << 16)) return false;
  if (constant->dtype() == DType::string || is_complex(constant->dtype())) return false;
  low = InputUse::infinity, high = -InputUse::infinity;
  for (double value : constant->tensor().doubles()) {
    if (std::isnan(value)) return false;
    low = std::min(low, value), high = std::max(high, value);
  }
  return true;
}

using Rule = void (*)(Flow& flow, const Node& node);

// Elements pass through: what is asked of the results is asked of the operands.
template <size_t... operand>
void pass(Flow& flow, const Node& node) {
  InputUse use;
  for (size_t k = 0; k < node.outputs.size(); ++k) use.join(flow.result(node, k));
  use.contents.clear();
  (flow.want(node, operand, use), ...);
}
void pass_all(Flow& flow, const Node& node) {
  InputUse use = flow.result(node);
  use.contents.clear();
  for (size_t i = 0; i < node.inputs.size(); ++i) flow.want(node, i, use);
}
// The same elements in the same order.
void pass_whole(Flow& flow, const Node& node) { flow.want(node, 0, flow.result(node)); }

void cast(Flow& flow, const Node& node) {
  DType to = DType::unknown;
  if (const Field* field = node.op.info().find("to")) to = field_as<DType>(node.op.data(), *field);
  if (to == DType::boolean)
    flow.want(node, 0, masking());
  else
    pass_whole(flow, node);
}

void reshape(Flow& flow, const Node& node) {
  pass_whole(flow, node);
  if (!flow.has(node, 1)) return;
  Shape from = flow.shape(node, 0);
  int64_t rank = flow.size(node, 1, 0);
  if (rank < 1) return;
  // The innermost sizes as they are, the others as one.
  std::vector<double> sizes(rank, 1);
  for (int64_t i = 0; i + 1 < rank && i + 1 < static_cast<int64_t>(from.size()); ++i)
    sizes[rank - 1 - i] = static_cast<double>(from[from.size() - 1 - i]);
  sizes[std::clamp<int64_t>(rank - static_cast<int64_t>(from.size()), 0, rank - 1)] = -1;
  flow.want(node, 1, exactly(sizes));
}

void expand(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  Shape from = flow.shape(node, 0);
  int64_t rank = flow.size(node, 1, 0);
  if (rank < 0) return;
  std::vector<double> sizes(rank, 2);
  for (int64_t i = 0; i < rank && i < static_cast<int64_t>(from.size()); ++i)
    if (int64_t size = from[from.size() - 1 - i]; size != 1) sizes[rank - 1 - i] = static_cast<double>(size);
  flow.want(node, 1, exactly(sizes));
}

void tile(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.want(node, 1, between(1, 2));
}
void pad(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.want(node, 2, between(0, 1));
  want_axes(flow, node, 3, first_axes(flow.rank(node, 0)));
}
void reduce(Flow& flow, const Node& node) { want_axes(flow, node, 1, first_axes(flow.rank(node, 0))); }
void squeeze(Flow& flow, const Node& node) {
  pass_whole(flow, node);
  std::vector<double> ones;
  for (int64_t axis = 0; axis < flow.rank(node, 0); ++axis)
    if (flow.size(node, 0, axis) == 1) ones.push_back(static_cast<double>(axis));
  want_axes(flow, node, 1, ones);
}
void unsqueeze(Flow& flow, const Node& node) {
  pass_whole(flow, node);
  want_axes(flow, node, 1, first_axes(flow.rank(node, 0) + std::max<int64_t>(0, flow.size(node, 1, 0))));
}
void cumulate(Flow& flow, const Node& node) { flow.index(node, 1, flow.rank(node, 0)); }
void dft(Flow& flow, const Node& node) {
  flow.want(node, 1, between(2, 6));
  flow.index(node, 2, flow.rank(node, 0) - 1);
}
void roi_align(Flow& flow, const Node& node) { flow.index(node, 2, flow.size(node, 0, 0)); }
void dropout(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.want(node, 1, between(0.1, 0.9));
}
void dynamic_slice(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  int64_t count = std::max(flow.size(node, 1, 0), flow.size(node, 2, 0));
  if (count <= 0) return;
  std::vector<double> axes(count), ends(count);
  for (int64_t i = 0; i < count; ++i) {
    axes[i] = static_cast<double>(i);
    ends[i] = static_cast<double>(std::max<int64_t>(1, flow.size(node, 0, i)));
  }
  flow.want(node, 1, exactly(std::vector<double>(count, 0)));
  flow.want(node, 2, exactly(ends));
  flow.want(node, 3, exactly(axes));
  flow.want(node, 4, exactly(std::vector<double>(count, 1)));
}
void split(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  int64_t parts = flow.size(node, 1, 0), size = flow.size(node, 0, integer_field(node, "axis"));
  if (parts <= 0 || size < 0) return;
  std::vector<double> sizes(parts, static_cast<double>(size / parts));
  sizes[0] += static_cast<double>(size % parts);
  flow.want(node, 1, exactly(sizes));
}
void list_split(Flow& flow, const Node& node) {
  split(flow, node);
  if (flow.rank(node, 1) == 0) flow.want(node, 1, between(1, 2));
}
void sizes_operand_0(Flow& flow, const Node& node) { flow.want(node, 0, between(2, 4)); }
void sizes_operand_1(Flow& flow, const Node& node) { flow.want(node, 1, between(2, 4)); }
void resize(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  std::vector<double> sizes;
  if (const Field* axes = node.op.info().find("axes"))
    for (int64_t axis : field_as<std::vector<int64_t>>(node.op.data(), *axes))
      sizes.push_back(2 * static_cast<double>(std::max<int64_t>(1, flow.size(node, 0, axis))));
  flow.want(node, 1, exactly(sizes));
  flow.want(node, 2, between(1, 2));
  if (int64_t count = flow.size(node, 3, 0); count > 0) {
    std::vector<double> crop(count, 0);
    std::fill(crop.begin() + count / 2, crop.end(), 1);
    flow.want(node, 3, exactly(crop));
  }
}
void range(Flow& flow, const Node& node) {
  flow.want(node, 0, between(0, 1));
  flow.want(node, 1, between(4, 8));
  flow.want(node, 2, between(1, 2));
}
void top_k(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  int64_t size = flow.size(node, 0, integer_field(node, "axis"));
  flow.want(node, 1, between(1, static_cast<double>(std::clamp<int64_t>(size, 1, 5))));
}

void gather(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.index(node, 1, flow.size(node, 0, integer_field(node, "axis")));
}
// Indices whose last axis names places in several axes: all stay below the smallest.
void index_places(Flow& flow, const Node& node, int64_t first, bool apart = false) {
  const Type* indices = flow.type(node, 1);
  if (!indices || !indices->dims || indices->dims->empty()) return;
  int64_t count = flow.size(node, 1, -1), least = -1;
  for (int64_t i = 0; i < count; ++i) {
    int64_t size = flow.size(node, 0, first + i);
    if (size > 0 && (least < 0 || size < least)) least = size;
  }
  flow.index(node, 1, least, apart);
}
void gather_nd(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  index_places(flow, node, integer_field(node, "batch"));
}
void gather_elements(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.index(node, 1, flow.size(node, 0, integer_field(node, "axis")));
}
void scatter_elements(Flow& flow, const Node& node) {
  pass<0, 2>(flow, node);
  flow.index(node, 1, flow.size(node, 0, integer_field(node, "axis")), true);
}
void scatter_nd(Flow& flow, const Node& node) {
  pass<0, 2>(flow, node);
  index_places(flow, node, 0, true);
}
void update_cache(Flow& flow, const Node& node) {
  pass<0, 1>(flow, node);
  int64_t axis = integer_field(node, "axis"), room = flow.size(node, 0, axis) - flow.size(node, 1, axis);
  if (room >= 0) flow.index(node, 2, room + 1);
}
void one_hot(Flow& flow, const Node& node) {
  const Field* field = node.op.info().find("depth");
  Dim depth = field ? field_as<Dim>(node.op.data(), *field) : Dim();
  flow.index(node, 0, flow.has(node, 2) ? 4 : depth.is_number() ? depth.number() : -1);
  flow.want(node, 2, between(4, 4));
}
void list_get(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.want(node, 1, between(0, 1));
}
void list_insert(Flow& flow, const Node& node) {
  pass<0, 1>(flow, node);
  flow.want(node, 2, between(0, 1));
}
void list_erase(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  flow.want(node, 1, between(0, 1));
}

void reverse_sequence(Flow& flow, const Node& node) {
  pass<0>(flow, node);
  int64_t time = flow.size(node, 0, integer_field(node, "time_axis"));
  if (time > 0) flow.want(node, 1, between(1, static_cast<double>(time)));
}
template <size_t lengths>
void recurrent(Flow& flow, const Node& node) {
  const Field* field = node.op.info().find("batch_major");
  bool batch_major = field && field_as<bool>(node.op.data(), *field);
  int64_t time = flow.size(node, 0, batch_major ? 1 : 0);
  if (time > 0) flow.want(node, lengths, between(1, static_cast<double>(time)));
}
void attention(Flow& flow, const Node& node) {
  const Type* mask = flow.type(node, 3);
  if (mask && mask->dtype == DType::boolean) flow.want(node, 3, masking());
  int64_t keys = flow.size(node, 1, 2);
  if (keys > 0) flow.want(node, 6, between(1, static_cast<double>(keys)));
}

// x + c and x * c, where the other operand is a constant.
void shifted(Flow& flow, const Node& node, size_t i, double sign) {
  double low, high;
  if (!constant_extent(flow.constant(node, 1 - i), low, high)) return;
  InputUse use = flow.result(node);
  if (sign < 0) std::swap(low, high), low = -low, high = -high;
  InputUse moved = between(use.low - low, use.high - high);
  moved.mask = use.mask;
  if (moved.low <= moved.high) flow.want(node, i, moved);
}
void add(Flow& flow, const Node& node) {
  shifted(flow, node, 0, 1);
  shifted(flow, node, 1, 1);
}
void subtract(Flow& flow, const Node& node) {
  shifted(flow, node, 0, -1);
  double low, high;
  if (!constant_extent(flow.constant(node, 0), low, high)) return;
  InputUse use = flow.result(node);
  InputUse mirrored = between(high - use.high, low - use.low);
  // 1 - mask
  mirrored.mask = low == 1 && high == 1;
  if (mirrored.low <= mirrored.high) flow.want(node, 1, mirrored);
}
void scaled(Flow& flow, const Node& node, size_t i, bool divides) {
  double low, high;
  if (!constant_extent(flow.constant(node, 1 - i), low, high) || low != high || low == 0) return;
  double factor = divides ? 1 / low : low;
  InputUse use = flow.result(node);
  InputUse moved = between(use.low / factor, use.high / factor);
  if (factor < 0) std::swap(moved.low, moved.high);
  // A large negative number times a mask hides what is masked.
  moved.mask = use.mask || factor <= -1000;
  flow.want(node, i, moved);
}
void multiply(Flow& flow, const Node& node) {
  scaled(flow, node, 0, false);
  scaled(flow, node, 1, false);
}
InputUse not_zero() {
  InputUse use;
  use.nonzero = true;
  return use;
}
void divide(Flow& flow, const Node& node) {
  scaled(flow, node, 0, true);
  flow.want(node, 1, not_zero());
}
void modulo(Flow& flow, const Node& node) { flow.want(node, 1, not_zero()); }
void reciprocal(Flow& flow, const Node& node) { flow.want(node, 0, not_zero()); }
void negate(Flow& flow, const Node& node) {
  InputUse use = flow.result(node);
  flow.want(node, 0, between(-use.high, -use.low));
}
void compare_with_truth(Flow& flow, const Node& node) {
  for (size_t i : {0, 1}) {
    double low, high;
    if (constant_extent(flow.constant(node, 1 - i), low, high) && low == high && (low == 0 || low == 1))
      flow.want(node, i, masking());
  }
}
void power(Flow& flow, const Node& node) {
  double low, high;
  bool whole = constant_extent(flow.constant(node, 1), low, high) && low == high && low == std::floor(low);
  if (!whole) flow.want(node, 0, between(0.1, 4));
  if (whole && low < 0) flow.want(node, 0, not_zero());
  flow.want(node, 1, between(0, 3));
}
void shift(Flow& flow, const Node& node) { flow.want(node, 1, between(0, 7)); }

// The domain of a function.
template <int low, int high, int over>
void within(Flow& flow, const Node& node) {
  flow.want(node, 0, between(double(low) / over, double(high) / over));
}
void batch_norm(Flow& flow, const Node& node) { flow.want(node, 4, between(0.1, 4)); }
void quantize(Flow& flow, const Node& node) { flow.want(node, 1, between(0.01, 0.5)); }
void not_empty_window(Flow& flow, const Node& node) { flow.want(node, 0, between(4, 16)); }
void mel_weights(Flow& flow, const Node& node) {
  static constexpr double usual[][2] = {{4, 8}, {16, 32}, {8000, 16000}, {0, 100}, {2000, 4000}};
  for (size_t i = 0; i < 5; ++i) flow.want(node, i, between(usual[i][0], usual[i][1]));
}
void nms(Flow& flow, const Node& node) {
  flow.want(node, 2, between(1, 5));
  flow.want(node, 3, between(0.3, 0.7));
  flow.want(node, 4, between(0, 0.3));
}

void run_if(Flow& flow, const Node& node) {
  const If& op = *node.op.as<If>();
  std::vector<InputUse> outputs;
  for (size_t k = 0; k < node.outputs.size(); ++k) outputs.push_back(flow.result(node, k));
  for (const GraphPtr& body : {op.then_body, op.else_body}) {
    if (!body) continue;
    auto uses = Flow(*body).run(outputs);
    for (size_t i = 0; i < uses.size(); ++i) flow.want(node, i + 1, uses[i]);
  }
}
void run_loop(Flow& flow, const Node& node) {
  const Loop& op = *node.op.as<Loop>();
  flow.want(node, 0, between(2, 4));
  if (int64_t time = op.step_axes.empty() ? -1 : flow.size(node, op.first_step(), op.step_axes[0]); time > 0)
    flow.want(node, Loop::lengths, between(1, static_cast<double>(time)));
  if (!op.body) return;
  std::vector<InputUse> outputs(op.body->outputs.size());
  for (size_t k = 0; k < node.outputs.size() && op.body_next() + k < outputs.size(); ++k) {
    outputs[op.body_next() + k] = flow.result(node, k);
    outputs[op.body_next() + k].contents.clear();
  }
  auto uses = Flow(*op.body).run(outputs);
  for (size_t i = op.body_carried(); i < uses.size(); ++i) {
    uses[i].contents.clear();
    flow.want(node, Loop::first_carried + i - op.body_carried(), uses[i]);
  }
}

// By the op's name; what is not here keeps nothing that is asked of its results.
const std::unordered_map<std::string_view, Rule>& rules() {
  static const std::unordered_map<std::string_view, Rule> table{
      {"reshape", reshape},
      {"squeeze", squeeze},
      {"unsqueeze", unsqueeze},
      {"transpose", pass<0>},
      {"expand", expand},
      {"tile", tile},
      {"concat", pass_all},
      {"split", split},
      {"slice", pass<0>},
      {"dynamic_slice", dynamic_slice},
      {"pad", pad},
      {"center_crop_pad", pass<0>},
      {"reverse_sequence", reverse_sequence},
      {"space_to_depth", pass<0>},
      {"depth_to_space", pass<0>},
      {"triangle", pass<0>},
      {"compress", pass<0>},
      {"gather", gather},
      {"gather_elements", gather_elements},
      {"gather_nd", gather_nd},
      {"scatter_elements", scatter_elements},
      {"scatter_nd", scatter_nd},
      {"update_cache", update_cache},
      {"one_hot", one_hot},
      {"top_k", top_k},
      {"range", range},
      {"eye", sizes_operand_0},
      {"random_uniform", sizes_operand_0},
      {"random_normal", sizes_operand_0},
      {"affine_grid", sizes_operand_1},
      {"resize", resize},
      {"list_new", pass_all},
      {"list_get", list_get},
      {"list_insert", list_insert},
      {"list_set", list_insert},
      {"list_erase", list_erase},
      {"list_concat", pass<0>},
      {"list_split", list_split},
      {"optional_some", pass_whole},
      {"optional_get", pass_whole},
      {"cast", cast},
      {"add", add},
      {"sub", subtract},
      {"mul", multiply},
      {"div", divide},
      {"mod", modulo},
      {"neg", negate},
      {"pow", power},
      {"shl", shift},
      {"shr", shift},
      {"select", pass<1, 2>},
      {"equal", compare_with_truth},
      {"greater", compare_with_truth},
      {"greater_equal", compare_with_truth},
      {"less", compare_with_truth},
      {"less_equal", compare_with_truth},
      {"reciprocal", reciprocal},
      {"log", within<1, 40, 10>},
      {"sqrt", within<0, 40, 10>},
      {"asin", within<-1, 1, 1>},
      {"acos", within<-1, 1, 1>},
      {"atanh", within<-9, 9, 10>},
      {"acosh", within<10, 40, 10>},
      {"batch_norm", batch_norm},
      {"quantize", quantize},
      {"dequantize", quantize},
      {"lstm", recurrent<6>},
      {"gru", recurrent<5>},
      {"rnn", recurrent<5>},
      {"attention", attention},
      {"non_max_suppression", nms},
      {"window", not_empty_window},
      {"mel_weights", mel_weights},
      {"reduce", reduce},
      {"cumulate", cumulate},
      {"dft", dft},
      {"roi_align", roi_align},
      {"dropout", dropout},
      {"if", run_if},
      {"loop", run_loop},
  };
  return table;
}

std::vector<InputUse> Flow::run(const std::vector<InputUse>& outputs) {
  for (size_t k = 0; k < outputs.size() && k < graph_.outputs.size(); ++k)
    uses_[graph_.outputs[k].value].join(outputs[k]);
  std::vector<NodeId> order = graph_.order();
  for (size_t i = order.size(); i-- > 0;) {
    const Node& node = graph_.node(order[i]);
    auto rule = rules().find(node.op.name());
    if (rule != rules().end()) rule->second(*this, node);
  }
  std::vector<InputUse> inputs;
  for (const Port& port : graph_.inputs) inputs.push_back(uses_[port.value]);
  return inputs;
}

}  // namespace

std::vector<InputUse> input_uses(const Graph& graph) { return Flow(graph).run({}); }

std::vector<std::string_view> input_use_ops() {
  std::vector<std::string_view> names;
  for (const auto& [name, rule] : rules()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace remodel
