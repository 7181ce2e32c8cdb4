#include "app/job.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "app/formats.h"
#include "app/layouts.h"
#include "base/error.h"
#include "base/nearest.h"

namespace remodel {
namespace {

[[noreturn]] void refuse(std::string text) { throw Error(std::move(text), ErrorKind::usage); }

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string text_of_value(const Json& value) {
  if (value.is_string()) return value.as_string();
  return write_json(value, JsonStyle::compact);
}

std::string text_value(const Json& value) {
  if (!value.is_string()) refuse(fmt::format("expected a string, found {}", text_of_value(value)));
  return value.as_string();
}

std::string path_value(const Json& value) {
  const std::string path = text_value(value);
  if (path.empty()) refuse("the file name is empty");
  return path;
}

bool truth_value(const Json& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_array() || value.is_object())
    refuse(fmt::format("expected True or False, found {}", text_of_value(value)));
  return parse_truth(text_of_value(value));
}

std::vector<std::string> names_value(const Json& value) {
  if (!value.is_array()) return parse_names(text_value(value));
  std::vector<std::string> names;
  for (const Json& name : value.as_array()) names.push_back(text_value(name));
  return names;
}

PortWishes layouts_value(const Json& value) {
  PortWishes wishes;
  for (const std::string& part : names_value(value)) add_layouts(wishes, part);
  return wishes;
}

// [1, 3, null, "N"] as the text of a shape.
std::string shape_text(const Json::Array& sizes) {
  std::string text = "[";
  for (const Json& size : sizes) {
    if (size.is_array() || size.is_object() || size.is_bool() || size.is_double())
      refuse(fmt::format("{} is no size", text_of_value(size)));
    text += (text.size() > 1 ? "," : "") + (size.is_null() ? "?" : text_of_value(size));
  }
  return text + "]";
}

std::vector<InputShape> shapes_value(const Json& value) {
  if (!value.is_array()) return parse_input_shapes(text_value(value));
  const Json::Array& list = value.as_array();
  const bool nested = std::any_of(list.begin(), list.end(), [](const Json& item) { return item.is_array(); });
  if (!nested) return parse_input_shapes(shape_text(list));
  std::string text;
  for (const Json& shape : list) text += (text.empty() ? "" : ";") + shape_text(shape.as_array());
  return parse_input_shapes(text);
}

std::string one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  std::vector<std::string> known(words.begin(), words.end());
  refuse(fmt::format("'{}' is not one of {}", text, quoted_list(known)));
}

constexpr JobKey keys[] = {
    {"convert_from", "the model to convert: a file or folder",
     [](Job& job, const Json& value) { job.options.from = path_value(value); }},
    {"convert_to", "the file to write",
     [](Job& job, const Json& value) { job.options.to = path_value(value); }},
    {"skip", "leave this job out", [](Job& job, const Json& value) { job.skip = truth_value(value); }},
    {"input_nodes", "tensors to cut at, as the new inputs: a,b:0",
     [](Job& job, const Json& value) { job.options.request.inputs = names_value(value); }},
    {"output_nodes", "tensors to cut at, as the new outputs",
     [](Job& job, const Json& value) { job.options.request.outputs = names_value(value); }},
    {"input_shape", "the inputs' shapes: 1,3,224,224;1,10 or name=1,3,224,224",
     [](Job& job, const Json& value) { job.options.request.shapes = shapes_value(value); }},
    {"input_layout", "what inputs become: nhwc, nchw or image=nhwc,mask=nchw",
     [](Job& job, const Json& value) { job.options.layout.inputs = layouts_value(value); }},
    {"output_layout", "what outputs become",
     [](Job& job, const Json& value) { job.options.layout.outputs = layouts_value(value); }},
    {"tflite_ops", "builtin or custom: the operators that TensorFlow Lite may need",
     [](Job& job, const Json& value) {
       job.options.tflite_ops = one_of(text_value(value), {"builtin", "custom"});
     }},
    {"network_script", "the Python script of a PyTorch model; scripts are never run",
     [](Job& job, const Json& value) { job.options.network_script = text_value(value); }},
    {"network_name", "the class of a PyTorch model",
     [](Job& job, const Json& value) { job.options.network_name = text_value(value); }},
    {"onnx_opset", "the operator set to write, 9 to 24",
     [](Job& job, const Json& value) { job.options.opset = parse_opset(text_of_value(value)); }},
    {"frozen", "write a frozen TensorFlow graph",
     [](Job& job, const Json& value) { job.options.frozen = truth_value(value); }},
    {"savedmodel_tag", "the tag of a SavedModel's graph",
     [](Job& job, const Json& value) { job.options.savedmodel_tag = text_value(value); }},
    {"savedmodel_signature", "the entry point, of a model that has several",
     [](Job& job, const Json& value) { job.options.savedmodel_signature = text_value(value); }},
    {"quantization.optimization", "none or default",
     [](Job& job, const Json& value) {
       job.options.quantization.optimization = one_of(text_value(value), {"none", "default"});
     }},
    {"quantization.type", "float32 (or float), float16, int8 or uint8",
     [](Job& job, const Json& value) {
       job.options.quantization.type =
           one_of(text_value(value), {"float", "float32", "float16", "int8", "uint8"});
     }},
    {"quantization.opsset", "tflite, tf or int8",
     [](Job& job, const Json& value) {
       job.options.quantization.opsset = one_of(text_value(value), {"tflite", "tf", "int8"});
     }},
    {"quantization.load", "samples to calibrate with",
     [](Job& job, const Json& value) { job.options.quantization.load = text_value(value); }},
};

