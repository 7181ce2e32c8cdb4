// Ops that make tensors out of sizes and indices.
#pragma once

#include "ir/op.h"

namespace remodel {

// (): start, start + step, ..., `size` numbers. Or (start, limit, delta), scalars of one type: start + i *
// delta as long as that is before the limit.
struct Range {
  static constexpr const char* name = "range";
  DType dtype = DType::i64;  // of the form without operands
  Dim start, size;
  int64_t step = 1;
  void describe(Fields& v) {
    v("dtype", dtype);
    v("start", start);
    v("size", size);
    v("step", step);
  }
  void infer(Infer& in) const;
};

// (indices, values, depth?): along a new axis `depth` elements, values[1] at the index and values[0]
// elsewhere. An index outside has values[0] everywhere. Negative indices count from the end where `wrap`.
struct OneHot {
  static constexpr const char* name = "one_hot";
  int64_t axis = -1;  // of the result
  Dim depth;
  bool wrap = false;
  void describe(Fields& v) {
    v("axis", axis);
    v("depth", depth);
    v("wrap", wrap);
  }
  void infer(Infer& in) const;
};

// (shape?): a matrix with 1 where column - row == k, otherwise 0.
struct Eye {
  static constexpr const char* name = "eye";
  Dims shape;
  int64_t k = 0;
  DType dtype = DType::f32;
  void describe(Fields& v) {
    v("shape", shape);
    v("k", k);
    v("dtype", dtype);
  }
  void infer(Infer& in) const;
};

// (x, k?): matrices with zeros outside a triangle, which is where column - row >= k (upper) or <= k.
struct Triangle {
  static constexpr const char* name = "triangle";
  bool upper = true;
  Dim k;
  void describe(Fields& v) {
    v("upper", upper);
    v("k", k);
  }
  void infer(Infer& in) const;
};

// How many numbers a range has; nullopt where the sizes do not tell.
std::optional<Dim> range_size(const Dim& start, const Dim& limit, const Dim& delta);

}  // namespace remodel
