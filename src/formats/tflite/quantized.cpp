// Grids on tensors, and operators that compute on integers.
#include <algorithm>
#include <cmath>

#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/cluster.h"
#include "ops/pool.h"
#include "ops/quantize.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

constexpr int64_t byte_shift = 128;  // between bytes with and without a sign

// Nothing where a tensor cannot stand on the grid.
std::optional<Quantization> said(const Grid& grid, DType dtype) {
  if ((dtype != DType::i8 && dtype != DType::u8 && dtype != DType::i16) || grid.block != 0 ||
      grid.scale->dtype() != DType::f32 || grid.scale->count() == 0)
    return std::nullopt;
  Quantization result;
  for (double scale : grid.scale->tensor().doubles()) {
    if (!std::isfinite(scale) || scale < 1e-30) return std::nullopt;
    result.scale.push_back(static_cast<float>(scale));
  }
  result.zero.assign(result.scale.size(), 0);
  if (grid.zero) {
    const std::vector<int64_t> zeros = grid.zero->tensor().ints();
    if (zeros.size() != result.scale.size()) return std::nullopt;
    result.zero = zeros;
  }
  if (dtype == DType::i16 &&
      (result.scale.size() > 1 || std::any_of(result.zero.begin(), result.zero.end(), std::identity())))
    return std::nullopt;
  if (result.scale.size() > 1) result.axis = grid.axis;
  return result;
}

Quantization with_signed_bytes(Quantization grid) {
  for (int64_t& zero : grid.zero) zero -= byte_shift;
  return grid;
}

ConstantPtr with_signed_bytes(const Constant& bytes) {
  const remodel::Tensor from = bytes.tensor();
  remodel::Tensor to(DType::i8, from.shape());
  std::transform(from.as<uint8_t>(), from.as<uint8_t>() + from.count(), to.to<int8_t>(),
                 [](uint8_t code) { return static_cast<int8_t>(code - byte_shift); });
  return constant_tensor(to);
}

bool is_single(const Quantization& grid) { return grid.scale.size() == 1; }
bool is_code(DType dtype) { return dtype == DType::i8 || dtype == DType::i16; }

Quantization single(double scale, int64_t zero) {
  Quantization grid;
  grid.scale = {static_cast<float>(scale)};
  grid.zero = {zero};
  return grid;
}

// The axis of the weights that is the result's channels; -1: they are not quantized that way.
int64_t channels_of_weights(const Operator& made) { return made.type == "DEPTHWISE_CONV_2D" ? 3 : 0; }

void check_weights(const Operator& made, DType x, DType dtype, const Quantization& grid) {
  if (dtype != DType::i8 || !is_code(x)) fail("its weights are no signed bytes");
  for (int64_t zero : grid.zero)
    if (zero != 0) fail("its weights have a zero point");
  if (!is_single(grid) && grid.axis != channels_of_weights(made))
    fail("its weights have scales along another axis than the channels");
}

// The scale of each channel's products.
std::vector<float> product_scales(const Quantization& x, const Quantization& w) {
  std::vector<float> scales;
  for (float scale : w.scale) scales.push_back(scale * x.scale[0]);
  return scales;
}

}  // namespace

GraphWriter::Described GraphWriter::describe(ValueId value) const {
  const Value& it = graph_.value(value);
  Described result{it.type, {}};
  result.type.grid.reset();
  std::optional<Quantization> grid;
  if (it.type.grid) grid = said(*it.type.grid, it.type.dtype);
  const auto dequantizes = [&](NodeId user) {
    const Node& node = graph_.node(user);
    return node.op.is<Dequantize>() && node.inputs[0] == value;
  };
  for (NodeId user : it.users) {
    if (grid || it.type.grid || !dequantizes(user)) continue;
    if (const auto its = remodel::grid_of(graph_, graph_.node(user))) grid = said(*its, it.type.dtype);
  }
  if (!grid) return result;
  result.grid = *grid;
  if (has_signed_bytes(value)) {
    result.type.dtype = DType::i8;
    result.grid = with_signed_bytes(result.grid);
  }
  return result;
}

