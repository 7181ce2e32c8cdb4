// What a pass knows of each op: one function an op.
#pragma once

#include <unordered_map>

#include "ir/op.h"

namespace remodel {

template <class Fn>
class OpTable {
 public:
  template <class T>
  void add(Fn fn) {
    table_[&info_of<T>()] = fn;
  }
  // Null where there is none.
  Fn find(const OpInfo& op) const {
    auto place = table_.find(&op);
    return place == table_.end() ? nullptr : place->second;
  }

 private:
  std::unordered_map<const OpInfo*, Fn> table_;
};

}  // namespace remodel
