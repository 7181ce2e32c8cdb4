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

// It gives some of the integers of its operand 0, as they are.
bool moves_codes(const Op& op) { return is_move(op) ? !op.is<Pad>() : op.is<MaxPool>(); }

bool is_single(const Quantization& grid) { return grid.scale.size() == 1; }
bool is_code(DType dtype) { return dtype == DType::i8 || dtype == DType::i16; }

Quantization single(double scale, int64_t zero) {
  Quantization grid;
  grid.scale = {static_cast<float>(scale)};
  grid.zero = {zero};
  return grid;
}

// The axis of the weights that is the result's channels.
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

GraphWriter::Described GraphWriter::describe(ValueId value) const {
  const Value& it = graph_.value(value);
  Described result{it.type, {}};
  result.type.grid.reset();
  std::optional<Quantization> grid;
  if (it.type.grid) {
    grid = said(*it.type.grid, it.type.dtype);
  } else if (bits_of(it.type.dtype) <= 16 && is_integer(it.type.dtype)) {
    // That on which it is dequantized, maybe behind moves.
    ValueId at = value;
    bool moved = true;
    for (size_t steps = 0; moved && !grid && steps < most_moves; ++steps) {
      moved = false;
      for (NodeId user : graph_.value(at).users) {
        const Node& node = graph_.node(user);
        if (node.inputs[0] != at) continue;
        if (const auto its = remodel::grid_of(graph_, node); its && node.op.is<Dequantize>()) {
          grid = said(*its, it.type.dtype);
          if (grid && at != value && !is_single(*grid)) grid.reset();
          moved = false;
          break;
        }
        if (moves_codes(node.op) && node.outputs.size() == 1) {
          at = node.outputs[0], moved = true;
          break;
        }
      }
    }
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
  ValueId root = value;
  const Node* from = graph_.producer(root);
  for (size_t steps = 0; from && moves_codes(from->op); from = graph_.producer(root)) {
    if (++steps > most_moves) return false;
    root = from->inputs[0];
  }
  if (!from || !from->op.is<Quantize>()) return false;
  std::vector<ValueId> open{root};
  for (size_t seen = 0; !open.empty(); ++seen) {
    // All of a long chain are to get one answer.
    if (seen > most_moves) return false;
    const ValueId at = open.back();
    open.pop_back();
    if (graph_.is_output(at)) return false;
    for (NodeId user : graph_.value(at).users) {
      const Node& node = graph_.node(user);
      const bool moved = moves_codes(node.op) && node.outputs.size() == 1;
      if (node.inputs[0] != at || (!moved && !node.op.is<Dequantize>())) return false;
      if (moved) open.push_back(node.outputs[0]);
    }
  }
  return true;
}

bool GraphWriter::is_same_codes(const Node& node) const {
  const Node* from = node.op.is<Quantize>() ? graph_.producer(node.inputs[0]) : nullptr;
  if (!from || !from->op.is<Dequantize>() || graph_.is_output(node.outputs[0])) return false;
  const ValueId codes = from->inputs[0];
  const auto grid = remodel::grid_of(graph_, *from);
  if (!grid || graph_.constant(codes) || node.op.as<Quantize>()->precision != DType::unknown) return false;
  const Described before = describe(codes), after = describe(node.outputs[0]);
  const auto read = said(*grid, graph_.value(codes).type.dtype);
  const bool shifted = before.type.dtype != graph_.value(codes).type.dtype;
  return read && (shifted ? with_signed_bytes(*read) : *read) == before.grid && is_single(before.grid) &&
         before.type.dtype == after.type.dtype && before.grid == after.grid;
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
  if (const auto place = signed_.find(id); place != signed_.end()) return place->second;
  return signed_[id] = requantized(id, DType::i8, with_signed_bytes(grid_of(id)));
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

// The operands are x, weights and maybe a bias.
void GraphWriter::put_products_on_grids(Operator& made, DType dtype) {
  const bool transposed = made.type == "TRANSPOSE_CONV";
  const size_t x = transposed ? 2 : 0, w = 1, bias = transposed ? 3 : 2;
  const Quantization &xs = grid_of(made.inputs[x]), &ws = grid_of(made.inputs[w]);
  if (!is_single(xs) || ws.empty()) fail("an operand has no grid");
  check_weights(made, dtype, type_of(made.inputs[w]).dtype, ws);
  if (made.inputs.size() <= bias || made.inputs[bias] < 0) return;
  Quantization products;
  products.scale = product_scales(xs, ws);
  products.zero.assign(products.scale.size(), 0);
  made.inputs[bias] = bias_on(made.inputs[bias], products, dtype == DType::i16 ? DType::i64 : DType::i32);
}

// A number to fill with, which has to be one of the grid.
Id GraphWriter::number_on(Id number, DType dtype, const Quantization& grid) {
  const double real = constant_of(number)->tensor().doubles()[0] / static_cast<double>(grid.scale[0]);
  const double zero = static_cast<double>(grid.zero[0]);
  const double most = dtype == DType::i8 ? 127 : 32767, least = -most - 1;
  const bool below = quantized_->saturates && real < least - zero;
  const double code = below ? least : std::round(real) + zero;
  if (!below && (!(std::abs(real - std::round(real)) <= 1e-3) || code > most || code < least))
    fail("a constant is none of the grid's numbers");
  return add_constant(constant_splat(dtype, constant_of(number)->shape(), code), "", grid);
}

// Brings the operands at these places to grids that the kernel takes; gives that of its result, for which
// `wished` is asked (empty: any).
Quantization GraphWriter::put_on_grids(Operator& made, const std::vector<size_t>& places, DType dtype,
                                       const QuantizedKernel& kernel, const Quantization& wished) {
  const bool moved = kernel.grids == Grids::moved, any = wished.empty();
  std::vector<size_t> tensors, numbers;
  for (size_t i : places) {
    const ConstantPtr constant = constant_of(made.inputs[i]);
    if (is_single(grid_of(made.inputs[i])) && type_of(made.inputs[i]).dtype == dtype)
      tensors.push_back(i);
    else if (moved && constant && constant->count() == 1 && constant->dtype() == DType::f32)
      numbers.push_back(i);
    else
      fail("an operand is on no grid of {}", name_of(dtype));
  }
  if (tensors.empty()) fail("no operand has a grid");
  const Quantization& first = grid_of(made.inputs[tensors[0]]);
  const auto is_finer = [&](const Quantization& than) { return wished.scale[0] < than.scale[0] * 0.999f; };
  if (kernel.grids == Grids::free || kernel.grids == Grids::fixed) {
    if (any) fail("its result has no grid");
    for (size_t i : tensors)
      if (grid_of(made.inputs[i]).scale[0] > 4096 * wished.scale[0])
        fail("the result's grid is much finer than an operand's");
    if (kernel.grids == Grids::free) return wished;
    const Quantization fixed = single(kernel.span / 256, kernel.is_both ? 0 : -byte_shift);
    if (is_finer(fixed)) fail("the result's grid is finer than the kernel's");
    return fixed;
  }
  const bool alike =
      std::all_of(tensors.begin(), tensors.end(), [&](size_t i) { return grid_of(made.inputs[i]) == first; });
  if (!alike && any) fail("its operands have several grids");
  const Quantization given = alike ? first : wished;
  if (!moved && !any && is_finer(given)) fail("the result's grid is finer than the operand's");
  for (size_t i : tensors) made.inputs[i] = requantized(made.inputs[i], dtype, given);
  for (size_t i : numbers) made.inputs[i] = number_on(made.inputs[i], dtype, given);
  return given;
}

void GraphWriter::emit_quantized(Operator made) {
  const QuantizedKernel* kernel = find_quantized_kernel(made.type);
  const Kernel* form = find_kernel(made.type);
  if (!kernel || !form || made.outputs.size() != 1)
    fail("LiteRT's {} does not take quantized tensors", made.type);
  std::vector<size_t> places;  // of operands that stand for real numbers
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    if (made.inputs[i] < 0) continue;
    const char what = letter(form->inputs, i);
    const Type& type = type_of(made.inputs[i]);
    if (what == 'T' || what == '?') {
      places.push_back(i);
      if (!type.dims || type.dims->size() > static_cast<size_t>(kernel->axes))
        fail("LiteRT's quantized {} takes {} axes at most", made.type, kernel->axes);
    } else if ((what == 'i' || what == 'I') && type.dtype != DType::i32 &&
               !(what == 'I' && type.dtype == DType::i64)) {
      fail("its indices are {}", name_of(type.dtype));
    }
  }
  if (places.empty()) fail("LiteRT's {} does not take quantized tensors", made.type);
  const bool is_product = kernel->grids == Grids::product;
  const DType dtype = type_of(made.inputs[made.type == "TRANSPOSE_CONV" ? 2 : places[0]]).dtype;
  if (!(kernel->dtypes & bit(dtype)))
    fail("LiteRT's quantized {} does not take {}", made.type, name_of(dtype));
  const Id result = made.outputs[0];
  if (result != quantized_->result) {
    // Between operators: what is moved stays on its grid.
    if (is_product) fail("its result has no grid");
    const Quantization given = put_on_grids(made, places, dtype, *kernel, {});
    to_.tensors[static_cast<size_t>(result)].type = *tensor_type_of(dtype);
    to_.tensors[static_cast<size_t>(result)].quantization = given;
    types_[static_cast<size_t>(result)] = type_of(result).with_dtype(dtype);
    return put(std::move(made));
  }
  const bool has_sign = type_of(result).dtype != DType::u8;
  const Quantization wished = has_sign ? grid_of(result) : with_signed_bytes(grid_of(result));
  if ((has_sign ? type_of(result).dtype : DType::i8) != dtype || !is_single(wished))
    fail("its result is on no grid of {}", name_of(dtype));
  Quantization given = wished;
  if (is_product)
    put_products_on_grids(made, dtype);
  else
    given = put_on_grids(made, places, dtype, *kernel, wished);
  if (!quantized_->activation.empty()) {
    if (!takes_activation(made.type)) fail("LiteRT's {} has no activation", made.type);
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
  if (made.type == "RESHAPE") return put(std::move(made));
  const QuantizedKernel* quantized = find_quantized_kernel(kernel.type);
  const auto is_seen = [&](char what) { return what == 'T' || (what == '?' && quantized); };
  std::vector<Id> seen;
  for (size_t i = 0; i < made.inputs.size(); ++i)
    if (made.inputs[i] >= 0 && is_seen(letter(kernel.inputs, i))) seen.push_back(made.inputs[i]);
  for (size_t k = 0; k < made.outputs.size(); ++k)
    if (is_seen(letter(kernel.outputs, k))) seen.push_back(made.outputs[k]);
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
    if (input < 0 || !is_seen(letter(kernel.inputs, i)) || grid_of(input).empty()) continue;
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
