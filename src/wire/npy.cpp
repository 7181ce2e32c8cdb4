#include "wire/npy.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/utf8.h"
#include "wire/zip.h"

namespace remodel {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t alignment = 64;

// Kind and element size of what is understood; S and U take any size.
struct Kind {
  char letter;
  std::string_view sizes;
};
constexpr Kind kinds[] = {{'b', "1"}, {'i', "1248"}, {'u', "1248"}, {'f', "248"}, {'c', "8"}};

struct Element {
  char order = '|';  // < > |
  char kind = 0;
  size_t size = 0;       // bytes
  size_t swap_unit = 0;  // bytes that are turned together
};

Element parse_descr(std::string_view descr) {
  const std::string text(descr);
  if (descr.size() < 2) fail("dtype '{}' is not understood", text);
  Element element;
  element.order = descr[0] == '=' ? '<' : descr[0];
  element.kind = descr[1];
  if (element.kind == 'O') fail("arrays of Python objects hold code and are not read");
  if (element.kind == 'V') fail("dtype '{}' (raw bytes or records) is not supported", text);
  if (element.kind == 'M' || element.kind == 'm') fail("dtype '{}' (dates) is not supported", text);
  const char* end = descr.data() + descr.size();
  const auto number = std::from_chars(descr.data() + 2, end, element.size);
  const bool known_order = element.order == '<' || element.order == '>' || element.order == '|';
  if (!known_order || number.ec != std::errc() || number.ptr != end || element.size == 0 ||
      element.size > (size_t{1} << 31)) {
    fail("dtype '{}' is not understood", text);
  }
  const std::string_view size_text = descr.substr(2);
  const bool text_kind = element.kind == 'S' || element.kind == 'U';
  const bool known = text_kind || (element.kind == 'c' && size_text == "16") ||
                     std::any_of(std::begin(kinds), std::end(kinds), [&](const Kind& kind) {
                       return kind.letter == element.kind && size_text.size() == 1 &&
                              kind.sizes.find(size_text[0]) != std::string_view::npos;
                     });
  if (!known) fail("dtype '{}' is not supported", text);
  if (element.kind == 'U') element.size *= 4;
  element.swap_unit = element.kind == 'S'   ? 1
                      : element.kind == 'U' ? 4
                      : element.kind == 'c' ? element.size / 2
                                            : element.size;
  if (element.order == '|' && element.swap_unit > 1) fail("dtype '{}' lacks a byte order", text);
  return element;
}

// The bytes of all elements, or nothing if they cannot be counted.
std::optional<uint64_t> data_size(const std::vector<int64_t>& shape, size_t item) {
  int64_t total = 0;
  if (__builtin_mul_overflow(item, 1, &total)) return {};
  for (const int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(total, dim, &total)) return {};
  }
  return static_cast<uint64_t>(total);
}

