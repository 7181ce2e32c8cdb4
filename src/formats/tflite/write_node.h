// What a row sees of one node of the IR while a TensorFlow Lite file is written.
#pragma once

#include "formats/write_node.h"

namespace remodel::tflite {

class WriteNode : public remodel::WriteNode {
 public:
  using remodel::WriteNode::WriteNode;
};

}  // namespace remodel::tflite
