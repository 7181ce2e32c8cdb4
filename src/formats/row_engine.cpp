#include "formats/row_engine.h"

#include <algorithm>

namespace remodel {
namespace {

const Field& field_at(const OpInfo& op, size_t offset) {
  for (const Field& field : op.fields)
    if (field.offset == offset) return field;
  throw Error(fmt::format("op {} does not describe a field that a row names", op.name), ErrorKind::internal);
}

void set_choice(void* op, const Field& field, const Slot& slot, std::string_view word) {
  for (const auto& [name, value] : slot.choices)
    if (name == word) {
      field_as<uint8_t>(op, field) = static_cast<uint8_t>(value);
      return;
    }
  fail("attribute '{}': the value '{}' is not known", slot.wire, word);
}

void set_default(void* op, const Field& field, const Slot& slot) {
  switch (slot.value.kind) {
    case Default::unset:
      return;
    case Default::required:
      fail("attribute '{}' is missing", slot.wire);
    case Default::real:
      field_as<double>(op, field) = static_cast<float>(slot.value.real_value);
      return;
    case Default::word:
      if (field.kind == FieldKind::choice)
        set_choice(op, field, slot, slot.value.word_value);
      else
        field_as<std::string>(op, field) = slot.value.word_value;
      return;
    case Default::dtype:
      field_as<DType>(op, field) = slot.value.dtype_value;
      return;
    case Default::integer:
      break;
  }
  int64_t number = slot.value.integer_value;
  switch (field.kind) {
    case FieldKind::truth:
      field_as<bool>(op, field) = number != 0;
      return;
    case FieldKind::real:
      field_as<double>(op, field) = static_cast<double>(number);
      return;
    case FieldKind::choice:
      field_as<uint8_t>(op, field) = static_cast<uint8_t>(number);
      return;
    case FieldKind::dim:
      field_as<Dim>(op, field) = number;
      return;
    default:
      field_as<int64_t>(op, field) = number;
      return;
  }
}

void set_attribute(ReadNode& node, void* op, const Field& field, const Slot& slot) {
  if (!node.has(slot.wire)) return set_default(op, field, slot);
  switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::axis:
      field_as<int64_t>(op, field) = node.integer(slot.wire);
      return;
    case FieldKind::real:
      field_as<double>(op, field) = node.real(slot.wire);
      return;
    case FieldKind::truth:
      field_as<bool>(op, field) = node.truth(slot.wire);
      return;
    case FieldKind::text:
      field_as<std::string>(op, field) = node.text(slot.wire);
      return;
    case FieldKind::choice:
      set_choice(op, field, slot, node.word(slot.wire));
      return;
    case FieldKind::dtype:
      field_as<DType>(op, field) = node.dtype_named(slot.wire);
      return;
    case FieldKind::axes:
    case FieldKind::integers:
      field_as<std::vector<int64_t>>(op, field) = node.integers(slot.wire);
      return;
    case FieldKind::reals:
      field_as<std::vector<double>>(op, field) = node.reals(slot.wire);
      return;
    case FieldKind::texts:
      field_as<std::vector<std::string>>(op, field) = node.texts(slot.wire);
      return;
    case FieldKind::dim:
      field_as<Dim>(op, field) = node.integer(slot.wire);
      return;
    case FieldKind::dims:
      field_as<Dims>(op, field) = to_dims(node.integers(slot.wire));
      return;
    case FieldKind::constant:
      field_as<ConstantPtr>(op, field) = node.tensor(slot.wire);
      return;
    case FieldKind::graph:
    case FieldKind::type:
      break;
  }
  throw Error(fmt::format("attribute '{}' needs a function, not a slot", slot.wire), ErrorKind::internal);
}

// Axes count from the front where the rank is known.
void resolve_axes(ReadNode& node, void* op, const Field& field) {
  if (!node.has_input(0) || !node.type(0).dims) return;
  size_t rank = node.type(0).dims->size();
  if (field.kind == FieldKind::axis) {
    auto& axis = field_as<int64_t>(op, field);
    axis = resolve_axis(axis, rank);
  } else if (field.kind == FieldKind::axes) {
    for (int64_t& axis : field_as<std::vector<int64_t>>(op, field)) axis = resolve_axis(axis, rank);
  }
}

// An input that is an attribute of ours. Gives true where it became one, false where it stays an operand.
bool set_from_input(ReadNode& node, void* op, const Field& field, const Slot& slot) {
  size_t i = static_cast<size_t>(slot.position);
  if (!node.has_input(i)) return true;
  if (slot.kind == Slot::constant_input) {
    ConstantPtr constant = node.constant(i);
    auto known = constant ? std::nullopt : node.known_integers(i);
    if (!constant && known) constant = constant_ints(*known);
    if (!constant)
      throw Error(fmt::format("input {} must be a constant", i)).hint("it is computed when the model runs");
    switch (field.kind) {
      case FieldKind::axes:
      case FieldKind::integers:
        field_as<std::vector<int64_t>>(op, field) = constant->tensor().ints();
        return true;
      case FieldKind::constant:
        field_as<ConstantPtr>(op, field) = constant;
        return true;
      default:
        break;
    }
    if (constant->count() != 1) fail("input {} must have one element", i);
    switch (field.kind) {
      case FieldKind::real:
        field_as<double>(op, field) = constant->tensor().doubles()[0];
        return true;
      case FieldKind::truth:
        field_as<bool>(op, field) = constant->tensor().ints()[0] != 0;
        return true;
      default:
        field_as<int64_t>(op, field) = constant->tensor().ints()[0];
        return true;
    }
  }
  auto known = node.sizes(i);
  if (!known) return false;
  if (field.kind == FieldKind::dim) {
    if (known->size() != 1) fail("input {} must have one element", i);
    field_as<Dim>(op, field) = (*known)[0];
  } else {
    field_as<Dims>(op, field) = *known;
  }
  return true;
}

}  // namespace

