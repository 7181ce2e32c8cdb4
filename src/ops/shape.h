// Ops that give a tensor another shape, order or number of copies, and ops that speak of sizes.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, shape?): the same elements in the same order. The sizes are resolved: no 0 or -1 that needs looking up,
// except in the operand, where -1 is what is left and 0 (unless allow_zero) copies the size of that axis.
struct Reshape {
  static constexpr const char* name = "reshape";
  Dims shape;
  bool allow_zero = false;
  void describe(Fields& v) {
    v("shape", shape);
    v("allow_zero", allow_zero);
  }
  void infer(Infer& in) const;
};

// (x): axis i of the result is axis perm[i] of x. An empty perm reverses the axes.
struct Transpose {
  static constexpr const char* name = "transpose";
  std::vector<int64_t> perm;
  void describe(Fields& v) { v("perm", perm); }
  void infer(Infer& in) const;
};

// (x, axes?): without the axes, each of size 1. No axes at all: without every axis that has size 1.
struct Squeeze {
  static constexpr const char* name = "squeeze";
  std::vector<int64_t> axes;
  void describe(Fields& v) { v.axes("axes", axes); }
  void infer(Infer& in) const;
};

// (x, axes?): with axes of size 1 inserted, so that they stand at these places of the result.
struct Unsqueeze {
  static constexpr const char* name = "unsqueeze";
  std::vector<int64_t> axes;
  void describe(Fields& v) { v("axes", axes); }
  void infer(Infer& in) const;
};

// (x, shape?): x repeated along axes of size 1, aligned at the last axis. The attribute is the result's
// shape; the operand may have sizes of 1 where x has others.
struct Expand {
  static constexpr const char* name = "expand";
  Dims shape;
  void describe(Fields& v) { v("shape", shape); }
  void infer(Infer& in) const;
};

// (x, repeats?): copies of x side by side, a number for each axis.
struct Tile {
  static constexpr const char* name = "tile";
  Dims repeats;
  void describe(Fields& v) { v("repeats", repeats); }
  void infer(Infer& in) const;
};

// (x): the sizes of axes start to end as i64[n]; both may count from the end and are clamped.
struct ShapeOf {
  static constexpr const char* name = "shape_of";
  int64_t start = 0, end = INT64_MAX;
  void describe(Fields& v) {
    v("start", start);
    v("end", end);
  }
  // The axes of a tensor of that rank: first, and one past the last.
  std::pair<int64_t, int64_t> axes(int64_t rank) const;
  void infer(Infer& in) const;
};

// (x): the number of elements as i64[].
struct CountOf {
  static constexpr const char* name = "count_of";
  void infer(Infer& in) const;
};

// (): the sizes as i64[n].
struct Sizes {
  static constexpr const char* name = "sizes";
  Dims sizes;
  void describe(Fields& v) { v("sizes", sizes); }
  void infer(Infer& in) const;
};

// The sizes that a shape with 0 (unless allow_zero) and -1 stands for, where they can be told.
std::optional<Dims> resolve_reshape(const std::optional<Dims>& from, Dims to, bool allow_zero);

// Refuses sizes that are known to be negative.
void check_sizes(const Dims& sizes);

// The axes counted from the front and sorted; refuses one given twice.
std::vector<int64_t> sorted_axes(const std::vector<int64_t>& axes, int64_t rank);

// Says what result k contains where it is a view of a small operand 0: the elements at offset + index *
// strides.
void content_view_out(Infer& in, size_t k, int64_t offset, const std::vector<int64_t>& strides,
                      const std::vector<int64_t>& sizes);

}  // namespace remodel
