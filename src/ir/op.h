// An operator: a struct whose fields are its attributes, in a box that prints, compares and copies any of
// them.
//
//   struct LeakyRelu : Elementwise {
//     static constexpr const char* name = "leaky_relu";
//     double alpha = 0.01;
//     void describe(Fields& v) { v("alpha", alpha); }
//   };
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ir/type.h"

namespace remodel {

class Graph;
class Infer;
using GraphPtr = std::shared_ptr<Graph>;

enum class FieldKind : uint8_t {
  integer,   // int64_t
  real,      // double
  truth,     // bool
  text,      // std::string
  choice,    // an enum class of one byte, with names
  dtype,     // DType
  axis,      // int64_t that names an axis of operand 0
  axes,      // std::vector<int64_t> of such
  integers,  // std::vector<int64_t>
  reals,     // std::vector<double>
  texts,     // std::vector<std::string>
  dim,       // Dim
  dims,      // Dims
  graph,     // GraphPtr
  constant,  // ConstantPtr
  type,      // Type
};

struct Field {
  std::string_view name;
  FieldKind kind;
  size_t offset;
  std::vector<std::string_view> choices;
};

// Collects the fields of an op from its describe().
class Fields {
 public:
  explicit Fields(const void* base) : base_(static_cast<const char*>(base)) {}
  void operator()(const char* name, int64_t& f) { add(name, FieldKind::integer, &f); }
  void operator()(const char* name, double& f) { add(name, FieldKind::real, &f); }
  void operator()(const char* name, bool& f) { add(name, FieldKind::truth, &f); }
  void operator()(const char* name, std::string& f) { add(name, FieldKind::text, &f); }
  void operator()(const char* name, DType& f) { add(name, FieldKind::dtype, &f); }
  void operator()(const char* name, std::vector<int64_t>& f) { add(name, FieldKind::integers, &f); }
  void operator()(const char* name, std::vector<double>& f) { add(name, FieldKind::reals, &f); }
  void operator()(const char* name, std::vector<std::string>& f) { add(name, FieldKind::texts, &f); }
  void operator()(const char* name, Dim& f) { add(name, FieldKind::dim, &f); }
  void operator()(const char* name, Dims& f) { add(name, FieldKind::dims, &f); }
  void operator()(const char* name, GraphPtr& f) { add(name, FieldKind::graph, &f); }
  void operator()(const char* name, ConstantPtr& f) { add(name, FieldKind::constant, &f); }
  void operator()(const char* name, Type& f) { add(name, FieldKind::type, &f); }
  void axis(const char* name, int64_t& f) { add(name, FieldKind::axis, &f); }
  void axes(const char* name, std::vector<int64_t>& f) { add(name, FieldKind::axes, &f); }
  // One name for each enumerator, from 0 on.
  template <class E>
  void choice(const char* name, E& f, std::initializer_list<std::string_view> names) {
    static_assert(std::is_enum_v<E> && sizeof(E) == 1);
    add(name, FieldKind::choice, &f);
    fields.back().choices = names;
  }

  std::vector<Field> fields;

 private:
  void add(const char* name, FieldKind kind, const void* field) {
    fields.push_back({name, kind, static_cast<size_t>(static_cast<const char*>(field) - base_), {}});
  }
  const char* base_;
};

struct OpInfo {
  std::string_view name;
  bool elementwise;  // operands broadcast, element by element
  bool effect;       // must not be folded, merged or dropped: random numbers, prints
  bool commutative;  // of two operands
  std::vector<Field> fields;
  void (*infer)(const void* op, Infer& in);
  std::shared_ptr<void> (*make)(const void* copy_of);  // null: with default fields
  std::shared_ptr<const void> defaults;

  const Field* find(std::string_view field) const;
};

// Base of ops that work element by element on broadcast operands; the result has operand 0's type. An op with
// another rule declares its own infer.
struct Elementwise {
  void infer(Infer& in) const;
};

template <class T>
const OpInfo& info_of() {
  static const OpInfo info = [] {
    OpInfo made;
    made.name = T::name;
    made.elementwise = std::is_base_of_v<Elementwise, T>;
    made.effect = requires { T::effect; };
    made.commutative = requires { T::commutative; };
    auto defaults = std::make_shared<T>();
    Fields fields(defaults.get());
    if constexpr (requires { defaults->describe(fields); }) defaults->describe(fields);
    made.fields = std::move(fields.fields);
    made.infer = [](const void* op, Infer& in) { static_cast<const T*>(op)->infer(in); };
    made.make = [](const void* copy_of) -> std::shared_ptr<void> {
      return copy_of ? std::make_shared<T>(*static_cast<const T*>(copy_of)) : std::make_shared<T>();
    };
    made.defaults = defaults;
    return made;
  }();
  return info;
}

// An op of any kind. Copies share the fields, which never change.
class Op {
 public:
  Op() = default;
  template <class T>
  requires requires { T::name; }
  Op(T op) : info_(&info_of<T>()), data_(std::make_shared<const T>(std::move(op))) {}
  Op(const OpInfo& info, std::shared_ptr<const void> data) : info_(&info), data_(std::move(data)) {}

  explicit operator bool() const { return info_ != nullptr; }
  const OpInfo& info() const { return *info_; }
  std::string_view name() const { return info_->name; }
  const void* data() const { return data_.get(); }
  template <class T>
  bool is() const {
    return info_ == &info_of<T>();
  }
  // The op as a T, or null.
  template <class T>
  const T* as() const {
    return is<T>() ? static_cast<const T*>(data_.get()) : nullptr;
  }
  // Equal kinds and fields. Graph fields compare by identity.
  bool operator==(const Op& other) const;
  size_t hash() const;
  // A copy whose graph fields are copies too.
  Op deep_copy() const;
  std::vector<GraphPtr> graphs() const;

 private:
  const OpInfo* info_ = nullptr;
  std::shared_ptr<const void> data_;
};

// The field as its C++ type.
template <class T>
const T& field_as(const void* op, const Field& field) {
  return *reinterpret_cast<const T*>(static_cast<const char*>(op) + field.offset);
}
template <class T>
T& field_as(void* op, const Field& field) {
  return *reinterpret_cast<T*>(static_cast<char*>(op) + field.offset);
}
bool fields_equal(const void* a, const void* b, const Field& field);

}  // namespace remodel