void read_by_row(ReadNode& node, const RowData& row) {
  std::shared_ptr<void> op = row.op->make(nullptr);
  std::vector<ValueId> operands = node.operands();
  for (const Slot& slot : row.slots) {
    if (slot.kind == Slot::ignored) {
      node.ignore(slot.wire);
      continue;
    }
    const Field& field = field_at(*row.op, slot.field);
    if (slot.kind == Slot::attribute) {
      set_attribute(node, op.get(), field, slot);
      resolve_axes(node, op.get(), field);
    } else if (set_from_input(node, op.get(), field, slot) &&
               static_cast<size_t>(slot.position) < operands.size()) {
      operands[slot.position] = absent;
    }
  }
  node.check_attributes_known();
  node.emit_results(Op(*row.op, op), operands);
}

namespace {

AttributeValue said(const void* op, const Field& field, const Slot& slot) {
  switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::axis:
      return field_as<int64_t>(op, field);
    case FieldKind::real:
      return field_as<double>(op, field);
    case FieldKind::truth:
      return field_as<bool>(op, field);
    case FieldKind::text:
      return field_as<std::string>(op, field);
    case FieldKind::dtype:
      return field_as<DType>(op, field);
    case FieldKind::axes:
    case FieldKind::integers:
      return field_as<std::vector<int64_t>>(op, field);
    case FieldKind::reals:
      return field_as<std::vector<double>>(op, field);
    case FieldKind::texts:
      return field_as<std::vector<std::string>>(op, field);
    case FieldKind::constant:
      return field_as<ConstantPtr>(op, field);
    case FieldKind::choice: {
      const uint8_t value = field_as<uint8_t>(op, field);
      for (const auto& [word, number] : slot.choices)
        if (number == value) return Word{std::string(word)};
      fail("{} '{}' has no form here", field.name, field.choices[value]);
    }
    case FieldKind::dim:
    case FieldKind::dims: {
      const Dims dims =
          field.kind == FieldKind::dim ? Dims{field_as<Dim>(op, field)} : field_as<Dims>(op, field);
      const auto known = numbers(dims);
      if (!known)
        fail("{} {} depends on the input's size; the operator needs numbers here", field.name, text_of(dims));
      if (field.kind == FieldKind::dim) return (*known)[0];
      return *known;
    }
    case FieldKind::graph:
    case FieldKind::type:
      break;
  }
  throw Error(fmt::format("attribute '{}' needs a function, not a slot", slot.wire), ErrorKind::internal);
}

InputValue said_as_input(const void* op, const Field& field) {
  switch (field.kind) {
    case FieldKind::dims:
      return {field_as<Dims>(op, field)};
    case FieldKind::dim:
      return {Dims{field_as<Dim>(op, field)}};
    case FieldKind::axes:
    case FieldKind::integers:
      return {field_as<std::vector<int64_t>>(op, field)};
    case FieldKind::integer:
    case FieldKind::axis:
      return {field_as<int64_t>(op, field)};
    case FieldKind::real:
      return {field_as<double>(op, field)};
    case FieldKind::truth:
      return {field_as<bool>(op, field)};
    case FieldKind::constant:
      return {field_as<ConstantPtr>(op, field)};
    default:
      throw Error("a row's input has a field of a wrong kind", ErrorKind::internal);
  }
}

}  // namespace

SaidBySlots say_by_slots(const WriteNode& node, const RowData& row) {
  const void* op = node.node().op.data();
  SaidBySlots result;
  for (const Slot& slot : row.slots) {
    if (slot.kind == Slot::ignored) continue;
    const Field& field = field_at(*row.op, slot.field);
    if (slot.kind == Slot::attribute) {
      if (slot.value.kind != Default::required) {
        std::shared_ptr<void> sample = row.op->make(nullptr);
        set_default(sample.get(), field, slot);
        if (fields_equal(op, sample.get(), field)) continue;
      }
      result.attributes.emplace_back(slot.wire, said(op, field, slot));
    } else if (const auto i = static_cast<size_t>(slot.position); !node.has(i)) {
      InputValue value = said_as_input(op, field);
      const auto* constant = std::get_if<ConstantPtr>(&value.value);
      if (!constant || *constant) result.inputs.emplace(i, std::move(value));
    }
  }
  return result;
}

}  // namespace remodel
