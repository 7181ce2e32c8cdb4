#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

#include <algorithm>

#include "base/error.h"
#include "wire/protobuf.h"

namespace remodel {
namespace {

constexpr int deepest = 100;
constexpr uint32_t largest_field = (uint32_t{1} << 29) - 1;

int64_t from_zigzag(uint64_t value) { return protozero::decode_zigzag64(value); }

}  // namespace

void ProtoReader::wrong(std::string_view what) const { fail("protobuf field {}: {}", field_, what); }

uint64_t ProtoReader::take_varint() {
  const char* at = rest_.data();
  try {
    const uint64_t value = protozero::decode_varint(&at, rest_.data() + rest_.size());
    rest_.remove_prefix(static_cast<size_t>(at - rest_.data()));
    return value;
  } catch (const protozero::end_of_buffer_exception&) {
    wrong("the data is cut short");
  } catch (const protozero::varint_too_long_exception&) {
    wrong("a number is longer than ten bytes");
  }
}

std::string_view ProtoReader::take(uint64_t size) {
  if (size > rest_.size()) wrong("the data is cut short");
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

void ProtoReader::expect(ProtoType type) {
  if (!unread_) throw Error(fmt::format("protobuf field {} is read twice", field_), ErrorKind::internal);
  if (type_ != type) wrong(fmt::format("wire type {} where {} belongs", int(type_), int(type)));
  unread_ = false;
}

bool ProtoReader::next() {
  if (unread_) throw Error(fmt::format("protobuf field {} is not read", field_), ErrorKind::internal);
  if (rest_.empty()) return false;
  start_ = rest_.data();
  const uint64_t head = take_varint();
  if (head >> 3 == 0 || head >> 3 > largest_field) fail("a protobuf field has the number {}", head >> 3);
  field_ = static_cast<uint32_t>(head >> 3);
  type_ = static_cast<ProtoType>(head & 7);
  const bool known = type_ == ProtoType::varint || type_ == ProtoType::fixed64 || type_ == ProtoType::bytes ||
                     type_ == ProtoType::fixed32;
  if (!known) wrong(fmt::format("wire type {} is not supported", head & 7));
  unread_ = true;
  return true;
}

uint64_t ProtoReader::varint() {
  expect(ProtoType::varint);
  return take_varint();
}

int64_t ProtoReader::zigzag() { return from_zigzag(varint()); }

uint32_t ProtoReader::fixed32() {
  expect(ProtoType::fixed32);
  return load_as<uint32_t>(take(4).data());
}

uint64_t ProtoReader::fixed64() {
  expect(ProtoType::fixed64);
  return load_as<uint64_t>(take(8).data());
}

float ProtoReader::float32() {
  expect(ProtoType::fixed32);
  return load_as<float>(take(4).data());
}

double ProtoReader::float64() {
  expect(ProtoType::fixed64);
  return load_as<double>(take(8).data());
}

std::string_view ProtoReader::bytes() {
  expect(ProtoType::bytes);
  return take(take_varint());
}

ProtoReader ProtoReader::message() {
  if (depth_ >= deepest) wrong(fmt::format("more than {} nested messages", deepest));
  return ProtoReader(bytes(), depth_ + 1);
}

std::string_view ProtoReader::raw() {
  switch (type_) {
    case ProtoType::varint:
      varint();
      break;
    case ProtoType::fixed64:
      fixed64();
      break;
    case ProtoType::bytes:
      bytes();
      break;
    case ProtoType::fixed32:
      fixed32();
      break;
  }
  return {start_, static_cast<size_t>(rest_.data() - start_)};
}

template <class T, class Convert>
void ProtoReader::append_each(std::vector<T>& to, Convert convert) {
  if (type_ != ProtoType::bytes) {
    to.push_back(convert(varint()));
    return;
  }
  ProtoReader row(bytes(), depth_);
  row.field_ = field_;
  // The last byte of each number has its top bit clear, so this is their count.
  to.reserve(to.size() + static_cast<size_t>(std::count_if(row.rest_.begin(), row.rest_.end(),
                                                           [](char c) { return (c & 0x80) == 0; })));
  while (!row.rest_.empty()) to.push_back(convert(row.take_varint()));
}

template <class T>
void ProtoReader::append_fixed(ProtoType type, std::vector<T>& to) {
  if (type_ == type) {
    expect(type);
    to.push_back(load_as<T>(take(sizeof(T)).data()));
    return;
  }
  const std::string_view row = bytes();
  if (row.size() % sizeof(T) != 0)
    wrong(fmt::format("{} bytes hold no whole number of elements", row.size()));
  if (row.empty()) return;
  const size_t before = to.size();
  to.resize(before + row.size() / sizeof(T));
  std::memcpy(to.data() + before, row.data(), row.size());
}

void ProtoReader::append_varints(std::vector<uint64_t>& to) {
  append_each(to, [](uint64_t value) { return value; });
}

void ProtoReader::append_ints(std::vector<int64_t>& to) {
  append_each(to, [](uint64_t value) { return static_cast<int64_t>(value); });
}

void ProtoReader::append_zigzags(std::vector<int64_t>& to) { append_each(to, from_zigzag); }

void ProtoReader::append_floats(std::vector<float>& to) { append_fixed(ProtoType::fixed32, to); }

void ProtoReader::append_doubles(std::vector<double>& to) { append_fixed(ProtoType::fixed64, to); }

}  // namespace remodel
