#include "wire/json.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, [](const Bytes& file) {
    const Json json = parse_json(file.view(), JsonSyntax::tolerant);
    for (const JsonStyle style : {JsonStyle::pretty, JsonStyle::compact})
      if (!(parse_json(write_json(json, style)) == json)) broken("it is not read back");
  });
}
