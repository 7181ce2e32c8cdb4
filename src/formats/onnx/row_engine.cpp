#include <algorithm>

#include "formats/onnx/rows.h"
#include "ir/infer.h"

namespace remodel::onnx {
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
    case FieldKind::dtype:
      field_as<DType>(op, field) = dtype_of_code(number);
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
      field_as<double>(op, field) = node.real(slot.wire, 0);
      return;
    case FieldKind::truth:
      field_as<bool>(op, field) = node.integer(slot.wire) != 0;
      return;
    case FieldKind::text:
      field_as<std::string>(op, field) = node.text(slot.wire, "");
      return;
    case FieldKind::choice:
      if (node.attribute(slot.wire)->kind == AttributeKind::integer)
        set_choice(op, field, slot, std::to_string(node.integer(slot.wire)));
      else
        set_choice(op, field, slot, node.text(slot.wire, ""));
      return;
    case FieldKind::dtype:
      field_as<DType>(op, field) = dtype_of_code(node.integer(slot.wire));
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

void read_by_row(ReadNode& node, const Row& row) {
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

void write_by_row(WriteNode& node, const Row& row) {
  const void* op = node.node().op.data();
  Attributes attributes;
  std::vector<std::string> inputs = node.ins();
  for (const Slot& slot : row.slots) {
    if (slot.kind == Slot::ignored) continue;
    const Field& field = field_at(*row.op, slot.field);
    if (slot.kind == Slot::attribute) {
      // What equals the default is left out, so that the shortest file says the same.
      if (slot.value.kind != Default::required) {
        std::shared_ptr<void> sample = row.op->make(nullptr);
        set_default(sample.get(), field, slot);
        if (fields_equal(op, sample.get(), field)) continue;
      }
      std::string wire(slot.wire);
      switch (field.kind) {
        case FieldKind::integer:
        case FieldKind::axis:
          attributes.push_back(Attribute::of(wire, field_as<int64_t>(op, field)));
          break;
        case FieldKind::real:
          attributes.push_back(Attribute::of(wire, field_as<double>(op, field)));
          break;
        case FieldKind::truth:
          attributes.push_back(Attribute::of(wire, int64_t{field_as<bool>(op, field)}));
          break;
        case FieldKind::text:
          attributes.push_back(Attribute::of(wire, field_as<std::string>(op, field)));
          break;
        case FieldKind::dtype:
          attributes.push_back(Attribute::of(wire, code_of_dtype(field_as<DType>(op, field))));
          break;
        case FieldKind::axes:
        case FieldKind::integers:
          attributes.push_back(Attribute::of(wire, field_as<std::vector<int64_t>>(op, field)));
          break;
        case FieldKind::reals:
          attributes.push_back(Attribute::of(wire, field_as<std::vector<double>>(op, field)));
          break;
        case FieldKind::texts:
          attributes.push_back(Attribute::of(wire, field_as<std::vector<std::string>>(op, field)));
          break;
        case FieldKind::constant:
          attributes.push_back(Attribute::of(wire, field_as<ConstantPtr>(op, field)));
          break;
        case FieldKind::choice: {
          uint8_t value = field_as<uint8_t>(op, field);
          auto place = std::find_if(slot.choices.begin(), slot.choices.end(),
                                    [&](const ChoiceName& name) { return name.second == value; });
          if (place == slot.choices.end())
            fail("{} '{}' has no form in ONNX", field.name, field.choices[value]);
          bool digits =
              !place->first.empty() && place->first.find_first_not_of("0123456789") == std::string::npos;
          attributes.push_back(digits ? Attribute::of(wire, int64_t{std::stoi(std::string(place->first))})
                                      : Attribute::of(wire, std::string(place->first)));
          break;
        }
        case FieldKind::dim:
        case FieldKind::dims: {
          Dims dims =
              field.kind == FieldKind::dim ? Dims{field_as<Dim>(op, field)} : field_as<Dims>(op, field);
          auto known = numbers(dims);
          if (!known)
            fail("{} {} depends on the input's size; opset {} needs numbers here", field.name, text_of(dims),
                 node.opset());
          attributes.push_back(field.kind == FieldKind::dim ? Attribute::of(wire, (*known)[0])
                                                            : Attribute::of(wire, *known));
          break;
        }
        case FieldKind::graph:
        case FieldKind::type:
          throw Error(fmt::format("attribute '{}' needs a function, not a slot", slot.wire),
                      ErrorKind::internal);
      }
      continue;
    }
    size_t i = static_cast<size_t>(slot.position);
    if (node.has(i)) continue;
    std::string name;
    switch (field.kind) {
      case FieldKind::dims:
        name = node.sizes(field_as<Dims>(op, field));
        break;
      case FieldKind::dim:
        name = node.sizes({field_as<Dim>(op, field)});
        break;
      case FieldKind::axes:
      case FieldKind::integers:
        name = node.integers(field_as<std::vector<int64_t>>(op, field));
        break;
      case FieldKind::integer:
      case FieldKind::axis:
        name = node.scalar(DType::i64, static_cast<double>(field_as<int64_t>(op, field)));
        break;
      case FieldKind::real:
        name = node.scalar(node.dtype(0), field_as<double>(op, field));
        break;
      case FieldKind::truth:
        name = node.scalar(DType::boolean, field_as<bool>(op, field));
        break;
      case FieldKind::constant:
        if (field_as<ConstantPtr>(op, field)) name = node.constant(field_as<ConstantPtr>(op, field));
        break;
      default:
        throw Error("a row's input has a field of a wrong kind", ErrorKind::internal);
    }
    if (inputs.size() <= i) inputs.resize(i + 1);
    inputs[i] = name;
  }
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), row.type, inputs, attributes, row.domain);
}

}  // namespace remodel::onnx
