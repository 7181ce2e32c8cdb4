// Linear models of ai.onnx.ml.
#include <algorithm>

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/ml.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

// x [rows, features] (or one row) times coefficients [targets, features], plus intercepts.
ValueId linear_scores(ReadNode& node, int64_t targets) {
  ValueId x = as_f32(node, node.input(0));
  if (node.rank(0) == 1) x = node.emit(Unsqueeze{{0}}, {x});
  ConstantPtr coefficients = reals_constant(node.reals("coefficients"), DType::f32);
  if (targets < 1 || coefficients->count() % targets != 0)
    fail("{} coefficients for {} targets", coefficients->count(), targets);
  MatMul product;
  product.transpose_b = true;
  coefficients = coefficients->reshaped({targets, coefficients->count() / targets});
  ValueId scores = node.emit(product, {x, node.add_constant(coefficients)});
  std::vector<double> intercepts = node.reals("intercepts");
  if (intercepts.empty()) return scores;
  return node.emit(Add{}, {scores, node.add_constant(reals_constant(intercepts, DType::f32))});
}

void read_linear_regressor(ReadNode& node) {
  const Transform transform = read_transform(node);
  const int64_t targets = node.integer("targets", 1);
  if (keeps_odd_transform(node, transform, targets)) return;
  ValueId scores = linear_scores(node, targets);
  node.result(0, transformed(node, scores, transform));
}

void read_linear_classifier(ReadNode& node) {
  const Transform transform = read_transform(node);
  const int64_t targets = std::max<int64_t>(1, static_cast<int64_t>(node.reals("intercepts").size()));
  // Of one score two are made before the transform.
  if (transform != Transform::logistic && keeps_odd_transform(node, transform, targets)) return;
  node.ignore("multi_class");
  ConstantPtr labels = read_labels(node, "classlabels_ints");
  ValueId scores = linear_scores(node, targets), best;
  if (targets == 1) {
    if (labels->count() != 2) fail("one score for {} classes", labels->count());
    // One score speaks for the second class.
    ValueId second = node.emit(Greater{}, {scores, node.add_scalar(DType::f32, 0)});
    best = node.emit(Squeeze{{1}}, {node.emit(cast_to(DType::i64), {second})});
    ValueId first = transform == Transform::logistic
                        ? node.emit(Neg{}, {scores})
                        : node.emit(Sub{}, {node.add_scalar(DType::f32, 1), scores});
    scores = node.emit(Concat{1}, {first, scores});
  } else {
    if (labels->count() != targets) fail("{} scores for {} classes", targets, labels->count());
    ArgMax op;
    op.axis = 1, op.keep = false;
    best = node.emit(op, {scores});
  }
  node.result(0, node.emit(Gather{}, {node.add_constant(labels), best}));
  node.result(1, transformed(node, scores, transform));
}

// x [rows, features] against each support vector [vectors, features].
ValueId kernel_values(ReadNode& node, ValueId x, const ConstantPtr& vectors) {
  std::string kind = node.text("kernel_type", "LINEAR");
  std::vector<double> parameters = node.reals("kernel_params");
  parameters.resize(3, 0);
  auto number = [&](double value) { return node.add_scalar(DType::f32, value); };
  MatMul product;
  product.transpose_b = true;
  ValueId v = node.add_constant(vectors), dot = node.emit(product, {x, v});
  if (kind == "LINEAR") return dot;
  if (kind == "RBF") {
    Reduce squares;
    squares.kind = Reduce::Kind::sum_of_squares;
    squares.axes = {1};
    ValueId of_x = node.emit(squares, {x});
    squares.keep = false;
    ValueId sum = node.emit(Add{}, {of_x, node.emit(squares, {v})});
    ValueId distance = node.emit(Sub{}, {sum, node.emit(Mul{}, {number(2), dot})});
    distance = node.emit(Max{}, {distance, number(0)});
    return node.emit(Exp{}, {node.emit(Mul{}, {number(-parameters[0]), distance})});
  }
  ValueId scaled = node.emit(Add{}, {node.emit(Mul{}, {number(parameters[0]), dot}), number(parameters[1])});
  if (kind == "POLY") return node.emit(Pow{}, {scaled, number(parameters[2])});
  if (kind == "SIGMOID") return node.emit(Tanh{}, {scaled});
  fail("attribute 'kernel_type': the value '{}' is not known", kind);
}

