#include <algorithm>
#include <unordered_map>

#include "formats/tflite/file.h"
#include "formats/tflite/sparse.h"
#include "wire/flatbuffer.h"
#include "wire/zip.h"

namespace remodel::tflite {
namespace {

constexpr uint64_t largest_assets = uint64_t{1} << 28;

std::string name_of_operator(const FlatTable& code) {
  // Files from before there were more than 127 operators have a byte.
  const int64_t number = std::max<int64_t>(code.number<int8_t>(0), code.number<int32_t>(3));
  if (const Builtin* builtin = find_builtin(number)) return std::string(builtin->name);
  fail("the builtin operator {} is not known", number);
}

constexpr int custom_code = 32;

std::vector<Attribute> parse_attributes(const FlatTable& table, const Options& options) {
  std::vector<Attribute> result;
  for (const Field& field : options.fields) {
    if (!table.has(field.slot)) continue;
    Attribute attribute;
    attribute.name = field.name;
    attribute.kind = field.kind;
    switch (field.kind) {
      case FieldKind::truth:
      case FieldKind::integer:
      case FieldKind::word:
        attribute.integer = field.bytes == 1   ? table.number<int8_t>(field.slot)
                            : field.bytes == 4 ? table.number<int32_t>(field.slot)
                                               : table.number<int64_t>(field.slot);
        if (static_cast<double>(attribute.integer) == field.value) continue;
        if (field.kind != FieldKind::word) break;
        if (const Choice* choice = field.find(attribute.integer))
          attribute.text = choice->word;
        else
          throw Error(fmt::format("it is {}, which is not known", attribute.integer))
              .at(fmt::format("attribute '{}'", field.name));
        break;
      case FieldKind::real:
        attribute.real = table.number<float>(field.slot);
        if (attribute.real == field.value) continue;
        break;
      case FieldKind::text:
        attribute.text = table.text(field.slot);
        break;
      case FieldKind::integers: {
        const auto take = [&](const auto& numbers) {
          attribute.integers.assign(numbers.begin(), numbers.end());
        };
        if (field.bytes == 1) take(table.numbers<int8_t>(field.slot));
        if (field.bytes == 4) take(table.numbers<int32_t>(field.slot));
        if (field.bytes == 8) take(table.numbers<int64_t>(field.slot));
        break;
      }
      case FieldKind::reals: {
        const std::vector<float> numbers = table.numbers<float>(field.slot);
        attribute.reals.assign(numbers.begin(), numbers.end());
        break;
      }
      case FieldKind::bytes:
        attribute.bytes = Bytes::own(std::string(table.bytes(field.slot)));
        break;
    }
    result.push_back(std::move(attribute));
  }
  return result;
}

// The strings of a tensor: their number, where each begins and the last ends, all as 32 bits; their bytes.
std::vector<std::string> parse_strings(std::string_view text) {
  if (text.size() < 4) fail("a tensor of strings has no count");
  const uint64_t count = load_as<uint32_t>(text.data());
  if (count > text.size() / 4 || 4 * (count + 2) > text.size()) fail("a tensor of strings is cut short");
  std::vector<std::string> result;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = load_as<uint32_t>(text.data() + 4 * (i + 1));
    const uint64_t end = load_as<uint32_t>(text.data() + 4 * (i + 2));
    if (begin > end || end > text.size()) fail("string {} of a tensor lies outside of it", i);
    result.emplace_back(text.substr(begin, end - begin));
    // Strings may lie over one another.
    if (end - begin > text.size() - std::min(text.size(), 4 * (count + 2)))
      fail("string {} of a tensor lies outside of it", i);
  }
  return result;
}

class Parser {
 public:
  Parser(const Bytes& bytes, const OpenExternal& open) : bytes_(bytes), open_(open) {}

  File parse() {
    if (bytes_.size() < 8 || bytes_.view().substr(4, 4) != "TFL3") fail("it is not a TensorFlow Lite file");
    const FlatTable model = FlatTable::root(bytes_.view());
    File file;
    if (const auto version = model.number<uint32_t>(0); version != 3)
      fail("it has version {} of the schema; only version 3 is known", version);
    codes_ = model.tables(1);
    file.description = model.text(3);
    buffers_ = model.tables(4);
    external_groups_ = model.tables(8);
    external_buffers_ = model.tables(9);
    const std::vector<FlatTable> graphs = model.tables(2);
    if (graphs.empty()) fail("it has no sub-graph");
    for (size_t i = 0; i < graphs.size(); ++i) {
      try {
        file.graphs.push_back(graph(graphs[i]));
      } catch (Error& error) {
        if (graphs.size() > 1) error.at(fmt::format("sub-graph {}", i));
        throw;
      }
    }
    for (const FlatTable& entry : model.tables(6)) {
      const auto buffer = entry.number<uint32_t>(1);
      file.metadata.emplace_back(entry.text(0), buffer < buffers_.size() ? contents(buffer) : Bytes());
    }
    for (const FlatTable& entry : model.tables(7)) file.signatures.push_back(signature(entry, file));
    read_assets(file);
    return file;
  }

