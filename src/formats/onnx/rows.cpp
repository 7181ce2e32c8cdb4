#include "formats/onnx/rows.h"

#include "formats/row_engine.h"

namespace remodel {
template class Table<onnx::ReadNode, onnx::WriteNode>;
}

namespace remodel::onnx {

// One function a family, in rows/.
void activation_rows(Rows& rows);
void attention_rows(Rows& rows);
void binary_rows(Rows& rows);
void cast_rows(Rows& rows);
void control_rows(Rows& rows);
void conv_rows(Rows& rows);
void detection_rows(Rows& rows);
void gather_rows(Rows& rows);
void generate_rows(Rows& rows);
void list_rows(Rows& rows);
void loss_rows(Rows& rows);
void matmul_rows(Rows& rows);
void ml_feature_rows(Rows& rows);
void ml_linear_rows(Rows& rows);
void ml_tree_rows(Rows& rows);
void normalize_microsoft_rows(Rows& rows);
void normalize_rows(Rows& rows);
void pool_rows(Rows& rows);
void qlinear_rows(Rows& rows);
void quantize_rows(Rows& rows);
void random_rows(Rows& rows);
void recurrent_rows(Rows& rows);
void reduce_rows(Rows& rows);
void resize_rows(Rows& rows);
void shape_rows(Rows& rows);
void signal_rows(Rows& rows);
void slice_rows(Rows& rows);
void text_rows(Rows& rows);
void training_rows(Rows& rows);
void unary_rows(Rows& rows);

const Rows& all_rows() {
  static const Rows rows = [] {
    Rows made;
    activation_rows(made);
    attention_rows(made);
    binary_rows(made);
    cast_rows(made);
    control_rows(made);
    conv_rows(made);
    detection_rows(made);
    gather_rows(made);
    generate_rows(made);
    list_rows(made);
    loss_rows(made);
    matmul_rows(made);
    ml_feature_rows(made);
    ml_linear_rows(made);
    ml_tree_rows(made);
    normalize_microsoft_rows(made);
    normalize_rows(made);
    pool_rows(made);
    qlinear_rows(made);
    quantize_rows(made);
    random_rows(made);
    recurrent_rows(made);
    reduce_rows(made);
    resize_rows(made);
    shape_rows(made);
    signal_rows(made);
    slice_rows(made);
    text_rows(made);
    training_rows(made);
    unary_rows(made);
    return made;
  }();
  return rows;
}

namespace {

struct ToAttribute {
  std::string name;
  Attribute operator()(bool value) const { return Attribute::of(name, int64_t{value}); }
  Attribute operator()(DType value) const { return Attribute::of(name, code_of_dtype(value)); }
  Attribute operator()(const Word& word) const {
    const bool digits = !word.text.empty() && word.text.find_first_not_of("0123456789") == std::string::npos;
    return digits ? Attribute::of(name, int64_t{std::stoi(word.text)}) : Attribute::of(name, word.text);
  }
  Attribute operator()(const auto& value) const { return Attribute::of(name, value); }
};

struct ToInput {
  WriteNode& node;
  std::string operator()(const Dims& sizes) const { return node.sizes(sizes); }
  std::string operator()(const std::vector<int64_t>& values) const { return node.integers(values); }
  std::string operator()(int64_t value) const { return node.scalar(DType::i64, static_cast<double>(value)); }
  std::string operator()(double value) const { return node.scalar(node.dtype(0), value); }
  std::string operator()(bool value) const { return node.scalar(DType::boolean, value); }
  std::string operator()(const ConstantPtr& value) const { return node.constant(value); }
};

}  // namespace

void write_by_row(WriteNode& node, const Row& row) {
  const SaidBySlots slots = say_by_slots(node, row);
  Attributes attributes;
  for (const auto& [name, value] : slots.attributes)
    attributes.push_back(std::visit(ToAttribute{std::string(name)}, value));
  std::vector<std::string> inputs = node.ins();
  for (const auto& [i, value] : slots.inputs) {
    if (inputs.size() <= i) inputs.resize(i + 1);
    inputs[i] = std::visit(ToInput{node}, value.value);
  }
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), row.type, inputs, attributes, row.domain);
}

}  // namespace remodel::onnx
