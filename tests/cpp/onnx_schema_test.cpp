#include "formats/onnx/schema.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace remodel::onnx {
namespace {

// ONNX dtype numbers.
constexpr int float32 = 1, uint8 = 2, int32 = 6, int64 = 7, string = 8, boolean = 9, float16 = 10,
              bfloat16 = 16, float8e4m3fn = 17, int4 = 22, float4e2m1 = 23, float8e8m0 = 24;

const OpSchema& schema(std::string_view name, int opset, std::string_view domain = "") {
  const OpSchema* found = find_schema(domain, name, opset);
  if (!found) throw std::runtime_error("no schema for " + std::string(name));
  return *found;
}
const AttributeSchema& attribute(std::string_view name, int opset, std::string_view attribute) {
  const AttributeSchema* found = find_attribute(schema(name, opset), attribute);
  if (!found) throw std::runtime_error("no attribute " + std::string(attribute));
  return *found;
}
bool has_attribute(std::string_view name, int opset, std::string_view attribute) {
  return find_attribute(schema(name, opset), attribute) != nullptr;
}
// "X scale B? mean..." : optional ones with ?, variadic ones with ...
std::string names(std::span<const Formal> formals) {
  std::string text;
  for (const Formal& formal : formals) {
    if (!text.empty()) text += ' ';
    text += formal.name;
    if (formal.option == FormalOption::optional) text += '?';
    if (formal.option == FormalOption::variadic) text += "...";
  }
  return text;
}
std::string inputs(std::string_view name, int opset) { return names(schema(name, opset).inputs); }
std::string outputs(std::string_view name, int opset) { return names(schema(name, opset).outputs); }

TEST(OnnxSchema, FindsTheVersionInForce) {
  EXPECT_EQ(schema("Conv", 10).since, 1);
  EXPECT_EQ(schema("Conv", 11).since, 11);
  EXPECT_EQ(schema("Conv", 21).since, 11);
  EXPECT_EQ(schema("Conv", 22).since, 22);
  EXPECT_EQ(schema("Conv", 1000).since, 22);
  EXPECT_EQ(schema("Conv", 11, "ai.onnx").since, 11);
}

TEST(OnnxSchema, FindsNothingBeforeTheFirstVersionOrForUnknownNames) {
  EXPECT_EQ(find_schema("", "Gelu", 19), nullptr);
  EXPECT_NE(find_schema("", "Gelu", 20), nullptr);
  EXPECT_EQ(find_schema("", "Conv", 0), nullptr);
  EXPECT_EQ(find_schema("", "Con", 11), nullptr);
  EXPECT_EQ(find_schema("", "Convolution", 11), nullptr);
  EXPECT_EQ(find_schema("", "", 11), nullptr);
  EXPECT_EQ(find_schema("", "Zzz", 11), nullptr);
  EXPECT_EQ(find_schema("com.microsoft", "Conv", 11), nullptr);
  EXPECT_EQ(find_schema("ai.onnx.ml", "Conv", 1), nullptr);
}

TEST(OnnxSchema, OtherDomainsHaveTheirOwnVersions) {
  EXPECT_EQ(schema("LabelEncoder", 3, "ai.onnx.ml").since, 2);
  EXPECT_EQ(schema("Adam", 1, "ai.onnx.preview.training").since, 1);
  EXPECT_TRUE(schema("TreeEnsembleRegressor", 5, "ai.onnx.ml").deprecated);
}

TEST(OnnxSchema, TheTableIsWholeAndSorted) {
  ASSERT_EQ(all_schemas().size(), 615u);
  const OpSchema* before = nullptr;
  for (const OpSchema& op : all_schemas()) {
    if (before) {
      EXPECT_LT(std::tie(before->domain, before->name, before->since),
                std::tie(op.domain, op.name, op.since));
    }
    before = &op;
    EXPECT_EQ(find_schema(op.domain, op.name, op.since), &op) << op.name;
    EXPECT_LE(op.min_inputs, op.max_inputs) << op.name;
    for (size_t i = 1; i < op.attributes.size(); ++i) {
      EXPECT_LT(op.attributes[i - 1].name, op.attributes[i].name) << op.name;
    }
  }
}

TEST(OnnxSchema, DeprecatedVersions) {
  EXPECT_FALSE(schema("Upsample", 9).deprecated);
  EXPECT_TRUE(schema("Upsample", 10).deprecated);
  EXPECT_FALSE(schema("Scatter", 10).deprecated);
  EXPECT_TRUE(schema("Scatter", 11).deprecated);
  EXPECT_TRUE(schema("GroupNormalization", 18).deprecated);
  EXPECT_FALSE(schema("GroupNormalization", 21).deprecated);
}

TEST(OnnxSchema, SoftmaxAxisDefault) {
  EXPECT_EQ(attribute("Softmax", 12, "axis").integer, 1);
  EXPECT_EQ(attribute("Softmax", 13, "axis").integer, -1);
  EXPECT_TRUE(attribute("Softmax", 13, "axis").has_default);
}

TEST(OnnxSchema, DefaultsOfEachKind) {
  EXPECT_EQ(attribute("LeakyRelu", 6, "alpha").real, 0.01f);
  EXPECT_EQ(attribute("Selu", 5, "alpha").real, 1.6732f);
  EXPECT_EQ(attribute("Selu", 6, "alpha").real, 1.67326319217681884765625f);
  EXPECT_EQ(attribute("Clip", 6, "min").real, -3.402823466e+38f);
  EXPECT_FALSE(attribute("Clip", 1, "min").has_default);
  EXPECT_EQ(attribute("GridSample", 16, "mode").string, "bilinear");
  EXPECT_EQ(attribute("GridSample", 20, "mode").string, "linear");
  const AttributeSchema& axes = attribute("MeanVarianceNormalization", 9, "axes");
  EXPECT_EQ(std::vector<int64_t>(axes.integers.begin(), axes.integers.end()),
            (std::vector<int64_t>{0, 2, 3}));
  const AttributeSchema& activations = attribute("RNN", 14, "activations");
  ASSERT_EQ(activations.strings.size(), 2u);
  EXPECT_EQ(activations.strings[1], "Tanh");
}

TEST(OnnxSchema, AttributeKinds) {
  EXPECT_EQ(attribute("Cast", 5, "to").kind, AttributeKind::string);
  EXPECT_EQ(attribute("Cast", 6, "to").kind, AttributeKind::integer);
  EXPECT_TRUE(attribute("Cast", 6, "to").required);
  EXPECT_EQ(attribute("LpPool", 1, "p").kind, AttributeKind::real);
  EXPECT_EQ(attribute("LpPool", 2, "p").kind, AttributeKind::integer);
  EXPECT_EQ(attribute("Loop", 24, "body").kind, AttributeKind::graph);
  EXPECT_EQ(attribute("Constant", 12, "value_strings").kind, AttributeKind::strings);
  EXPECT_EQ(attribute("Constant", 12, "sparse_value").kind, AttributeKind::sparse_tensor);
  EXPECT_EQ(attribute("Optional", 15, "type").kind, AttributeKind::type_proto);
  EXPECT_FALSE(has_attribute("Constant", 11, "value_float"));
}

TEST(OnnxSchema, CastTypesGrow) {
  auto casts = [](int opset, int dtype) {
    return allows(schema("Cast", opset).inputs[0], TypeKind::tensor, dtype);
  };
  struct {
    int opset, dtype;
  } const first[] = {{6, float16}, {9, string},      {13, bfloat16},  {19, float8e4m3fn},
                     {21, int4},   {23, float4e2m1}, {24, float8e8m0}};
  for (auto [opset, dtype] : first) {
    EXPECT_TRUE(casts(opset, dtype)) << opset << ' ' << dtype;
    if (opset > 6) {
      EXPECT_FALSE(casts(opset - 1, dtype)) << opset << ' ' << dtype;
    }
  }
}

TEST(OnnxSchema, AllowsTellsKindsApart) {
  const Formal& any = schema("Identity", 16).inputs[0];
  for (TypeKind kind :
       {TypeKind::tensor, TypeKind::sequence, TypeKind::optional, TypeKind::optional_sequence}) {
    EXPECT_TRUE(allows(any, kind, float32));
  }
  EXPECT_FALSE(allows(schema("Identity", 14).inputs[0], TypeKind::optional, float32));
  EXPECT_FALSE(allows(schema("Identity", 13).inputs[0], TypeKind::sequence, float32));
  EXPECT_TRUE(allows(schema("DictVectorizer", 1, "ai.onnx.ml").inputs[0], TypeKind::string_map, float32));
  EXPECT_FALSE(allows(schema("DictVectorizer", 1, "ai.onnx.ml").inputs[0], TypeKind::tensor, float32));
  const Formal& shape = schema("Reshape", 5).inputs[1];
  EXPECT_EQ(shape.constraint, "tensor(int64)");
  EXPECT_TRUE(allows(shape, TypeKind::tensor, int64));
  EXPECT_FALSE(allows(shape, TypeKind::tensor, int32));
  EXPECT_FALSE(allows(shape, TypeKind::tensor, 0));
  EXPECT_FALSE(allows(shape, TypeKind::tensor, -1));
  EXPECT_FALSE(allows(shape, TypeKind::tensor, 39));
}

TEST(OnnxSchema, OldOpsetsLackDtypes) {
  EXPECT_FALSE(allows(schema("Relu", 13).inputs[0], TypeKind::tensor, int32));
  EXPECT_TRUE(allows(schema("Relu", 14).inputs[0], TypeKind::tensor, int32));
  EXPECT_FALSE(allows(schema("Equal", 10).inputs[0], TypeKind::tensor, float32));
  EXPECT_TRUE(allows(schema("Equal", 10).inputs[0], TypeKind::tensor, boolean));
  EXPECT_FALSE(allows(schema("Pad", 10).inputs[0], TypeKind::tensor, int64));
  EXPECT_FALSE(allows(schema("MaxPool", 11).inputs[0], TypeKind::tensor, uint8));
  EXPECT_TRUE(allows(schema("MaxPool", 12).inputs[0], TypeKind::tensor, uint8));
}

TEST(OnnxSchema, ResizeInputs) {
  EXPECT_EQ(inputs("Resize", 10), "X scales");
  EXPECT_EQ(inputs("Resize", 11), "X roi scales sizes?");
  EXPECT_EQ(inputs("Resize", 13), "X roi? scales? sizes?");
  EXPECT_EQ(schema("Resize", 11).min_inputs, 3);
  EXPECT_EQ(schema("Resize", 13).min_inputs, 1);
  EXPECT_FALSE(has_attribute("Resize", 17, "antialias"));
  EXPECT_TRUE(has_attribute("Resize", 18, "antialias"));
  EXPECT_EQ(schema("Resize", 18).since, 18);
  EXPECT_EQ(schema("Resize", 19).since, 19);
}

TEST(OnnxSchema, BatchNormalizationOutputs) {
  EXPECT_EQ(outputs("BatchNormalization", 9), "Y mean? var? saved_mean? saved_var?");
  EXPECT_EQ(outputs("BatchNormalization", 14), "Y running_mean? running_var?");
  EXPECT_EQ(schema("BatchNormalization", 9).max_outputs, 5);
  EXPECT_EQ(schema("BatchNormalization", 15).max_outputs, 3);
  EXPECT_EQ(schema("BatchNormalization", 14).inputs[1].constraint, "T");
  EXPECT_EQ(schema("BatchNormalization", 15).inputs[1].constraint, "T1");
}

TEST(OnnxSchema, DropoutRatioBecomesAnInput) {
  EXPECT_EQ(inputs("Dropout", 10), "data");
  EXPECT_EQ(inputs("Dropout", 12), "data ratio? training_mode?");
  EXPECT_TRUE(has_attribute("Dropout", 10, "ratio"));
  EXPECT_FALSE(has_attribute("Dropout", 12, "ratio"));
}

TEST(OnnxSchema, VariadicFormals) {
  const OpSchema& loop = schema("Loop", 13);
  EXPECT_EQ(names(loop.inputs), "M? cond? v_initial...");
  EXPECT_EQ(loop.min_inputs, 2);
  EXPECT_EQ(loop.max_inputs, unbounded);
  EXPECT_FALSE(loop.inputs[2].homogeneous);
  EXPECT_EQ(loop.inputs[2].min_arity, 0);
  EXPECT_TRUE(schema("Concat", 13).inputs[0].homogeneous);
  EXPECT_EQ(schema("Concat", 13).inputs[0].min_arity, 1);
}

TEST(OnnxSchema, ReleasesTieOpsetsToIrVersions) {
  EXPECT_EQ(newest_opset(), 24);
  EXPECT_EQ(newest_opset("ai.onnx"), 24);
  EXPECT_EQ(newest_opset("ai.onnx.ml"), 5);
  EXPECT_EQ(newest_opset("com.microsoft"), 0);
  struct {
    int opset, ir_version;
  } const pairs[] = {{0, 0},  {1, 3},  {4, 3},  {8, 3},  {9, 4},   {10, 5},  {11, 6},  {12, 7},  {14, 7},
                     {15, 8}, {18, 8}, {19, 9}, {20, 9}, {21, 10}, {22, 10}, {23, 11}, {24, 12}, {25, 0}};
  for (auto [opset, ir_version] : pairs) EXPECT_EQ(ir_version_for_opset(opset), ir_version) << opset;
  EXPECT_EQ(ir_version_for_opset(2, "ai.onnx.ml"), 6);
  EXPECT_EQ(ir_version_for_opset(1, "unknown"), 0);
}

}  // namespace
}  // namespace remodel::onnx
