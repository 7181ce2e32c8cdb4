// What a file says beside its graphs: named texts and blobs, files of labels, and the runtime that it needs.
#pragma once

#include "formats/tflite/file.h"
#include "ir/graph.h"

namespace remodel::tflite {

void read_metadata(const File& file, Model& model);
// When all operators are in the file.
void write_metadata(const Model& model, File& file);

}  // namespace remodel::tflite
