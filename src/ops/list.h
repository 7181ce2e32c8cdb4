// Lists of tensors, and optionals. An index counts from the end where it is negative; one outside is refused
// when the model runs.
#pragma once

#include "ir/op.h"

namespace remodel {

// (items...): a list of the tensors, in order. `dtype` is that of the elements.
struct ListNew {
  static constexpr const char* name = "list_new";
  DType dtype = DType::f32;
  void describe(Fields& v) { v("dtype", dtype); }
  void infer(Infer& in) const;
};

// (list, index): one element.
struct ListGet {
  static constexpr const char* name = "list_get";
  void infer(Infer& in) const;
};

// (list, item, index?): the list with the item before that index; at the end without one.
struct ListInsert {
  static constexpr const char* name = "list_insert";
  void infer(Infer& in) const;
};

// (list, item, index): the list with that element replaced.
struct ListSet {
  static constexpr const char* name = "list_set";
  void infer(Infer& in) const;
};

// (list, index?): the list without that element; without the last where there is no index.
struct ListErase {
  static constexpr const char* name = "list_erase";
  void infer(Infer& in) const;
};

// (list): the number of elements, i64[].
struct ListSize {
  static constexpr const char* name = "list_size";
  void infer(Infer& in) const;
};

// (list): its elements as one tensor, along a new axis (stack) or an axis that they have.
struct ListConcat {
  static constexpr const char* name = "list_concat";
  int64_t axis = 0;
  bool stack = false;
  void describe(Fields& v) {
    v("axis", axis);  // of the result
    v("stack", stack);
  }
  void infer(Infer& in) const;
};

// (x, sizes?): parts of a tensor along the axis, as a list. Part k has sizes[k] indices where `sizes` is
// one-dimensional; a scalar cuts into chunks of that many, the last one with what is left. Without the
// operand the attributes say it: `sizes`, or `chunk` where there are none. `keep`: parts of size 1 keep the
// axis.
struct ListSplit {
  static constexpr const char* name = "list_split";
  int64_t axis = 0;
  Dims sizes;
  Dim chunk = 1;
  bool keep = true;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("sizes", sizes);
    v("chunk", chunk);
    v("keep", keep);
  }
  void infer(Infer& in) const;
};

// (value): an optional that has it.
struct OptionalSome {
  static constexpr const char* name = "optional_some";
  void infer(Infer& in) const;
};

// (): an optional without a value, which would have this type.
struct OptionalNone {
  static constexpr const char* name = "optional_none";
  Type type;
  void describe(Fields& v) { v("type", type); }
  void infer(Infer& in) const;
};

// (optional): its value. Refused when the model runs and there is none.
struct OptionalGet {
  static constexpr const char* name = "optional_get";
  void infer(Infer& in) const;
};

// (optional): whether it has a value, bool[].
struct OptionalHas {
  static constexpr const char* name = "optional_has";
  void infer(Infer& in) const;
};

}  // namespace remodel
