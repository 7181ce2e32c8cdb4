// Protocol Buffers, the wire format. A message is a row of fields, each a varint `number << 3 | type`, then
// by type
//   0 varint: 7 bits a byte, lowest first, the top bit says that more follow; negative numbers take ten bytes
//   1 eight bytes, 5 four bytes, little-endian
//   2 a varint length, then as many bytes: text, a nested message, or a packed row of numbers
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/sink.h"

namespace remodel {

enum class ProtoType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Steps through the fields of one message, in memory that the caller keeps. Anything out of form is an Error
// that names the field's number; so is asking for another type than the field has.
//
//   for (ProtoReader in(text); in.next();) switch (in.field()) {
//     case 1: name = in.bytes(); break;
//     case 2: read_node(in.message()); break;
//     default: in.skip();
//   }
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : ProtoReader(message, 0) {}

  // False at the end. The value of each field must be read or skipped, exactly once.
  bool next();
  uint32_t field() const { return field_; }
  ProtoType type() const { return type_; }

  uint64_t varint();
  int64_t int64() { return static_cast<int64_t>(varint()); }
  int32_t int32() { return static_cast<int32_t>(varint()); }
  bool boolean() { return varint() != 0; }
  int64_t zigzag();
  uint32_t fixed32();
  uint64_t fixed64();
  float float32();
  double float64();
  std::string_view bytes();
  // A nested message; more than 100 levels are refused.
  ProtoReader message();
  // The whole field with its number and type, to be kept as it is.
  std::string_view raw();
  void skip() { raw(); }

  // Repeated numbers: appends one, or all of a packed row.
  void append_varints(std::vector<uint64_t>& to);
  void append_ints(std::vector<int64_t>& to);  // int32, int64, enum, bool
  void append_zigzags(std::vector<int64_t>& to);
  void append_floats(std::vector<float>& to);
  void append_doubles(std::vector<double>& to);

 private:
  ProtoReader(std::string_view message, int depth) : rest_(message), depth_(depth) {}
  uint64_t take_varint();
  std::string_view take(uint64_t size);
  void expect(ProtoType type);
  template <class T>
  void append_fixed(ProtoType type, std::vector<T>& to);
  template <class T, class Convert>
  void append_each(std::vector<T>& to, Convert convert);
  [[noreturn]] void wrong(std::string_view what) const;

  std::string_view rest_;
  const char* start_ = nullptr;  // of the current field
  uint32_t field_ = 0;
  ProtoType type_ = ProtoType::varint;
  bool unread_ = false;
  int depth_;
};

// A message being built. Its length is known at any time, and writing it takes one pass: small fields lie in
// one block of text, large ones stay where they are or are made while they are written. A nested message is
// built first and then moved into its parent, so a whole graph is one block and a list of large pieces.
class Message {
 public:
  void varint(uint32_t field, uint64_t value);
  void int64(uint32_t field, int64_t value) { varint(field, static_cast<uint64_t>(value)); }
  void zigzag(uint32_t field, int64_t value);
  void fixed32(uint32_t field, uint32_t value);
  void fixed64(uint32_t field, uint64_t value);
  void float32(uint32_t field, float value);
  void float64(uint32_t field, double value);
  void string(uint32_t field, std::string_view text);
  // Large bytes are not copied but kept alive until written.
  void bytes(uint32_t field, const Bytes& value);
  void message(uint32_t field, Message value);
  // Exactly `length` bytes that `produce` writes when the message is written.
  void stream(uint32_t field, uint64_t length, std::function<void(Sink&)> produce);
  // Packed rows; an empty one writes nothing.
  void packed_ints(uint32_t field, std::span<const int64_t> values);
  void packed_floats(uint32_t field, std::span<const float> values);
  void packed_doubles(uint32_t field, std::span<const double> values);
  // What ProtoReader::raw gave.
  void raw(std::string_view fields) { text_ += fields; }

  bool empty() const { return size() == 0; }
  uint64_t size() const { return text_.size() + pieces_size_; }
  void write(Sink& sink) const;

 private:
  struct Piece {
    size_t at;  // in the text
    uint64_t length;
    Bytes bytes;
    std::function<void(Sink&)> produce;  // if not bytes
  };

  void head(uint32_t field, ProtoType type) { append(uint64_t{field} << 3 | static_cast<uint64_t>(type)); }
  void append(uint64_t varint);
  template <class T>
  void append_fixed(T value);
  void piece(uint32_t field, Piece piece);

  std::string text_;
  std::vector<Piece> pieces_;
  uint64_t pieces_size_ = 0;
};

}  // namespace remodel