// Bytes that only stand for real numbers, from quantize over moves to dequantize, have a sign, as kernels
// wish.
bool GraphWriter::has_signed_bytes(ValueId value) const {
  if (graph_.value(value).type.dtype != DType::u8) return false;
  const auto moves = [](const Op& op) { return is_move(op) ? !op.is<Pad>() : op.is<MaxPool>(); };
  ValueId root = value;
  const Node* from = graph_.producer(root);
  for (; from && moves(from->op); from = graph_.producer(root)) root = from->inputs[0];
  if (!from || !from->op.is<Quantize>()) return false;
  std::vector<ValueId> open{root};
  while (!open.empty()) {
    const ValueId at = open.back();
    open.pop_back();
    if (graph_.is_output(at)) return false;
    for (NodeId user : graph_.value(at).users) {
      const Node& node = graph_.node(user);
      const bool moved = moves(node.op) && node.outputs.size() == 1;
      if (node.inputs[0] != at || (!moved && !node.op.is<Dequantize>())) return false;
      if (moved) open.push_back(node.outputs[0]);
    }
  }
  return true;
}

Id GraphWriter::add_value(const std::string& name, ValueId value) {
  Described it = describe(value);
  return add_tensor(name, std::move(it.type), std::move(it.grid));
}

Id GraphWriter::codes_of(const Node& dequantize, const std::vector<int64_t>& perm) {
  const ValueId value = dequantize.inputs[0];
  const Value& codes = graph_.value(value);
  const auto grid = remodel::grid_of(graph_, dequantize);
  std::optional<Quantization> wished;
  if (grid) wished = said(*grid, codes.type.dtype);
  if (!wished) fail("LiteRT has no such grid of {}", name_of(codes.type.dtype));
  if (codes.constant) {
    ConstantPtr constant = codes.constant;
    if (!perm.empty()) {
      constant = constant->permuted(perm);
      if (!is_single(*wished))
        wished->axis = std::find(perm.begin(), perm.end(), wished->axis) - perm.begin();
    }
    if (codes.type.dtype == DType::u8 && quantized_)
      return add_constant(with_signed_bytes(*constant), codes.name, with_signed_bytes(*wished));
    return add_constant(constant, codes.name, *wished);
  }
  Id id = ids_.count(value) ? ids_[value] : id_of(value);
  const DType dtype = type_of(id).dtype;
  if (dtype != codes.type.dtype) wished = with_signed_bytes(*wished);
  if (grid_of(id) == *wished) return id;
  // The same integers, on another grid.
  const Id other = add_tensor("", type_of(id), *wished);
  Operator made;
  made.type = "RESHAPE";
  made.inputs = {id, reshape_sizes(id, type_of(id).dims.value_or(Dims{}))};
  made.outputs = {other};
  put(std::move(made));
  return other;
}

Id GraphWriter::signed_codes_of(const Node& dequantize, const std::vector<int64_t>& perm) {
  if (dequantize.op.as<Dequantize>()->to != DType::f32) fail("it computes in another type than f32");
  const Id id = codes_of(dequantize, perm);
  if (type_of(id).dtype != DType::u8) return id;
  return requantized(id, DType::i8, with_signed_bytes(grid_of(id)));
}

Id GraphWriter::requantized(Id tensor, DType dtype, const Quantization& grid) {
  if (type_of(tensor).dtype == dtype && grid_of(tensor) == grid) return tensor;
  const Id result = add_tensor("", type_of(tensor).with_dtype(dtype), grid);
  Operator made;
  made.type = "QUANTIZE";
  made.inputs = {tensor};
  made.outputs = {result};
  put(std::move(made));
  return result;
}

// A bias of real numbers as integers on the grid of the products.
Id GraphWriter::bias_on(Id bias, const Quantization& grid, DType dtype) {
  const ConstantPtr constant = constant_of(bias);
  if (!constant || constant->dtype() != DType::f32) fail("its bias is no constant");
  const std::vector<double> reals = constant->tensor().doubles();
  if (grid.scale.size() != 1 && grid.scale.size() != reals.size())
    fail("its bias has {} numbers for {} channels", reals.size(), grid.scale.size());
  const double most = dtype == DType::i32 ? 2147483647.0 : 9e15;
  remodel::Tensor codes(dtype, constant->shape());
  for (size_t i = 0; i < reals.size(); ++i) {
    const double code = std::round(reals[i] / static_cast<double>(grid.scale[is_single(grid) ? 0 : i]));
    if (!(std::abs(code) <= most)) fail("its bias is beyond {}", name_of(dtype));
    if (dtype == DType::i32)
      codes.to<int32_t>()[i] = static_cast<int32_t>(code);
    else
      codes.to<int64_t>()[i] = static_cast<int64_t>(code);
  }
  return add_constant(constant_tensor(codes), "", grid);
}

