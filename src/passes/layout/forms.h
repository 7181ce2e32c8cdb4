// The values that hold a tensor, in one order or another and with their axes joined one way or another.
#pragma once

#include "passes/layout/layout.h"
#include "passes/layout/problem.h"

namespace remodel::layout {

// The atoms of each axis; none: an axis of size 1.
using Shaped = std::vector<Atoms>;

class Forms {
 public:
  Forms(Problem& problem, LayoutReport& report) : problem_(problem), report_(report) {}

  void add(int group, ValueId value, Shaped axes);
  // Whether it is there as it is.
  bool has(int group, OrderId order, const Shaped& axes) const;
  // The one that was there first; null: none.
  const Shaped* first(int group, OrderId order) const;
  // The tensor as the port of the unit takes it, reshaped and transposed where it must be.
  ValueId get(const Place& reader, OrderId order, const Shaped& axes);

  Dims sizes(const Shaped& axes);
  Shaped source(ValueId value);  // as the source has it

 private:
  struct Form {
    ValueId value;
    Shaped axes;
  };
  ValueId reshaped(const Form& form, const Shaped& axes, const Origin& origin);
  Form transposed(const Form& form, const Atoms& to, const Shaped* wanted, const Origin& origin);
  void note(const Place& reader, OrderId from, OrderId to, ValueId value);
  std::string text(int group, OrderId order);

  Problem& problem_;
  LayoutReport& report_;
  std::map<std::pair<int, OrderId>, std::vector<Form>> forms_;
};

}  // namespace remodel::layout
