#include "formats/tflite/file.h"

#include <algorithm>

namespace remodel::tflite {
namespace {

template <class T>
Attribute made(std::string name, FieldKind kind, T Attribute::*member, auto value) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.kind = kind;
  attribute.*member = std::move(value);
  return attribute;
}

}  // namespace

Attribute Attribute::of(std::string name, bool value) {
  return made(std::move(name), FieldKind::truth, &Attribute::integer, value);
}
Attribute Attribute::of(std::string name, int64_t value) {
  return made(std::move(name), FieldKind::integer, &Attribute::integer, value);
}
Attribute Attribute::of(std::string name, double value) {
  return made(std::move(name), FieldKind::real, &Attribute::real, value);
}
Attribute Attribute::of(std::string name, std::string text) {
  return made(std::move(name), FieldKind::text, &Attribute::text, std::move(text));
}
Attribute Attribute::of(std::string name, std::vector<int64_t> value) {
  return made(std::move(name), FieldKind::integers, &Attribute::integers, std::move(value));
}
Attribute Attribute::of(std::string name, std::vector<double> value) {
  return made(std::move(name), FieldKind::reals, &Attribute::reals, std::move(value));
}
Attribute Attribute::of(std::string name, Bytes value) {
  return made(std::move(name), FieldKind::bytes, &Attribute::bytes, std::move(value));
}

const Attribute* Operator::find(std::string_view attribute) const {
  const auto place = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& one) { return one.name == attribute; });
  return place == attributes.end() ? nullptr : &*place;
}

}  // namespace remodel::tflite