void GraphWriter::emit_quantized(Operator made) {
  const QuantizedKernel* kernel = find_quantized_kernel(made.type);
  const Kernel* form = find_kernel(made.type);
  if (!kernel || !form) fail("LiteRT's {} does not take quantized tensors", made.type);
  if (made.outputs.size() != 1) fail("{} results", made.outputs.size());
  // The operands that stand for real numbers.
  std::vector<size_t> reals;
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    Id& input = made.inputs[i];
    if (input < 0) continue;
    const char what = letter(form->inputs, i);
    if (what == 'i' || (what == 'I' && type_of(input).dtype != DType::i64)) {
      if (type_of(input).dtype != DType::i32) fail("its indices are {}", name_of(type_of(input).dtype));
    } else if (what == 'T' || what == '?') {
      reals.push_back(i);
    }
  }
  if (reals.empty()) fail("LiteRT's {} takes no quantized tensors", made.type);
  const Id result = made.outputs[0];
  const bool is_last = result == quantized_->result;
  // Where the kernel has another grid than the result's, that one follows.
  const DType dtype = type_of(made.inputs[reals[kernel->grids == Grids::product && reals.size() > 1 &&
                                                        made.type == "TRANSPOSE_CONV"
                                                    ? 1
                                                    : 0]])
                          .dtype;
  if (!(kernel->dtypes & bit(dtype)))
    fail("LiteRT's quantized {} does not take {}", made.type, name_of(dtype));
  const bool is_byte = type_of(result).dtype == DType::u8;
  Quantization wished = is_byte ? with_signed_bytes(grid_of(result)) : grid_of(result);
  if (is_last && (is_byte ? DType::i8 : type_of(result).dtype) != dtype)
    fail("its result is {}", name_of(type_of(result).dtype));
  if (is_last && !is_single(wished)) fail("its result has several scales");
  Quantization given = wished;
  const auto is_grid = [&](Id id) { return !grid_of(id).empty() && type_of(id).dtype == dtype; };
  const auto axes = [&](Id id) {
    const auto& dims = type_of(id).dims;
    return dims ? dims->size() : 9;
  };
  for (size_t i : reals)
    if (axes(made.inputs[i]) > static_cast<size_t>(kernel->axes))
      fail("LiteRT's quantized {} takes {} axes at most", made.type, kernel->axes);
  if (kernel->grids == Grids::product) {
    const bool transposed = made.type == "TRANSPOSE_CONV";
    const size_t x = transposed ? 2 : 0, w = 1, bias = transposed ? 3 : 2;
    const Quantization &xs = grid_of(made.inputs[x]), &ws = grid_of(made.inputs[w]);
    if (!is_grid(made.inputs[x]) || !is_single(xs) || ws.empty()) fail("an operand has no grid");
    check_weights(made, dtype, type_of(made.inputs[w]).dtype, ws);
    if (!is_last) fail("its result has no grid");
    if (made.inputs.size() > bias && made.inputs[bias] >= 0) {
      Quantization products;
      products.scale = product_scales(xs, ws);
      products.zero.assign(products.scale.size(), 0);
      made.inputs[bias] = bias_on(made.inputs[bias], products, dtype == DType::i16 ? DType::i64 : DType::i32);
    }
  } else {
    std::vector<size_t> tensors;
    for (size_t i : reals) {
      const Id input = made.inputs[i];
      if (is_grid(input)) {
        if (!is_single(grid_of(input))) fail("an operand has several scales");
        tensors.push_back(i);
      } else if (const ConstantPtr constant = constant_of(input); !constant || constant->count() != 1 ||
                                                                  constant->dtype() != DType::f32 ||
                                                                  kernel->grids != Grids::moved) {
        fail("an operand has no grid");
      }
    }
    if (tensors.empty()) fail("no operand has a grid");
    if (kernel->grids == Grids::free) {
      if (!is_last) fail("its result has no grid");
      for (size_t i : tensors)
        if (grid_of(made.inputs[i]).scale[0] > 4096 * wished.scale[0])
          fail("the result's grid is much finer than an operand's");
    } else if (kernel->grids == Grids::fixed) {
      if (!is_last) fail("its result has no grid");
      given = dtype == DType::i16 ? single(1.0 / 32768, 0)
                                  : single(kernel->span / 256, kernel->is_both ? 0 : -byte_shift);
      if (wished.scale[0] < given.scale[0] * 0.999f) fail("the result's grid is finer than the kernel's");
    } else {
      const Quantization first = grid_of(made.inputs[tensors[0]]);
      const bool alike = std::all_of(tensors.begin(), tensors.end(),
                                     [&](size_t i) { return grid_of(made.inputs[i]) == first; });
      if (!alike && !is_last) fail("its operands have several grids");
      given = alike ? first : wished;
      if (kernel->grids == Grids::same && is_last && wished.scale[0] < given.scale[0] * 0.999f)
        fail("the result's grid is finer than the operand's");
      for (size_t i : tensors) made.inputs[i] = requantized(made.inputs[i], dtype, given);
      for (size_t i : reals) {
        const Id input = made.inputs[i];
        if (is_grid(input)) continue;
        // A number to fill with has to be one of the grid.
        const double real = constant_of(input)->tensor().doubles()[0] / static_cast<double>(given.scale[0]);
        const double most = dtype == DType::i8 ? 127 : 32767;
        const bool below = quantized_->saturates && real < -most - 1 - static_cast<double>(given.zero[0]);
        const double code = below ? -most - 1 : std::round(real) + static_cast<double>(given.zero[0]);
        if (!below && (!(std::abs(real - std::round(real)) <= 1e-3) || code > most || code < -most - 1))
          fail("a constant is none of the grid's numbers");
        made.inputs[i] = add_constant(constant_splat(dtype, constant_of(input)->shape(), code), "", given);
      }
    }
  }
  if (!is_last) {
    Type type = type_of(result).with_dtype(dtype);
    to_.tensors[static_cast<size_t>(result)].type = *tensor_type_of(dtype);
    to_.tensors[static_cast<size_t>(result)].quantization = given;
    types_[static_cast<size_t>(result)] = std::move(type);
    return put(std::move(made));
  }
  if (!quantized_->activation.empty()) {
    const Builtin* builtin = find_builtin(made.type);
    if (!builtin || !builtin->options || !builtin->options->find("fused_activation_function"))
      fail("LiteRT's {} has no activation", made.type);
    made.attributes.push_back(word("fused_activation_function", quantized_->activation));
  }
  if (type_of(result).dtype == dtype && grid_of(result) == given) return put(std::move(made));
  const Id inner = add_tensor("", type_of(result).with_dtype(dtype), given);
  made.outputs = {inner};
  put(std::move(made));
  Operator after;
  after.type = "QUANTIZE";
  after.inputs = {inner};
  after.outputs = {result};
  put(std::move(after));
}

