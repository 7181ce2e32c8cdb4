#include "ops/signal.h"

#include "ops/binary.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/decompose/bodies.h"
#include "run/math.h"
#include "run/runner.h"

namespace remodel {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr int64_t table_limit = int64_t{1} << 24;

ConstantPtr table_of(const std::vector<double>& values, DType dtype, Shape shape) {
  return constant_cast(constant_tensor(Tensor::of<double>(DType::f64, std::move(shape), values)), dtype);
}

double cos_of(int64_t turns, int64_t n) {
  return math::cos(2 * pi * static_cast<double>(turns % n) / static_cast<double>(n));
}
double sin_of(int64_t turns, int64_t n) {
  return math::sin(2 * pi * static_cast<double>(turns % n) / static_cast<double>(n));
}

int64_t known(const Dim& dim, const char* what) {
  if (!dim.is_number()) fail("{} ({}) is not known", what, dim.text());
  return dim.number();
}

// [taken * parts, results * result parts]: what each part of each element adds to each part of each result.
std::vector<double> transform_table(int64_t taken, int64_t parts, int64_t n, int64_t results,
                                    int64_t result_parts, bool inverse, bool mirrored) {
  std::vector<double> table;
  for (int64_t j = 0; j < taken; ++j)
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t k = 0; k < results; ++k)
        for (int64_t to = 0; to < result_parts; ++to) {
          // (a + ib)(c + is) = (ac - bs) + i(as + bc), with s of the direction's sign.
          double c = cos_of(j * k, n), s = inverse ? sin_of(j * k, n) : -sin_of(j * k, n);
          double weight = part == to ? c : part == 0 ? s : -s;
          if (inverse) weight /= static_cast<double>(n);
          // Each frequency that has a mirror image stands for two; those that have none are real.
          bool twice = mirrored && j != 0 && 2 * j != n;
          if (mirrored && !twice && part == 1) weight = 0;
          bool taken_up = mirrored ? 2 * j <= n : j < n;
          table.push_back(taken_up ? (twice ? 2 : 1) * weight : 0);
        }
  return table;
}

// One of the transforms along each axis but the last.
void along_computed_axis(Decompose& node) {
  Dft op = node.op<Dft>();
  const int64_t rank = static_cast<int64_t>(node.dims(0).size());
  Term axis = from_front(reshape({&node, node.in(2)}, {}), rank);
  Term y = choose(axis, rank - 1, {{&node, node.in(0)}},
                  [&](Emitter&, const std::vector<Term>& given, int64_t at) {
                    op.axis = at;
                    return apply(op, {given[0]});
                  });
  node.result(0, y.id);
}

void decompose_dft(Decompose& node) {
  const auto& op = node.op<Dft>();
  if (node.has(1)) fail("the length is only known when the model runs");
  if (node.has(2)) return along_computed_axis(node);
  Dims dims = node.dims(0), y = *node.result_type().dims;
  size_t at = static_cast<size_t>(resolve_axis(op.axis, dims.size()));
  int64_t size = known(dims[at], "the size"), parts = known(dims.back(), "the number of parts");
  bool to_real = op.inverse && op.onesided;
  int64_t n = !op.length.empty() ? known(op.length[0], "the length") : to_real ? 2 * (size - 1) : size;
  int64_t results = known(y[at], "the size of the result"), result_parts = to_real ? 1 : 2;
  if (size * parts > table_limit / (results * result_parts))
    fail("a transform of length {} is too long for a table", n);
  DType dtype = node.dtype(0);
  ValueId table =
      node.constant(table_of(transform_table(size, parts, n, results, result_parts, op.inverse, to_real),
                             dtype, {size * parts, results * result_parts}));
  // The axis goes beside that of the parts, and back.
  std::vector<int64_t> to, back(dims.size());
  for (size_t axis = 0; axis + 1 < dims.size(); ++axis)
    if (axis != at) to.push_back(static_cast<int64_t>(axis));
  to.push_back(static_cast<int64_t>(at));
  to.push_back(static_cast<int64_t>(dims.size()) - 1);
  for (size_t i = 0; i < to.size(); ++i) back[to[i]] = static_cast<int64_t>(i);
  bool moves = at + 2 != dims.size();
  ValueId x = moves ? node.emit(Transpose{to}, {node.in(0)}) : node.in(0);
  Dims outer;
  for (size_t i = 0; i + 2 < to.size(); ++i) outer.push_back(dims[to[i]]);
  Dims flat = outer, whole = outer;
  flat.push_back(size * parts);
  whole.push_back(results);
  whole.push_back(result_parts);
  ValueId product = node.emit(MatMul{}, {node.emit(Reshape{flat, false}, {x}), table});
  ValueId result = node.emit(Reshape{whole, false}, {product});
  node.result(0, moves ? node.emit(Transpose{back}, {result}) : result);
}