 private:
  Bytes part(uint64_t offset, uint64_t size, const Bytes& of) const {
    if (offset > of.size() || size > of.size() - offset) fail("a buffer lies outside of the file");
    return of.part(offset, size);
  }
  Bytes bytes_of(std::string_view text) const { return text.empty() ? Bytes() : bytes_.part(text); }

  Bytes contents(uint32_t index) const {
    const FlatTable& buffer = buffers_[index];
    // Files over 2 GB have their weights behind the flatbuffer.
    const auto offset = buffer.number<uint64_t>(1);
    if (offset > 1) return part(offset, buffer.number<uint64_t>(2), bytes_);
    return bytes_of(buffer.bytes(0));
  }

  Bytes external(uint32_t id) {
    const auto found = std::find_if(external_buffers_.begin(), external_buffers_.end(),
                                    [&](const FlatTable& one) { return one.number<uint32_t>(0) == id; });
    if (found == external_buffers_.end()) fail("there is no external buffer {}", id);
    const auto group = found->number<uint32_t>(1);
    if (group >= external_groups_.size()) fail("there is no external buffer group {}", group);
    if (!found->text(4).empty()) fail("external weights packed as '{}' are not supported", found->text(4));
    const std::string name(external_groups_[group].text(0));
    auto place = opened_.find(name);
    if (place == opened_.end()) place = opened_.emplace(name, open_(name)).first;
    return part(found->number<uint64_t>(2), found->number<uint64_t>(3), place->second);
  }

  Quantization quantization(const FlatTable& table) const {
    Quantization result;
    result.min = table.numbers<float>(0);
    result.max = table.numbers<float>(1);
    switch (table.number<uint8_t>(4)) {
      case 0:
        result.scale = table.numbers<float>(2);
        result.zero = table.numbers<int64_t>(3);
        result.axis = table.number<int32_t>(6);
        if (result.scale.empty()) result.zero.clear();
        if (!result.zero.empty() && result.zero.size() != result.scale.size())
          fail("it has {} scales but {} zero points", result.scale.size(), result.zero.size());
        break;
      case 2: {
        const std::optional<FlatTable> details = table.table(5);
        if (!details) fail("its quantization has no details");
        result.scale_tensor = details->number<int32_t>(0);
        result.zero_tensor = details->number<int32_t>(1);
        result.block = details->number<int32_t>(2);
        // What is left out reads as 0; that it means tensor 0, mostly an input, is not likely.
        if (result.zero_tensor == 0) result.zero_tensor = -1;
        result.axis = -1;
        if (result.block <= 0) fail("its quantization has blocks of {} elements", result.block);
        break;
      }
      default:
        fail("its kind of quantization is not known");
    }
    return result;
  }

  Tensor tensor(const FlatTable& table) {
    Tensor result;
    result.name = table.text(3);
    try {
      result.shape = table.numbers<int32_t>(0);
      const int type = table.number<int8_t>(1);
      if (!is_tensor_type(type)) fail("the element type {} is not known", type);
      result.type = static_cast<TensorType>(type);
      result.variable = table.truth(5);
      result.signature = table.numbers<int32_t>(7);
      if (!result.signature.empty() && result.signature.size() != result.shape.size())
        fail("its shape has {} sizes, its signature {}", result.shape.size(), result.signature.size());
      if (std::any_of(result.signature.begin(), result.signature.end(), [](int32_t n) { return n < -1; }) ||
          std::any_of(result.shape.begin(), result.shape.end(), [](int32_t n) { return n < -1; }))
        fail("it has a negative size");
      if (const std::optional<FlatTable> details = table.table(4))
        result.quantization = quantization(*details);
      const auto buffer = table.number<uint32_t>(2);
      if (buffer >= buffers_.size() && buffer > 0) fail("there is no buffer {}", buffer);
      Bytes data;
      if (const auto id = table.number<uint32_t>(10))
        data = external(id);
      else if (buffer > 0)
        data = contents(buffer);
      const std::optional<DType> dtype = dtype_of(result.type);
      if (!data.empty() && dtype) {
        Shape shape(result.shape.begin(), result.shape.end());
        const std::optional<FlatTable> sparsity = table.table(6);
        result.sparse = sparsity.has_value();
        if (sparsity)
          result.data = sparse_constant(*dtype, shape, data, *sparsity);
        else if (dtype == DType::string)
          result.data = constant_strings(shape, parse_strings(data.view()));
        else if (is_packed(*dtype))
          result.data = constant_packed(*dtype, shape, data);
        else
          result.data = constant_bytes(*dtype, shape, data);
      }
    } catch (Error& error) {
      throw error.at(fmt::format("tensor '{}'", result.name));
    }
    return result;
  }

