// The formats of model files: their names, and which one a file is in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "formats/format.h"

namespace remodel {

struct FormatInfo {
  std::string_view name;                // as options spell it
  std::string_view brand;               // in reports: "ONNX"
  std::string_view title;               // in messages: "a Keras HDF5 file"
  std::string_view extensions;          // ".h5 .hdf5"; a folder has none
  const Format& (*format)() = nullptr;  // null: neither read nor written yet
  bool writes = true;
};

std::span<const FormatInfo> all_formats();
// Null where there is none.
const FormatInfo* find_format(std::string_view name);
// Refuses unknown names as a usage error.
const FormatInfo& need_format(std::string_view name);

// What a file or folder holds, by its content and then by its name. Refuses what is no model at all.
const FormatInfo& detect_format(const std::string& path, const Bytes& content);
// The same without opening a folder's files.
const FormatInfo& detect_folder(const std::string& path);
// The format that a file is to be written in, by its name alone. A usage error where that says nothing.
const FormatInfo& format_of_name(const std::string& path);

// Refuses what cannot be read, or written, yet.
const Format& need_reader(const FormatInfo& info, const std::string& path);
const Format& need_writer(const FormatInfo& info, const std::string& path);

}  // namespace remodel