// For frames that are only known when the model runs: all of them side by side, times tables that are
// computed.
void compute_stft(Decompose& node) {
  const auto& op = node.op<Stft>();
  const DType dtype = node.dtype(0), real = dtype == DType::f64 ? DType::f64 : DType::f32;
  const int64_t parts = op.onesided ? 1 : known(node.dims(0)[2], "the number of parts");
  auto given = [&](size_t i, const Dim& otherwise) {
    return node.has(i) ? reshape(cast({&node, node.in(i)}, DType::i64), {}) : size_term(node, otherwise);
  };
  Term step = given(2, op.step), n = given(3, op.length), size = size_term(node, node.dims(0)[1]);
  Term place = counting(n), starts = counting((size - n) / step + 1) * step;
  Term seen = gather(cast({&node, node.in(0)}, real), unsqueeze(starts, {1}) + place, 1);
  seen = transpose(seen, {0, 3, 1, 2});  // [batch, parts, frames, length]
  if (node.has(1)) seen = seen * cast({&node, node.in(1)}, real);
  Term turns = remainder(unsqueeze(place, {1}) * counting(op.onesided ? n / 2 + 1 : n), n);
  Term angle = 2 * pi * cast(turns, real) / cast(n, real);
  Term by_cos = product(seen, apply(Cos{}, {angle})), by_sin = product(seen, apply(Sin{}, {angle}));
  // (a + ib)(c - is) = (ac + bs) + i(bc - as)
  Term re = at_index(by_cos, 1, 0), im = 0 - at_index(by_sin, 1, 0);
  if (parts == 2) re = re + at_index(by_sin, 1, 1), im = im + at_index(by_cos, 1, 1);
  node.result(0, cast(concat({unsqueeze(re, {3}), unsqueeze(im, {3})}, 3), dtype).id);
}

// A convolution whose channels are the parts and whose results are the frequencies.
void decompose_stft(Decompose& node) {
  const auto& op = node.op<Stft>();
  if (node.has(2) || node.has(3)) return compute_stft(node);
  Dims dims = node.dims(0), y = *node.result_type().dims;
  int64_t n = known(op.length, "the length"), step = known(op.step, "the step"),
          parts = known(dims[2], "the number of parts"), results = known(y[2], "the number of frequencies");
  if (n * parts > table_limit / (results * 2)) fail("a transform of length {} is too long for a table", n);
  DType dtype = node.dtype(0);
  ConstantPtr table =
      table_of(transform_table(n, parts, n, results, 2, false, false), dtype, {n, parts, results * 2});
  ValueId weights = node.constant(table->permuted({2, 1, 0}));
  if (node.has(1)) weights = node.emit(Mul{}, {weights, node.in(1)});
  Conv conv;
  conv.unit(1);
  conv.strides = {step};
  ValueId x = node.emit(Transpose{{0, 2, 1}}, {node.in(0)});
  ValueId frames = node.emit(conv, {x, weights});
  ValueId pairs = node.emit(Reshape{{y[0], y[2], Dim(2), y[1]}, false}, {frames});
  node.result(0, node.emit(Transpose{{0, 3, 1, 2}}, {pairs}));
}

// Known numbers: the kernel's own results.
void as_constant(Decompose& node, std::vector<Datum> operands) {
  Pool pool(1);
  auto results = run_op(node.node().op, std::move(operands), 1, pool);
  node.result(0, node.constant(constant_tensor(results[0].tensor)));
}

void decompose_window(Decompose& node) {
  const auto& op = node.op<Window>();
  if (!node.has(0) && op.size.is_number()) return as_constant(node, {});
  Term size = node.has(0) ? reshape(cast({&node, node.in(0)}, DType::i64), {}) : size_term(node, op.size);
  Term steps = op.periodic ? size : size - 1;
  Term turn = 2 * pi * counting(size, DType::f32) / max(cast(steps, DType::f32), 1);
  Term wave = apply(Cos{}, {turn}), y;
  switch (op.kind) {
    case Window::Kind::hann:
      y = 0.5 - 0.5 * wave;
      break;
    case Window::Kind::hamming:
      y = 25.0 / 46 - 21.0 / 46 * wave;
      break;
    case Window::Kind::blackman:
      y = 0.42 - 0.5 * wave + 0.08 * apply(Cos{}, {2 * turn});
      break;
  }
  node.result(0, cast(y, op.dtype).id);
}

// The kernel's arithmetic on numbers that are only known when the model runs.
void compute_mel_weights(Decompose& node) {
  constexpr DType real = DType::f64;
  auto given = [&](size_t i) { return reshape(cast({&node, node.in(i)}, real), {}); };
  const double decade = math::log(10.0);
  auto mel = [&](Term hertz) { return 2595 / decade * apply(Log{}, {hertz / 700 + 1}); };
  Term bands = given(0), length = given(1), rate = given(2), low = mel(given(3)), high = mel(given(4));
  Term apart = (high - low) / (bands + 2), band = counting(cast(bands, DType::i64));
  Term places = low + counting(cast(bands + 2, DType::i64), real) * apart;
  Term hertz = 700 * (apply(Exp{}, {decade / 2595 * places}) - 1);
  Term edges = floor((length + 1) * hertz / rate);
  Term from = gather(edges, band, 0), peak = gather(edges, band + 1, 0), to = gather(edges, band + 2, 0);
  Term i = unsqueeze(counting(cast(floor(length / 2) + 1, DType::i64), real), {1});
  Term rise = (i - from) / max(peak - from, 1), fall = (to - i) / max(to - peak, 1);
  Term zero = number(node, real, 0), one = number(node, real, 1);
  Term weights = select(i < peak, max(rise, zero), select(i > peak, max(fall, zero), one));
  node.result(0, cast(weights, node.op<MelWeights>().dtype).id);
}

void decompose_mel_weights(Decompose& node) {
  std::vector<Datum> operands;
  for (size_t i = 0; i < node.node().inputs.size(); ++i) {
    const ConstantPtr& constant = node.graph().value(node.in(i)).constant;
    if (!constant) return compute_mel_weights(node);
    operands.push_back(constant->tensor());
  }
  as_constant(node, std::move(operands));
}

}  // namespace

void signal_decompositions(Decompositions& table) {
  table.add<Dft>(decompose_dft);
  table.add<Stft>(decompose_stft);
  table.add<Window>(decompose_window);
  table.add<MelWeights>(decompose_mel_weights);
}

}  // namespace remodel