void GraphWriter::write_quantized(ValueId value, Id result, std::string_view activation, bool saturates,
                                  const std::function<void()>& write) {
  struct Reset {
    std::optional<Quantized>& state;
    ~Reset() { state.reset(); }
  };
  const Reset reset{quantized_};
  quantized_ = Quantized{result, activation, saturates, {{value, result}}};
  write();
}

void GraphWriter::put_ungridded(const Kernel& kernel, Operator made) {
  // Kernels that only see integers do not look at grids, but some refuse unequal ones.
  std::vector<Id> seen;
  for (size_t i = 0; i < made.inputs.size(); ++i)
    if (made.inputs[i] >= 0 && letter(kernel.inputs, i) == 'T') seen.push_back(made.inputs[i]);
  for (size_t k = 0; k < made.outputs.size(); ++k)
    if (letter(kernel.outputs, k) == 'T') seen.push_back(made.outputs[k]);
  const bool alike =
      std::all_of(seen.begin(), seen.end(), [&](Id id) { return grid_of(id) == grid_of(seen[0]); });
  if (alike) return put(std::move(made));
  const auto relabel = [&](Id from, Id to) {
    Operator copy;
    copy.type = "RESHAPE";
    copy.inputs = {from, reshape_sizes(from, type_of(from).dims.value_or(Dims{}))};
    copy.outputs = {to};
    put(std::move(copy));
  };
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    Id& input = made.inputs[i];
    if (input < 0 || letter(kernel.inputs, i) != 'T' || grid_of(input).empty()) continue;
    const Id plain = add_tensor("", type_of(input));
    relabel(input, plain);
    input = plain;
  }
  std::vector<std::pair<Id, Id>> after;
  for (Id& output : made.outputs) {
    if (grid_of(output).empty()) continue;
    const Id plain = add_tensor("", type_of(output));
    after.emplace_back(plain, output);
    output = plain;
  }
  put(std::move(made));
  for (const auto& [from, to] : after) relabel(from, to);
}

}  // namespace remodel::tflite
