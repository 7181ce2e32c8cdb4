#include "passes/decompose/places.h"

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/shape.h"

namespace remodel {

ValueId sizes_value(Emitter& node, const Dims& sizes) {
  if (auto known = numbers(sizes)) return node.integers(*known);
  return node.emit(Sizes{sizes}, {});
}

ValueId size_value(Emitter& node, const Dim& size) { return element(node, sizes_value(node, {size}), 0); }

ValueId count_up(Emitter& node, const Dim& size) {
  // Longer lists than that are better computed than kept.
  if (!size.is_number() || size.number() > (1 << 16)) return node.emit(Range{DType::i64, 0, size, 1}, {});
  std::vector<int64_t> values;
  for (int64_t i = 0; i < size.number(); ++i) values.push_back(i);
  return node.integers(values);
}

ValueId as_i64(Emitter& node, ValueId integers) {
  if (node.graph().value(integers).type.dtype == DType::i64) return integers;
  Cast cast;
  cast.to = DType::i64;
  return node.emit(cast, {integers});
}

ValueId element(Emitter& node, ValueId list, int64_t i) {
  if (const Constant* known = node.graph().constant(list))
    return node.constant(
        constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {known->tensor().ints().at(i)})));
  return node.emit(Gather{}, {list, node.scalar(DType::i64, static_cast<double>(i))});
}

ValueId from_front(Emitter& node, ValueId places, ValueId sizes) {
  ValueId negative = less(node, places, node.scalar(DType::i64, 0));
  return node.emit(Select{}, {negative, node.emit(Add{}, {places, sizes}), places});
}

ValueId not_negative(Emitter& node, ValueId x) { return larger_of(node, x, node.scalar(DType::i64, 0)); }

ValueId modulo(Emitter& node, ValueId x, ValueId divisor) { return node.emit(Mod{}, {x, divisor}); }

ValueId less(Emitter& node, ValueId a, ValueId b) { return node.emit(Less{}, {a, b}); }

ValueId smaller_of(Emitter& node, ValueId a, ValueId b) {
  return node.emit(Select{}, {less(node, a, b), a, b});
}

ValueId larger_of(Emitter& node, ValueId a, ValueId b) {
  return node.emit(Select{}, {less(node, a, b), b, a});
}

}  // namespace remodel
