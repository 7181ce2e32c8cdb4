// A format is a table of rows. A row says how one operator of the format and one op of ours correspond; where
// the mapping is one to one, the same row reads and writes. Rows are plain data: one engine interprets them.
#pragma once

#include <climits>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/format.h"
#include "ir/op.h"

namespace remodel {

// Versions of an operator set, both ends included.
struct Versions {
  int first = 1, last = INT_MAX;
  bool contain(int64_t version) const { return version >= first && version <= last; }
};
constexpr Versions since(int first) { return {first, INT_MAX}; }
constexpr Versions range(int first, int last) { return {first, last}; }

// The value of an attribute that the file leaves out.
struct Required {};  // it must be given
struct Unset {};     // the op's own default
struct Default {
  enum Kind : uint8_t { required, unset, integer, real, word, dtype } kind;
  int64_t integer_value = 0;
  double real_value = 0;
  std::string_view word_value;
  DType dtype_value = DType::unknown;

  Default(Required) : kind(required) {}
  Default(Unset) : kind(unset) {}
  Default(int64_t value) : kind(integer), integer_value(value) {}
  Default(double value) : kind(real), real_value(value) {}
  Default(std::string_view value) : kind(word), word_value(value) {}
  Default(const char* value) : kind(word), word_value(value) {}
  Default(DType value) : kind(dtype), dtype_value(value) {}
};

using ChoiceName = std::pair<std::string_view, int>;  // the word in the file, the enumerator

// One attribute or input of the format's operator, and where it goes.
struct Slot {
  enum Kind : uint8_t {
    attribute,  // attribute `wire` <-> the field
    input,      // input `position` <-> the field of sizes where its contents are known, otherwise an operand
    ignored,    // understood and without effect at inference; `wire` says which attribute
    constant_input,  // input `position`, which must be a constant (any number of elements, or one) <-> the
                     // field
  } kind;
  std::string_view wire;
  size_t field = 0;  // offset in the op
  int position = 0;
  Default value = Unset{};
  std::vector<ChoiceName> choices;  // of a choice field

  // Out of line: tables make many of them.
  Slot(Kind kind, std::string_view wire, size_t field, int position, Default value,
       std::vector<ChoiceName> choices = {});
  Slot(const Slot&);
  ~Slot();
};

namespace rows_detail {
template <class T, class M>
size_t offset_of(M T::*member) {
  static const T sample{};
  return static_cast<size_t>(reinterpret_cast<const char*>(&(sample.*member)) -
                             reinterpret_cast<const char*>(&sample));
}
}  // namespace rows_detail

template <class T, class M>
Slot attr(std::string_view wire, M T::*member, Default value = Unset{}) {
  return {Slot::attribute, wire, rows_detail::offset_of(member), 0, std::move(value), {}};
}
template <class T, class M>
Slot choice(std::string_view wire, M T::*member, std::vector<ChoiceName> names, Default value = Unset{}) {
  return {Slot::attribute, wire, rows_detail::offset_of(member), 0, std::move(value), std::move(names)};
}
template <class T, class M>
Slot input(int position, M T::*member) {
  return {Slot::input, {}, rows_detail::offset_of(member), position, Unset{}, {}};
}
template <class T, class M>
Slot constant_input(int position, M T::*member) {
  return {Slot::constant_input, {}, rows_detail::offset_of(member), position, Unset{}, {}};
}
inline Slot ignore(std::string_view wire) { return {Slot::ignored, wire, 0, 0, Unset{}, {}}; }

// What a row says besides its functions, whose types differ from format to format.
struct RowData {
  const OpInfo* op = nullptr;  // null for a row that only reads by a function
  std::string type, domain;
  Versions versions;
  std::vector<Slot> slots;
  bool reads = false, writes = false;
  std::string refusal;  // a known operator that is not supported, and why
};

// Takes the domain off a type "domain:type".
void split_domain(RowData& row);

// Why no row can write a node, each reason once.
struct Reasons {
  std::string text;
  void add(const std::string& reason);
};

// The versions in which a format has an operator.
using OperatorVersions = std::function<std::vector<int>(std::string_view domain, std::string_view type)>;
// `written` are the versions of the operator set that can be written.
Support support_of(const std::vector<const RowData*>& rows, Versions written,
                   const OperatorVersions& of_operator);

}  // namespace remodel
