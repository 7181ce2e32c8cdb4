#include "wire/protobuf.h"

namespace remodel {
namespace {

// Below this a copy is cheaper than a piece of its own.
constexpr size_t large = 1024;

size_t varint_size(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace

void Message::append(uint64_t varint) {
  for (; varint >= 0x80; varint >>= 7) text_ += static_cast<char>(varint | 0x80);
  text_ += static_cast<char>(varint);
}

template <class T>
void Message::append_fixed(T value) {
  char bytes[sizeof value];
  store_as(bytes, value);
  text_.append(bytes, sizeof value);
}

void Message::varint(uint32_t field, uint64_t value) {
  head(field, ProtoType::varint);
  append(value);
}

void Message::zigzag(uint32_t field, int64_t value) {
  varint(field, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}

void Message::fixed32(uint32_t field, uint32_t value) {
  head(field, ProtoType::fixed32);
  append_fixed(value);
}

void Message::fixed64(uint32_t field, uint64_t value) {
  head(field, ProtoType::fixed64);
  append_fixed(value);
}

void Message::float32(uint32_t field, float value) {
  head(field, ProtoType::fixed32);
  append_fixed(value);
}

void Message::float64(uint32_t field, double value) {
  head(field, ProtoType::fixed64);
  append_fixed(value);
}

void Message::string(uint32_t field, std::string_view text) {
  head(field, ProtoType::bytes);
  append(text.size());
  text_ += text;
}

void Message::piece(uint32_t field, Piece piece) {
  head(field, ProtoType::bytes);
  append(piece.length);
  piece.at = text_.size();
  pieces_size_ += piece.length;
  pieces_.push_back(std::move(piece));
}

void Message::bytes(uint32_t field, const Bytes& value) {
  if (value.size() < large) {
    string(field, value.view());
  } else {
    piece(field, {0, value.size(), value, nullptr});
  }
}

void Message::stream(uint32_t field, uint64_t length, std::function<void(Sink&)> produce) {
  piece(field, {0, length, Bytes(), std::move(produce)});
}

void Message::message(uint32_t field, Message value) {
  head(field, ProtoType::bytes);
  append(value.size());
  for (Piece& piece : value.pieces_) {
    piece.at += text_.size();
    pieces_.push_back(std::move(piece));
  }
  pieces_size_ += value.pieces_size_;
  text_ += value.text_;
}

void Message::packed_ints(uint32_t field, std::span<const int64_t> values) {
  if (values.empty()) return;
  uint64_t length = 0;
  for (const int64_t value : values) length += varint_size(static_cast<uint64_t>(value));
  head(field, ProtoType::bytes);
  append(length);
  for (const int64_t value : values) append(static_cast<uint64_t>(value));
}

void Message::packed_floats(uint32_t field, std::span<const float> values) {
  if (!values.empty()) string(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void Message::packed_doubles(uint32_t field, std::span<const double> values) {
  if (!values.empty()) string(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void Message::write(Sink& sink) const {
  size_t at = 0;
  for (const Piece& piece : pieces_) {
    sink.write(text_.data() + at, piece.at - at);
    at = piece.at;
    if (!piece.produce) {
      sink.write(piece.bytes);
      continue;
    }
    ExactSink exact(sink, piece.length);
    piece.produce(exact);
    exact.finish();
  }
  sink.write(text_.data() + at, text_.size() - at);
}

}  // namespace remodel
