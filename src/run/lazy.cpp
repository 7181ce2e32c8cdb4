#include "run/lazy.h"

#include <algorithm>

#include "base/error.h"
#include "run/runner.h"

namespace remodel {
namespace {

// Elements computed at a time: whole lines, and as many as lie in one cache line of a transposed view.
int64_t elements_at_once(const Shape& shape, DType dtype) {
  constexpr int64_t block = 1 << 15;
  int64_t row = shape.empty() ? 0 : shape.back(), lines = 64 / static_cast<int64_t>(size_of(dtype));
  return row > 0 ? std::min(std::max(block / row, lines) * row, lines * block) : block;
}

// Elements in a row; one where all are equal. Those that lie in memory stay there.
Tensor part_of(const Constant& constant, int64_t first, int64_t count) {
  const size_t size = size_of(constant.dtype());
  if (constant.splat()) count = 1;
  if (const Bytes whole = constant.plain(); whole.data())
    return Tensor(constant.dtype(), {count}, whole.part(first * size, count * size));
  Tensor part(constant.dtype(), {count});
  constant.read(first, count, part.raw());
  return part;
}

class ElementwiseConstant : public Constant {
 public:
  ElementwiseConstant(Op op, DType dtype, Shape shape, std::vector<ConstantPtr> operands)
      : Constant(dtype, std::move(shape)), op_(std::move(op)), operands_(std::move(operands)) {
    operations_ = 1;
    for (const ConstantPtr& operand : operands_) operations_ += operand->operations();
  }

  void read(int64_t first, int64_t count, void* to) const override {
    Pool pool(1);
    size_t size = size_of(dtype_);
    const int64_t block = elements_at_once(shape_, dtype_);
    for (int64_t done = 0; done < count; done += block) {
      int64_t part = std::min(block, count - done);
      std::vector<Datum> values;
      for (const ConstantPtr& operand : operands_) {
        values.emplace_back(part_of(*operand, first + done, part));
      }
      Tensor result = run_op(op_, std::move(values), 1, pool)[0].tensor;
      if (result.dtype() != dtype_)
        throw Error(fmt::format("{} gave {}, not {}", op_.name(), name_of(result.dtype()), name_of(dtype_)),
                    ErrorKind::internal);
      auto* out = static_cast<uint8_t*>(to) + done * size;
      if (result.count() == part)
        std::memcpy(out, result.raw(), part * size);
      else
        for (int64_t i = 0; i < part; ++i) std::memcpy(out + i * size, result.raw(), size);
    }
  }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const ElementwiseConstant*>(&other);
    return peer && dtype_ == peer->dtype_ && shape_ == peer->shape_ && op_ == peer->op_ &&
           std::equal(operands_.begin(), operands_.end(), peer->operands_.begin(), peer->operands_.end(),
                      [](const auto& a, const auto& b) { return a == b || a->equals(*b); });
  }
  size_t hash() const override {
    size_t seed = op_.hash();
    for (const auto& operand : operands_) seed = seed * 31 + operand->hash();
    return seed;
  }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    return over([&](const Constant& c) { return c.permuted(perm); });
  }
  ConstantPtr sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const override {
    return over([&](const Constant& c) { return c.sliced(axis, start, size, step); });
  }
  ConstantPtr expanded(const Shape& shape) const override {
    return over([&](const Constant& c) { return c.expanded(shape); });
  }
  ConstantPtr reshaped(const Shape& shape) const override {
    return over([&](const Constant& c) { return c.reshaped(shape); });
  }

 private:
  template <class F>
  ConstantPtr over(F view) const {
    std::vector<ConstantPtr> operands;
    for (const auto& operand : operands_) operands.push_back(view(*operand));
    Shape shape = operands[0]->shape();
    return std::make_shared<ElementwiseConstant>(op_, dtype_, std::move(shape), std::move(operands));
  }
  Op op_;
  std::vector<ConstantPtr> operands_;  // all of this constant's shape
};

}  // namespace

ConstantPtr lazy_elementwise(const Op& op, DType dtype, const Shape& shape,
                             const std::vector<ConstantPtr>& operands) {
  std::vector<ConstantPtr> expanded;
  bool splats = true;
  for (const auto& operand : operands) {
    expanded.push_back(operand->shape() == shape ? operand : operand->expanded(shape));
    splats = splats && expanded.back()->splat();
  }
  if (splats && count_of(shape) > 0) {
    std::vector<ConstantPtr> single;
    for (const auto& operand : expanded) {
      Tensor tensor(operand->dtype(), {1});
      std::memcpy(tensor.raw(), operand->splat(), size_of(operand->dtype()));
      single.push_back(constant_tensor(tensor));
    }
    ElementwiseConstant one(op, dtype, {1}, std::move(single));
    Tensor element(dtype, {1});
    one.read(0, 1, element.raw());
    return constant_splat_of(element, shape);
  }
  return std::make_shared<ElementwiseConstant>(op, dtype, shape, std::move(expanded));
}

}  // namespace remodel
