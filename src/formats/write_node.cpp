#include "formats/write_node.h"

namespace remodel {

const Type& WriteNode::type(size_t i) const {
  if (!has(i)) fail("operand {} is missing", i);
  return graph_.value(node_.inputs[i]).type;
}

int64_t WriteNode::rank(size_t i) const {
  return type(i).dims ? static_cast<int64_t>(type(i).dims->size()) : -1;
}

}  // namespace remodel
