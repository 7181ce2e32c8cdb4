// Protocol buffers of no schema: each field is read as what its type allows.
#include "wire/protobuf.h"

#include "fuzz.h"

namespace remodel {
namespace {

void read(ProtoReader in, std::vector<uint64_t>& varints, std::vector<float>& floats) {
  while (in.next()) {
    if (in.type() == ProtoType::varint) {
      in.append_varints(varints);
    } else if (in.type() == ProtoType::fixed32) {
      in.append_floats(floats);
    } else if (in.type() != ProtoType::bytes) {
      in.skip();
    } else if (in.field() % 3 == 0) {
      in.append_varints(varints);
    } else if (in.field() % 3 == 1) {
      in.append_floats(floats);
    } else {
      read(in.message(), varints, floats);
    }
  }
}

}  // namespace
}  // namespace remodel

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, [](const Bytes& file) {
    std::vector<uint64_t> varints;
    std::vector<float> floats;
    read(ProtoReader(file.view()), varints, floats);
  });
}
