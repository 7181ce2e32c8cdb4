// What a file says beside its graphs: named texts and blobs, files of labels, and the runtime that it needs.
#pragma once

#include <string>

#include "formats/tflite/file.h"
#include "ir/graph.h"

namespace remodel::tflite {

void read_metadata(const File& file, Model& model);
// When all operators are in the file.
void write_metadata(const Model& model, File& file);

// The first runtime that has all operators in their versions: "2.3.0".
std::string least_runtime(const File& file);

}  // namespace remodel::tflite
