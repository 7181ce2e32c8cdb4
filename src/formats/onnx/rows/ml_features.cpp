// What ai.onnx.ml does with features before and after a model.
#include <cmath>

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/ml.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

constexpr const char* ml = "ai.onnx.ml";

ConstantPtr text_constant(std::string text) { return constant_strings({}, {std::move(text)}); }
ConstantPtr integer_constant(int64_t value) {
  return constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {value}));
}

// The columns at the indices, along the last axis.
void read_feature_extractor(ReadNode& node) {
  ValueId x = node.input(0), indices = node.input(1);
  int64_t rank = node.rank(0);
  if (rank == 1) x = node.emit(Unsqueeze{{0}}, {x}), rank = 2;
  if (!node.type(1).has_rank(1))
    indices = node.emit(Reshape{{product(*node.type(1).dims)}, false}, {indices});
  Gather op;
  op.axis = rank - 1;
  node.result(0, node.emit(op, {x, indices}));
}

void read_binarizer(ReadNode& node) {
  const DType dtype = node.type(0).dtype;
  double threshold = node.real("threshold", 0);
  // An integer is above a number where it is above the whole number below.
  if (is_integer(dtype)) threshold = std::floor(threshold);
  ValueId above = node.emit(Greater{}, {node.input(0), node.add_scalar(dtype, threshold)});
  node.result(0, node.emit(cast_to(dtype), {above}));
}

// A list of one holds for all features.
ValueId per_feature(ReadNode& node, const std::vector<double>& values, DType dtype) {
  return values.size() == 1 ? node.add_scalar(dtype, values[0])
                            : node.add_constant(reals_constant(values, dtype));
}

void read_scaler(ReadNode& node) {
  ValueId x = real_features(node, 0);
  const DType dtype = node.graph().value(x).type.dtype;
  std::vector<double> offset = node.reals("offset"), scale = node.reals("scale");
  if (!offset.empty()) x = node.emit(Sub{}, {x, per_feature(node, offset, dtype)});
  if (!scale.empty()) x = node.emit(Mul{}, {x, per_feature(node, scale, dtype)});
  node.result(0, as_f32(node, x));
}

void read_normalizer(ReadNode& node) {
  ValueId x = real_features(node, 0);
  const DType dtype = node.graph().value(x).type.dtype;
  std::string norm = node.text("norm", "MAX");
  Reduce reduce;
  reduce.axes = {node.rank(0) > 1 ? 1 : 0};
  if (norm == "MAX")
    reduce.kind = Reduce::Kind::max;
  else if (norm == "L1")
    reduce.kind = Reduce::Kind::l1;
  else if (norm == "L2")
    reduce.kind = Reduce::Kind::l2;
  else
    fail("attribute 'norm': the value '{}' is not known", norm);
  ValueId divisor = node.emit(reduce, {x});
  ValueId none = node.emit(Equal{}, {divisor, node.add_scalar(dtype, 0)});
  divisor = node.emit(Select{}, {none, node.add_scalar(dtype, 1), divisor});
  node.result(0, as_f32(node, node.emit(Div{}, {x, divisor})));
}

void read_imputer(ReadNode& node) {
  const DType dtype = node.type(0).dtype;
  ValueId x = node.input(0), missing, imputed;
  if (is_float(dtype)) {
    double replaced = node.real("replaced_value_float", 0);
    missing = std::isnan(replaced) ? node.emit(IsNan{}, {x})
                                   : node.emit(Equal{}, {x, node.add_scalar(dtype, replaced)});
    imputed = per_feature(node, node.reals("imputed_value_floats"), dtype);
    node.ignore("replaced_value_int64");
  } else {
    ConstantPtr replaced = integer_constant(node.integer("replaced_value_int64", 0));
    missing = node.emit(Equal{}, {x, node.add_constant(constant_cast(replaced, dtype))});
    std::vector<int64_t> values = node.integers("imputed_value_int64s");
    ConstantPtr list = values.size() == 1 ? integer_constant(values[0]) : constant_ints(values);
    imputed = node.add_constant(constant_cast(list, dtype));
    node.ignore("replaced_value_float");
  }
  node.result(0, node.emit(Select{}, {missing, imputed, x}));
}

void read_feature_vectorizer(ReadNode& node) {
  node.ignore("inputdimensions");
  std::vector<ValueId> parts;
  for (size_t i = 0; i < node.inputs(); ++i) {
    ValueId part = as_f32(node, node.input(i));
    parts.push_back(node.rank(i) == 1 ? node.emit(Unsqueeze{{0}}, {part}) : part);
  }
  node.result(0, node.emit(Concat{1}, parts));
}

// One of a kind of attributes: the tensor, or the list of texts, integers or floats.
ConstantPtr list_of(ReadNode& node, const std::string& word) {
  if (ConstantPtr given = node.tensor(word + "_tensor")) return given->reshaped({given->count()});
  if (node.has(word + "_strings")) {
    std::vector<std::string> texts = node.texts(word + "_strings");
    return constant_strings({static_cast<int64_t>(texts.size())}, texts);
  }
  if (node.has(word + "_int64s")) return constant_ints(node.integers(word + "_int64s"));
  return node.has(word + "_floats") ? reals_constant(node.reals(word + "_floats"), DType::f32) : nullptr;
}

void emit_lookup(ReadNode& node, ConstantPtr keys, ConstantPtr values, ConstantPtr otherwise) {
  node.result(0, node.emit(Lookup{}, {node.input(0), node.add_constant(keys), node.add_constant(values),
                                      node.add_constant(otherwise)}));
}

