// Control flow, lists, optionals, and operators that are kept as they are.
#pragma once

#include "ir/op.h"

namespace remodel {

// A node whose op we do not know: kept whole, written back to its own format, refused for any other.
struct Foreign {
  static constexpr const char* name = "foreign";
  static constexpr bool effect = true;
  std::string format, type;  // "onnx", "com.acme:Warp"
  std::shared_ptr<const void> raw;  // the format's own node
  void describe(Fields& v) {
    v("format", format);
    v("type", type);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
