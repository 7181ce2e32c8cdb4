// Dropout as in training.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, ratio?, training?) -> (y, mask): where `training`, each element is dropped with probability `ratio` (in
// 0 .. 1, excluding 1), independently, and the others are divided by 1 - ratio; the mask tells which stayed.
// Otherwise y is x and the mask all true. Missing: ratio 0.5 and no training.
struct Dropout {
  static constexpr const char* name = "dropout";
  static constexpr bool effect = true;
  bool seeded = false;
  int64_t seed = 0;  // where seeded
  void describe(Fields& v) {
    v("seeded", seeded);
    v("seed", seed);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
