// Ops that pick elements by index, put elements at indices, and find out where elements are.
#pragma once

#include "ir/op.h"

namespace remodel {

// What an index outside the axis does.
enum class Outside : uint8_t {
  error,
  clamp,  // the nearest element
  zero,   // 0 instead of an element
};

// (x, indices): the slices of the axis at the indices, which take the axis's place. Both start with `batch`
// axes that they share. Negative indices count from the end where `wrap`, otherwise they are outside.
struct Gather {
  static constexpr const char* name = "gather";
  int64_t axis = 0, batch = 0;
  Outside outside = Outside::error;
  bool wrap = true;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("batch", batch);
    v.choice("outside", outside, {"error", "clamp", "zero"});
    v("wrap", wrap);
  }
  void infer(Infer& in) const;
};

// (x, indices): result[i, j, k] = x[i, indices[i, j, k], k] for axis 1, and so on. Indices may be shorter
// than x along the other axes. Negative indices count from the end; others outside are refused, here and
// below.
struct GatherElements {
  static constexpr const char* name = "gather_elements";
  int64_t axis = 0;
  void describe(Fields& v) { v.axis("axis", axis); }
  void infer(Infer& in) const;
};

// (x, indices): after `batch` shared axes, the last axis of the indices holds places in the next axes of x.
struct GatherND {
  static constexpr const char* name = "gather_nd";
  int64_t batch = 0;
  void describe(Fields& v) { v("batch", batch); }
  void infer(Infer& in) const;
};

// What an update does with what is there. Updates happen in row-major order of the indices.
enum class Update : uint8_t { set, add, mul, max, min };

// (x, indices, updates): x with x[i, indices[i, j, k], k] updated by updates[i, j, k] for axis 1, and so on.
struct ScatterElements {
  static constexpr const char* name = "scatter_elements";
  int64_t axis = 0;
  Update update = Update::set;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v.choice("update", update, {"set", "add", "mul", "max", "min"});
  }
  void infer(Infer& in) const;
};

// (x, indices, updates): x with the slices at the places in the last axis of the indices updated.
struct ScatterND {
  static constexpr const char* name = "scatter_nd";
  Update update = Update::set;
  void describe(Fields& v) { v.choice("update", update, {"set", "add", "mul", "max", "min"}); }
  void infer(Infer& in) const;
};

enum class CacheMode : uint8_t {
  linear,    // updates reaching beyond the end are refused
  circular,  // they go on at the front
};

// (x, updates, starts?): x with the updates of batch entry b (axis 0) at starts[b] (none: 0) and on along the
// axis.
struct UpdateCache {
  static constexpr const char* name = "update_cache";
  int64_t axis = -2;
  CacheMode mode = CacheMode::linear;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v.choice("mode", mode, {"linear", "circular"});
  }
  void infer(Infer& in) const;
};

// (x, keys [n], values [n], otherwise): for each element of x the value of the last key that equals it, NaN
// any NaN; `otherwise`, a single element, where none does.
struct Lookup {
  static constexpr const char* name = "lookup";
  void infer(Infer& in) const;
};

// (x): the places of the elements that are not zero, as i64[rank, count] in row-major order.
struct NonZero {
  static constexpr const char* name = "nonzero";
  void infer(Infer& in) const;
};

// (x, condition): the slices of the axis (flat: the elements) where the condition, which may be shorter, is
// true.
struct Compress {
  static constexpr const char* name = "compress";
  bool flat = true;
  int64_t axis = 0;
  void describe(Fields& v) {
    v("flat", flat);
    v.axis("axis", axis);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