// The one kind of dict that NumPy writes: strings, booleans and tuples of whole numbers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  NpyArray parse() {
    NpyArray array;
    bool has_descr = false, has_order = false, has_shape = false;
    need('{');
    while (!accept('}')) {
      const std::string key(string());
      need(':');
      bool* seen = key == "descr"           ? &has_descr
                   : key == "fortran_order" ? &has_order
                   : key == "shape"         ? &has_shape
                                            : nullptr;
      if (seen == nullptr) fail("the header has an unknown key '{}'", key);
      if (std::exchange(*seen, true)) fail("the header has the key '{}' twice", key);
      if (seen == &has_descr) array.descr = descr();
      if (seen == &has_order) array.fortran = boolean();
      if (seen == &has_shape) array.shape = shape();
      if (!accept(',') && peek() != '}') damaged();
    }
    if (peek() != 0) damaged();
    if (!has_descr || !has_order || !has_shape) fail("the header lacks descr, fortran_order or shape");
    return array;
  }

 private:
  [[noreturn]] void damaged() const { fail("the header is damaged at byte {}", at_); }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void need(char c) {
    if (!accept(c)) damaged();
  }

  std::string_view string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged();
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) damaged();
    const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    if (inner.find('\\') != std::string_view::npos) damaged();
    at_ = end + 1;
    return inner;
  }

  std::string descr() {
    if (peek() == '[' || peek() == '(') fail("record arrays are not supported");
    return std::string(string());
  }

  bool boolean() {
    peek();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    damaged();
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> dims;
    need('(');
    while (!accept(')')) {
      peek();
      int64_t dim = 0;
      const char* start = text_.data() + at_;
      const auto number = std::from_chars(start, text_.data() + text_.size(), dim);
      if (number.ec == std::errc::result_out_of_range) fail("the shape is too large");
      if (number.ec != std::errc() || dim < 0) damaged();
      at_ += static_cast<size_t>(number.ptr - start);
      // Python 2 marks long numbers.
      accept('L');
      dims.push_back(dim);
      if (dims.size() > 64) fail("the shape has more than 64 axes");
      if (!accept(',') && (peek() != ')' || dims.size() == 1)) damaged();
    }
    return dims;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Bytes turned(const Bytes& data, size_t unit) {
  std::string text(data.view());
  for (size_t at = 0; at + unit <= text.size(); at += unit) {
    std::reverse(text.begin() + static_cast<ptrdiff_t>(at), text.begin() + static_cast<ptrdiff_t>(at + unit));
  }
  return Bytes::own(std::move(text));
}

std::string header_of(const NpyArray& array) {
  const Element element = parse_descr(array.descr);
  const std::optional<uint64_t> size = data_size(array.shape, element.size);
  if (element.order == '>' || !size || *size != array.data.size()) {
    throw Error("an array's shape or dtype does not fit its data", ErrorKind::internal);
  }
  std::string shape;
  for (const int64_t dim : array.shape) shape += fmt::format("{}, ", dim);
  if (!shape.empty()) shape.resize(shape.size() - (array.shape.size() == 1 ? 1 : 2));
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", array.descr,
                                 array.fortran ? "True" : "False", shape);
  // At most 64 axes of 19 digits: the 16-bit length of version 1 is enough.
  const size_t before = magic.size() + 4;
  dict.append(alignment - 1 - (before + dict.size()) % alignment, ' ');
  dict += '\n';
  std::string header(magic);
  header += {'\1', '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

}  // namespace

size_t npy_item_size(const std::string& descr) { return parse_descr(descr).size; }

NpyArray read_npy(const Bytes& file) {
  if (file.size() < 8 || file.view().substr(0, magic.size()) != magic) fail("this is no .npy file");
  const int version = file.data()[6];
  if (version < 1 || version > 3) fail(".npy version {} is not supported", version);
  const size_t start = version == 1 ? 10 : 12;
  if (file.size() < start) fail("the header is cut short");
  const size_t length =
      version == 1 ? load_as<uint16_t>(file.data() + 8) : load_as<uint32_t>(file.data() + 8);
  if (length > file.size() - start) fail("the header is cut short");
  NpyArray array = HeaderParser(file.view().substr(start, length)).parse();
  const Element element = parse_descr(array.descr);
  const uint64_t left = file.size() - start - length;
  const std::optional<uint64_t> size = data_size(array.shape, element.size);
  if (!size) fail("the shape is too large");
  if (*size != left) fail("{} bytes follow the header where its shape and dtype need {}", left, *size);
  array.data = file.part(start + length, *size);
  if (element.order == '>') array.data = turned(array.data, element.swap_unit);
  array.descr[0] = element.swap_unit > 1 ? '<' : '|';
  return array;
}

void write_npy(Sink& sink, const NpyArray& array) {
  sink.write(header_of(array));
  sink.write(array.data);
}

NamedArrays read_npz(const Bytes& file, uint64_t limit) {
  const ZipReader zip(file);
  NamedArrays arrays;
  for (const ZipEntry& entry : zip.entries()) {
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    try {
      arrays.emplace_back(name, read_npy(zip.read(entry, limit)));
    } catch (Error& error) {
      error.at(fmt::format("array '{}'", name));
      throw;
    }
  }
  return arrays;
}

void write_npz(Sink& sink, const NamedArrays& arrays) {
  ZipWriter zip(sink, alignment);
  for (const auto& named : arrays) {
    const NpyArray& array = named.second;
    const std::string header = header_of(array);
    zip.stream(named.first + ".npy", header.size() + array.data.size(), [&](Sink& out) {
      out.write(header);
      out.write(array.data);
    });
  }
  zip.finish();
}

NpyArray in_c_order(const NpyArray& array) {
  if (!array.fortran) return array;
  const size_t item = npy_item_size(array.descr);
  std::string text(array.data.size(), '\0');
  std::vector<int64_t> index(array.shape.size(), 0);
  size_t from = 0;
  for (size_t to = 0; to + item <= text.size(); to += item) {
    std::memcpy(text.data() + to, array.data.data() + from * item, item);
    size_t stride = array.data.size() / item;
    for (size_t axis = index.size(); axis-- > 0;) {
      stride /= static_cast<size_t>(array.shape[axis]);
      from += stride;
      if (++index[axis] < array.shape[axis]) break;
      from -= stride * static_cast<size_t>(array.shape[axis]);
      index[axis] = 0;
    }
  }
  return {array.descr, array.shape, false, Bytes::own(std::move(text))};
}

std::vector<std::string> npy_strings(const NpyArray& array) {
  const Element element = parse_descr(array.descr);
  if (element.kind != 'S' && element.kind != 'U') fail("an array of dtype '{}' holds no texts", array.descr);
  const NpyArray ordered = in_c_order(array);
  const size_t count = array.data.size() / element.size;
  std::vector<std::string> texts;
  texts.reserve(count);
  for (size_t number = 0; number < count; ++number) {
    std::string_view item = ordered.data.view().substr(number * element.size, element.size);
    const size_t unit = element.swap_unit;
    const auto is_zero = [&](size_t at) {
      return item.substr(at, unit).find_first_not_of('\0') == std::string_view::npos;
    };
    while (!item.empty() && is_zero(item.size() - unit)) item.remove_suffix(unit);
    std::string text;
    if (element.kind == 'S') {
      text = item;
    } else {
      for (size_t at = 0; at < item.size(); at += 4) append_utf8(text, load_as<uint32_t>(item.data() + at));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

NpyArray npy_from_strings(const std::vector<std::string>& texts, std::vector<int64_t> shape) {
  const bool unicode = std::all_of(texts.begin(), texts.end(), is_utf8);
  std::vector<std::string> items;
  size_t longest = 0;
  for (const std::string& text : texts) {
    std::string item;
    for (size_t at = 0; unicode && at < text.size(); at += utf8_length(text, at)) {
      char bytes[4];
      store_as(bytes, utf8_code(text, at));
      item.append(bytes, 4);
    }
    items.push_back(unicode ? item : text);
    longest = std::max(longest, items.back().size());
  }
  longest = std::max<size_t>(longest, unicode ? 4 : 1);
  std::string data;
  for (std::string& item : items) data += (item.resize(longest, '\0'), item);
  return {unicode ? fmt::format("<U{}", longest / 4) : fmt::format("|S{}", longest), std::move(shape), false,
          Bytes::own(std::move(data))};
}

}  // namespace remodel