void read_label_encoder(ReadNode& node) {
  ConstantPtr keys = list_of(node, "keys"), values = list_of(node, "values"),
              otherwise = node.tensor("default_tensor");
  if (!keys || !values) fail("the keys or the values are missing");
  const DType dtype = values->dtype();
  ConstantPtr text = text_constant(node.text("default_string", "_Unused"));
  ConstantPtr integer = integer_constant(node.integer("default_int64", -1));
  ConstantPtr real = constant_splat(DType::f32, {}, node.real("default_float", -0.0));
  if (!otherwise)
    otherwise = dtype == DType::string ? text : constant_cast(is_float(dtype) ? real : integer, dtype);
  emit_lookup(node, keys, values, otherwise->reshaped({}));
}

// Texts and integers by one another: whichever the input has are the keys.
void emit_two_way_lookup(ReadNode& node, ConstantPtr texts, ConstantPtr integers) {
  ConstantPtr text = text_constant(node.text("default_string", "_Unused"));
  ConstantPtr integer = integer_constant(node.integer("default_int64", -1));
  if (node.type(0).dtype == DType::string)
    emit_lookup(node, texts, integers, integer);
  else
    emit_lookup(node, integers, texts, text);
}

void read_label_encoder_1(ReadNode& node) {
  std::vector<std::string> texts = node.texts("classes_strings");
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < texts.size(); ++i) numbers.push_back(static_cast<int64_t>(i));
  emit_two_way_lookup(node, constant_strings({static_cast<int64_t>(texts.size())}, texts),
                      constant_ints(numbers));
}

void read_category_mapper(ReadNode& node) {
  std::vector<std::string> texts = node.texts("cats_strings");
  emit_two_way_lookup(node, constant_strings({static_cast<int64_t>(texts.size())}, texts),
                      constant_ints(node.integers("cats_int64s")));
}

// 1 at the category's place along a new last axis.
void read_one_hot_encoder(ReadNode& node) {
  node.ignore("zeros");
  ValueId x = node.input(0), categories;
  if (node.type(0).dtype == DType::string) {
    std::vector<std::string> texts = node.texts("cats_strings");
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < texts.size(); ++i) numbers.push_back(static_cast<int64_t>(i));
    categories = node.add_constant(constant_ints(numbers));
    ValueId keys = node.add_constant(constant_strings({static_cast<int64_t>(texts.size())}, texts));
    x = node.emit(Lookup{}, {x, keys, categories, node.add_constant(integer_constant(-1))});
  } else {
    categories = node.add_constant(constant_ints(node.integers("cats_int64s")));
    if (node.type(0).dtype != DType::i64) x = node.emit(cast_to(DType::i64), {x});
  }
  ValueId column = node.emit(Unsqueeze{{node.rank(0)}}, {x});
  node.result(0, as_f32(node, node.emit(Equal{}, {column, categories})));
}

bool is_list_type(DType dtype) {
  return dtype == DType::string || dtype == DType::i64 || dtype == DType::f32;
}

std::string lookup_problem(const WriteNode& node) {
  if (!node.constant(1) || !node.constant(2) || !node.constant(3)) return "its keys and values are computed";
  // What runtimes have kernels for.
  const auto usual = [](DType dtype) { return is_list_type(dtype) || dtype == DType::f64; };
  const DType keys = node.dtype(1), values = node.dtype(2);
  if (usual(keys) && (usual(values) || (keys == DType::string && values == DType::i16))) return "";
  return fmt::format("a LabelEncoder from {} to {}", name_of(keys), name_of(values));
}

void write_lookup(WriteNode& node) {
  const Constant &keys = *node.constant(1), &values = *node.constant(2), &otherwise = *node.constant(3);
  bool lists = is_list_type(keys.dtype()) && is_list_type(values.dtype());
  node.need(ml, lists ? 2 : 4);
  Attributes attributes;
  auto add = [&](const std::string& word, const Constant& from, bool single) {
    if (!lists)
      attributes.push_back(
          Attribute::of(word + "_tensor", single ? from.reshaped({1}) : from.reshaped({from.count()})));
    else if (from.dtype() == DType::string)
      attributes.push_back(single ? Attribute::of(word + "_string", from.tensor().strings().at(0))
                                  : Attribute::of(word + "_strings", from.tensor().strings()));
    else if (from.dtype() == DType::i64)
      attributes.push_back(single ? Attribute::of(word + "_int64", from.tensor().ints().at(0))
                                  : Attribute::of(word + "_int64s", from.tensor().ints()));
    else
      attributes.push_back(single ? Attribute::of(word + "_float", from.tensor().doubles().at(0))
                                  : Attribute::of(word + "_floats", from.tensor().doubles()));
  };
  add("keys", keys, false);
  add("values", values, false);
  add("default", otherwise, true);
  node.emit_to(node.outs(), "LabelEncoder", {node.in(0)}, attributes, ml);
}

}  // namespace

void ml_feature_rows(Rows& rows) {
  const std::string domain = "ai.onnx.ml:";
  rows.read(domain + "ArrayFeatureExtractor", since(1), read_feature_extractor);
  rows.read(domain + "Binarizer", since(1), read_binarizer);
  rows.read(domain + "Scaler", since(1), read_scaler);
  rows.read(domain + "Normalizer", since(1), read_normalizer);
  rows.read(domain + "Imputer", since(1), read_imputer);
  rows.read(domain + "FeatureVectorizer", since(1), read_feature_vectorizer);
  rows.read(domain + "LabelEncoder", range(1, 1), read_label_encoder_1);
  rows.read(domain + "LabelEncoder", since(2), read_label_encoder);
  rows.read(domain + "CategoryMapper", since(1), read_category_mapper);
  rows.read(domain + "OneHotEncoder", since(1), read_one_hot_encoder);
  rows.write<Lookup>(since(1), write_lookup, lookup_problem);
}

}  // namespace remodel::onnx
