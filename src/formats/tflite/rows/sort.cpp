#include "ops/sort.h"

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

void read_top_k(ReadNode& node) {
  TopK op;
  const auto k = node.sizes(1);
  std::vector<ValueId> operands{node.input(0)};
  if (k && k->size() == 1)
    op.k = (*k)[0];
  else
    operands.push_back(node.emit(Reshape{{1}, false}, {node.emit(cast_to(DType::i64), {node.input(1)})}));
  const std::vector<ValueId> results = node.emit(op, operands, 2);
  node.result(0, results[0]), node.result(1, results[1]);
}

void read_unique(ReadNode& node) {
  node.ignore("idx_out_type");  // which the result's type says, too
  Unique op;
  op.sorted = false;
  const std::vector<ValueId> results = node.emit(op, {node.input(0)}, 4);
  node.result(0, results[0]), node.result(1, results[2]);
}

// How many boundaries are not above x.
void read_bucketize(ReadNode& node) {
  const std::vector<double> boundaries = node.reals("boundaries");
  const ValueId x = node.emit(cast_to(DType::f32), {node.input(0)});
  const ValueId column = node.emit(Unsqueeze{{node.rank(0)}}, {x});
  const Shape shape{static_cast<int64_t>(boundaries.size())};
  const ValueId limits = node.add_constant(
      constant_cast(constant_tensor(remodel::Tensor::of(DType::f64, shape, boundaries)), DType::f32));
  const ValueId above = node.emit(cast_to(DType::i32), {node.emit(GreaterEqual{}, {column, limits})});
  node.emit_results(Reduce{Reduce::Kind::sum, {node.rank(0)}, false, false}, {above});
}

}  // namespace

void sort_rows(Rows& rows) {
  rows.read("TOPK_V2", since(1), read_top_k);
  rows.read("UNIQUE", since(1), read_unique);
  rows.read("BUCKETIZE", since(1), read_bucketize);
}

}  // namespace remodel::tflite