const JobKey* find_key(std::string_view name) {
  for (const JobKey& key : keys)
    if (key.name == name) return &key;
  return nullptr;
}

// The keys of one object: those with the prefix, without it, and what stands before a dot once.
std::vector<std::string> keys_under(const std::string& prefix) {
  std::vector<std::string> names;
  for (const JobKey& key : keys) {
    if (!key.name.starts_with(prefix)) continue;
    std::string name(key.name.substr(prefix.size()));
    name = name.substr(0, name.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void read_members(Job& job, const Json& object, const std::string& prefix, std::vector<Error>& problems) {
  for (const JsonMember& member : object.as_object()) {
    const std::string name = prefix + member.key;
    try {
      if (const JobKey* key = find_key(name)) {
        key->set(job, member.value);
      } else if (prefix.empty() && !keys_under(name + ".").empty()) {
        if (!member.value.is_object())
          refuse(fmt::format("expected an object, found {}", text_of_value(member.value)));
        read_members(job, member.value, name + ".", problems);
      } else {
        const std::vector<std::string> known = keys_under(prefix);
        const std::vector<std::string> near = nearest_names(member.key, known, 1);
        problems.push_back(Error(
            near.empty() ? fmt::format("unknown key '{}' (the keys are {})", name, quoted_list(known, "and"))
                         : fmt::format("unknown key '{}' (did you mean '{}{}'?)", name, prefix, near[0]),
            ErrorKind::usage));
      }
    } catch (const Error& error) {
      problems.push_back(Error(error.what(), ErrorKind::usage).at(fmt::format("'{}'", name)));
    }
  }
}

}  // namespace

std::span<const JobKey> job_keys() { return keys; }

bool parse_truth(std::string_view text) {
  const std::string word = folded(text);
  for (std::string_view yes : {"true", "1", "yes", "on"})
    if (word == yes) return true;
  for (std::string_view no : {"false", "0", "no", "off"})
    if (word == no) return false;
  refuse(fmt::format("expected True or False, found '{}'", text));
}

int64_t parse_number(std::string_view text, int64_t least, int64_t most) {
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || number < least || number > most)
    refuse(fmt::format("expected a number from {} to {}, found '{}'", least, most, text));
  return number;
}

int64_t parse_opset(std::string_view text) {
  const WrittenVersions opsets = find_format("onnx")->format().versions();
  return parse_number(text, opsets.lowest, opsets.highest);
}

std::string parse_tflite_ops(const std::string& text) { return one_of(text, {"builtin", "custom"}); }

double parse_tolerance(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || !std::isfinite(number) || number < 0)
    refuse(fmt::format("expected a number such as 1e-4, found '{}'", text));
  return number;
}

std::vector<Job> parse_jobs(std::string_view text, const Job& defaults) {
  Json json;
  try {
    json = parse_json(text, JsonSyntax::tolerant);
  } catch (const Error& error) {
    throw Error(error.what(), ErrorKind::usage);
  }
  const Json::Array list = json.is_array() ? json.as_array() : Json::Array{json};
  std::vector<Job> jobs;
  std::vector<Error> problems;
  for (size_t i = 0; i < list.size(); ++i) {
    std::vector<Error> found;
    Job job = defaults;
    job.options.lowest_opset = job_opset;
    if (!list[i].is_object()) {
      found.push_back(
          Error(fmt::format("expected an object, found {}", text_of_value(list[i])), ErrorKind::usage));
    } else {
      read_members(job, list[i], "", found);
      for (std::string_view required : {"convert_from", "convert_to"})
        if (!list[i].find(required))
          found.push_back(Error(fmt::format("'{}' is missing", required), ErrorKind::usage));
    }
    for (Error& error : found) problems.push_back(error.at(fmt::format("job {}", i + 1)));
    jobs.push_back(std::move(job));
  }
  if (list.empty()) problems.push_back(Error("there are no jobs", ErrorKind::usage));
  if (problems.size() == 1) throw problems.front();
  if (!problems.empty()) throw Problems(std::move(problems));
  return jobs;
}

}  // namespace remodel