  Operator parse_operator(const FlatTable& table) {
    Operator result;
    const auto index = table.number<uint32_t>(0);
    if (index >= codes_.size()) fail("there is no operator code {}", index);
    const FlatTable& code = codes_[index];
    result.version = code.number<int32_t>(2, 1);
    result.custom = std::max<int64_t>(code.number<int8_t>(0), code.number<int32_t>(3)) == custom_code;
    result.type = result.custom ? std::string(code.text(1)) : name_of_operator(code);
    result.inputs = table.numbers<int32_t>(1);
    result.outputs = table.numbers<int32_t>(2);
    result.intermediates = table.numbers<int32_t>(8);
    for (const uint8_t truth : table.numbers<uint8_t>(7)) result.mutated.push_back(truth != 0);
    if (const auto offset = table.number<uint64_t>(9); offset > 1)
      result.custom_options = part(offset, table.number<uint64_t>(10), bytes_);
    else
      result.custom_options = bytes_of(table.bytes(5));
    // Part 1 is in slots 3 and 4, part 2 in 11 and 12.
    for (const int part : {1, 2}) {
      const int slot = part == 1 ? 3 : 11;
      const auto number = table.number<uint8_t>(slot);
      const std::optional<FlatTable> given = table.table(slot + 1);
      if (number == 0 || !given) continue;
      const Options* options = find_options(part, number);
      if (!options) fail("its options are of kind {}, which is not known", number);
      const Builtin* builtin = result.custom ? nullptr : find_builtin(result.type);
      std::vector<Attribute> attributes = parse_attributes(*given, *options);
      if (attributes.empty()) continue;
      if (!builtin || builtin->options != options) fail("its options are {}", options->name);
      result.attributes = std::move(attributes);
    }
    return result;
  }

  void check_tensors(const std::vector<int32_t>& indices, size_t count, bool optional) const {
    for (const int32_t index : indices)
      if (index < (optional ? -1 : 0) || index >= static_cast<int64_t>(count))
        fail("it refers to tensor {} of {}", index, count);
  }

  SubGraph graph(const FlatTable& table) {
    SubGraph result;
    result.name = table.text(4);
    for (const FlatTable& one : table.tables(0)) result.tensors.push_back(tensor(one));
    const size_t count = result.tensors.size();
    result.inputs = table.numbers<int32_t>(1);
    result.outputs = table.numbers<int32_t>(2);
    check_tensors(result.inputs, count, false);
    check_tensors(result.outputs, count, false);
    for (const Tensor& one : result.tensors)
      for (const int32_t index : {one.quantization.scale_tensor, one.quantization.zero_tensor})
        check_tensors({index}, count, true);
    const auto held = [&](int32_t index) {
      return index < 0 ? nullptr : result.tensors[static_cast<size_t>(index)].data;
    };
    for (Tensor& one : result.tensors) {
      one.quantization.block_scale = held(one.quantization.scale_tensor);
      one.quantization.block_zero = held(one.quantization.zero_tensor);
    }
    const std::vector<FlatTable> operators = table.tables(3);
    for (size_t i = 0; i < operators.size(); ++i) {
      try {
        result.operators.push_back(parse_operator(operators[i]));
        const Operator& made = result.operators.back();
        check_tensors(made.inputs, count, true);
        check_tensors(made.outputs, count, true);
        check_tensors(made.intermediates, count, true);
      } catch (Error& error) {
        throw error.at(fmt::format("operator {}", i));
      }
    }
    return result;
  }

  Signature signature(const FlatTable& table, const File& file) const {
    Signature result;
    result.key = table.text(2);
    result.graph = static_cast<int32_t>(table.number<uint32_t>(4));
    if (result.graph < 0 || result.graph >= std::ssize(file.graphs))
      fail("signature '{}' is of sub-graph {}, which there is not", result.key, table.number<uint32_t>(4));
    const size_t count = file.graphs[static_cast<size_t>(result.graph)].tensors.size();
    const auto read = [&](int slot, auto& ports) {
      for (const FlatTable& entry : table.tables(slot)) {
        const auto index = entry.number<uint32_t>(1);
        if (index >= count) fail("signature '{}' refers to tensor {} of {}", result.key, index, count);
        ports.emplace_back(entry.text(0), static_cast<int32_t>(index));
      }
    };
    read(0, result.inputs);
    read(1, result.outputs);
    return result;
  }

  void read_assets(File& file) const {
    const std::string_view tail =
        bytes_.view().substr(bytes_.size() - std::min<size_t>(bytes_.size(), 65558));
    if (tail.find("PK\5\6") == std::string_view::npos) return;
    try {
      const ZipReader zip(bytes_);
      for (const ZipEntry& entry : zip.entries())
        file.assets.emplace_back(entry.name, zip.read(entry, largest_assets));
    } catch (const Error&) {
      // What only looks like an archive is part of the weights.
      file.assets.clear();
    }
  }

  const Bytes& bytes_;
  const OpenExternal& open_;
  std::vector<FlatTable> codes_, buffers_, external_groups_, external_buffers_;
  std::unordered_map<std::string, Bytes> opened_;
};

}  // namespace

File parse_file(const Bytes& bytes, const OpenExternal& open_external) {
  return Parser(bytes, open_external).parse();
}

}  // namespace remodel::tflite