// One score: the weighted kernel values of the support vectors, or without these a linear model.
void read_svm_regressor(ReadNode& node) {
  const Transform transform = read_transform(node);
  if (keeps_odd_transform(node, transform, 1)) return;
  int64_t count = node.integer("n_supports", 0);
  ConstantPtr weights = reals_constant(node.reals("coefficients"), DType::f32);
  ConstantPtr vectors = reals_constant(node.reals("support_vectors"), DType::f32);
  if (count < 0 || (count > 0 && (weights->count() != count || vectors->count() % count != 0)))
    fail("{} numbers of {} support vectors with {} coefficients", vectors->count(), count, weights->count());
  vectors = count > 0 ? vectors->reshaped({count, vectors->count() / count})
                      : weights->reshaped({1, weights->count()});
  ValueId score = kernel_values(node, as_f32(node, node.input(0)), vectors);
  if (count > 0) score = node.emit(MatMul{}, {score, node.add_constant(weights->reshaped({count, 1}))});
  std::vector<double> shift = node.reals("rho");
  if (!shift.empty()) score = node.emit(Add{}, {score, node.add_scalar(DType::f32, shift[0])});
  if (node.integer("one_class", 0) == 0) return node.result(0, score);
  ValueId inside = node.emit(Greater{}, {score, node.add_scalar(DType::f32, 0)});
  node.result(0,
              node.emit(Select{}, {inside, node.add_scalar(DType::f32, 1), node.add_scalar(DType::f32, -1)}));
}

// A score for each pair of classes, positive where it is the first one; each is a vote for a class.
void read_svm_classifier(ReadNode& node) {
  const Transform transform = read_transform(node);
  ConstantPtr labels = read_labels(node, "classlabels_ints");
  const int64_t classes = labels->count();
  const std::vector<int64_t> each = node.integers("vectors_per_class");
  const std::vector<double> weights = node.reals("coefficients"), numbers = node.reals("support_vectors"),
                            shifts = node.reals("rho");
  // Probabilities come from an iteration whose result depends on where it stops.
  bool odd = !node.reals("prob_a").empty() || numbers.empty() || transform == Transform::probit ||
             (classes == 2 && transform != Transform::none && transform != Transform::logistic);
  if (odd) return node.keep();
  int64_t count = 0;
  for (int64_t number : each) {
    if (number < 0 || number > static_cast<int64_t>(numbers.size()))
      fail("a class has {} support vectors", number);
    count += number;
  }
  const int64_t pairs = classes * (classes - 1) / 2;
  if (classes < 2 || classes > 4096 || static_cast<int64_t>(each.size()) != classes || count < 1 ||
      static_cast<int64_t>(numbers.size()) % count != 0 ||
      static_cast<int64_t>(weights.size()) != (classes - 1) * count ||
      static_cast<int64_t>(shifts.size()) != pairs)
    fail("{} classes with {} support vectors, {} coefficients and {} shifts", classes, count, weights.size(),
         shifts.size());

  constexpr int64_t most_mixed = 1 << 24;
  if (count > most_mixed / pairs) return node.keep();

  // The coefficients of class i against class j stand in row j - 1, those of j against i in row i.
  Tensor mixing = Tensor::zeros(DType::f32, {count, pairs}),
         votes = Tensor::zeros(DType::f32, {pairs, classes});
  std::vector<double> against(static_cast<size_t>(classes), 0);
  std::vector<int64_t> first{0};
  for (int64_t number : each) first.push_back(first.back() + number);
  int64_t pair = 0;
  for (int64_t i = 0; i < classes; ++i)
    for (int64_t j = i + 1; j < classes; ++j, ++pair) {
      for (int64_t v = first[i]; v < first[i + 1]; ++v)
        mixing.to<float>()[v * pairs + pair] = static_cast<float>(weights[(j - 1) * count + v]);
      for (int64_t v = first[j]; v < first[j + 1]; ++v)
        mixing.to<float>()[v * pairs + pair] = static_cast<float>(weights[i * count + v]);
      votes.to<float>()[pair * classes + i] = 1;
      votes.to<float>()[pair * classes + j] = -1;
      against[static_cast<size_t>(j)] += 1;
    }
  ConstantPtr vectors = reals_constant(numbers, DType::f32);
  vectors = vectors->reshaped({count, vectors->count() / count});
  ValueId values = kernel_values(node, as_f32(node, node.input(0)), vectors);
  ValueId scores = node.emit(MatMul{}, {values, node.add_constant(constant_tensor(mixing))});
  scores = node.emit(Add{}, {scores, node.add_constant(reals_constant(shifts, DType::f32))});
  ValueId won = node.emit(Greater{}, {scores, node.add_scalar(DType::f32, 0)});
  ValueId sums = node.emit(MatMul{}, {as_f32(node, won), node.add_constant(constant_tensor(votes))});
  sums = node.emit(Add{}, {sums, node.add_constant(reals_constant(against, DType::f32))});
  ArgMax most;
  most.axis = 1, most.keep = false;
  node.result(0, node.emit(Gather{}, {node.add_constant(labels), node.emit(most, {sums})}));
  if (classes == 2) scores = node.emit(Concat{1}, {node.emit(Neg{}, {scores}), scores});
  node.result(1, transformed(node, scores, transform));
}

}  // namespace

void ml_linear_rows(Rows& rows) {
  rows.read("ai.onnx.ml:LinearRegressor", since(1), read_linear_regressor);
  rows.read("ai.onnx.ml:SVMRegressor", since(1), read_svm_regressor);
  rows.read("ai.onnx.ml:SVMClassifier", since(1), read_svm_classifier);
  rows.read("ai.onnx.ml:LinearClassifier", since(1), read_linear_classifier);
}

}  // namespace remodel::onnx
