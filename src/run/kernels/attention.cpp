#include "ops/attention.h"

#include <algorithm>
#include <limits>

#include "ir/convert.h"
#include "run/elementwise.h"
#include "run/math.h"
#include "run/product.h"

namespace remodel {
namespace {

Tensor converted(const Tensor& x, DType to) {
  if (x.dtype() == to) return x;
  Tensor result(to, x.shape());
  convert_elements(x.dtype(), x.raw(), to, result.raw(), x.count());
  return result;
}

Shape need_rank_4(const Tensor& x) {
  if (x.rank() != 4) fail("{} should have rank 4", text_of(x.shape()));
  return x.shape();
}

// `x` after `past` along axis 2.
Tensor joined(const Tensor& past, const Tensor& x) {
  Shape a = need_rank_4(past), b = x.shape();
  if (a[0] != b[0] || a[1] != b[1] || a[3] != b[3] || past.dtype() != x.dtype())
    fail("the past {} does not fit {}", text_of(a), text_of(b));
  Tensor result(x.dtype(), {b[0], b[1], a[2] + b[2], b[3]});
  size_t one = size_of(x.dtype()), old_bytes = a[2] * a[3] * one, new_bytes = b[2] * b[3] * one;
  auto* to = static_cast<uint8_t*>(result.raw());
  for (int64_t i = 0; i < b[0] * b[1]; ++i) {
    to = std::copy_n(past.as<uint8_t>() + i * old_bytes, old_bytes, to);
    to = std::copy_n(x.as<uint8_t>() + i * new_bytes, new_bytes, to);
  }
  return result;
}

// Which keys a query may see, beside an added mask.
struct Visible {
  const Attention& op;
  int64_t queries, keys, past;
  const uint8_t* mask = nullptr;  // of one batch and head; null where there is no boolean one
  int64_t mask_row = 0, mask_step = 0, mask_keys = 0;
  int64_t length = 0;

  bool operator()(int64_t query, int64_t key) const {
    if (key >= length || key >= mask_keys) return false;
    if (mask && !mask[query * mask_row + key * mask_step]) return false;
    if (op.causal == Attention::Causal::no) return true;
    int64_t last = query + (op.causal == Attention::Causal::from_start ? past : keys - queries);
    return key <= last && (op.window <= 0 || key > last - op.window);
  }
  bool any(int64_t query) const {
    for (int64_t key = 0; key < keys; ++key)
      if ((*this)(query, key)) return true;
    return false;
  }
};

// Where the elements for one batch and head lie in a mask that broadcasts to [batch, heads, queries, keys].
struct MaskSteps {
  int64_t batch = 0, head = 0, query = 0, key = 0, keys = 0;
  MaskSteps(const Tensor& mask, int64_t batches, int64_t heads, int64_t queries, int64_t all_keys) {
    Shape shape = mask.shape();
    if (shape.size() > 4) fail("a mask {} has too many axes", text_of(shape));
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    Shape own = strides_of(shape), whole{batches, heads, queries, all_keys};
    for (size_t i = 0; i < 4; ++i) {
      bool fits = shape[i] == 1 || shape[i] == whole[i] || (i == 3 && shape[i] < whole[i]);
      if (!fits) fail("the mask {} does not fit scores {}", text_of(mask.shape()), text_of(whole));
      if (shape[i] == 1) own[i] = 0;
    }
    batch = own[0], head = own[1], query = own[2], key = own[3];
    keys = shape[3] == 1 ? all_keys : shape[3];
  }
};

template <class T>
void round_to(std::vector<T>& values, DType narrow) {
  DType from = sizeof(T) == 4 ? DType::f32 : DType::f64;
  std::vector<uint8_t> codes(values.size() * size_of(narrow));
  convert_elements(from, values.data(), narrow, codes.data(), values.size());
  convert_elements(narrow, codes.data(), from, values.data(), values.size());
}

template <class T>
void softmax_row(T* row, int64_t count) {
  T most = *std::max_element(row, row + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    row[i] = static_cast<T>(math::exp(static_cast<double>(row[i]) - static_cast<double>(most)));
    sum += row[i];
  }
  for (int64_t i = 0; i < count; ++i) row[i] = static_cast<T>(row[i] / sum);
}

template <class T>
void attend(Call& call, const Tensor& k, const Tensor& v, int64_t past) {
  const auto& op = call.op<Attention>();
  const Tensor& q = call.in(0);
  int64_t batches = q.dim(0), heads = q.dim(1), queries = q.dim(2), size = q.dim(3);
  int64_t kv_heads = k.dim(1), keys = k.dim(2), v_size = v.dim(3), shared = heads / kv_heads;
  constexpr T lowest = std::numeric_limits<T>::lowest();

  Tensor mask;
  MaskSteps steps(Tensor::zeros(DType::boolean, {1, 1, 1, 1}), batches, heads, queries, keys);
  bool added = false;
  if (call.has(3)) {
    mask = call.in(3);
    added = mask.dtype() != DType::boolean;
    if (added) mask = converted(mask, q.dtype());
    steps = MaskSteps(mask, batches, heads, queries, keys);
  }
  std::vector<int64_t> lengths(batches, keys);
  if (call.has(6)) {
    lengths = call.in(6).ints();
    if (static_cast<int64_t>(lengths.size()) != batches)
      fail("{} lengths for {} rows", lengths.size(), batches);
  }

  Tensor y = call.out(0, q.dtype(), {batches, heads, queries, v_size});
  Tensor scores = call.wants(3) ? call.out(3, q.dtype(), {batches, heads, queries, keys}) : Tensor();
  call.pool.for_each(batches * heads, [&](int64_t index) {
    int64_t b = index / heads, h = index % heads, kv = b * kv_heads + h / shared;
    std::vector<T> row(queries * keys);
    auto report = [&](Attention::Stage stage, const Visible* visible) {
      if (op.stage != stage || !call.wants(3)) return;
      T* to = scores.to<T>() + index * queries * keys;
      std::copy(row.begin(), row.end(), to);
      for (int64_t i = 0; visible && i < queries; ++i)
        for (int64_t j = 0; j < keys; ++j)
          if (!(*visible)(i, j)) to[i * keys + j] = -std::numeric_limits<T>::infinity();
    };
    product<T>(call, queries, keys, size, {q.as<T>() + index * queries * size, size, 1},
               {k.as<T>() + kv * keys * size, 1, size}, row.data(), keys);
    for (T& score : row) score = static_cast<T>(score * op.scale);
    report(Attention::Stage::product, nullptr);

    int64_t offset = b * steps.batch + h * steps.head;
    Visible visible{op, queries, keys, past};
    visible.length = lengths[b], visible.mask_keys = steps.keys;
    if (call.has(3) && !added)
      visible.mask = mask.as<uint8_t>() + offset, visible.mask_row = steps.query,
      visible.mask_step = steps.key;
    auto cap = [&] {
      if (op.softcap != 0)
        for (T& score : row) score = static_cast<T>(math::tanh(score / op.softcap) * op.softcap);
    };
    if (op.cap_first) {
      cap();
      report(Attention::Stage::capped, nullptr);
    }
    for (int64_t i = 0; i < queries; ++i)
      for (int64_t j = 0; j < keys; ++j) {
        T& score = row[i * keys + j];
        if (!visible(i, j))
          score = lowest;
        else if (added)
          score += mask.as<T>()[offset + i * steps.query + j * steps.key];
      }
    report(Attention::Stage::masked, &visible);
    if (!op.cap_first) {
      cap();
      report(Attention::Stage::capped, op.softcap == 0 ? &visible : nullptr);
    }
    const bool rounds = is_float(op.softmax) && size_of(op.softmax) < sizeof(T);
    if (rounds) round_to(row, op.softmax);
    for (int64_t i = 0; keys > 0 && i < queries; ++i) softmax_row(row.data() + i * keys, keys);
    if (rounds) round_to(row, op.softmax);
    for (int64_t i = 0; op.unseen == Attention::Unseen::zero && i < queries; ++i)
      if (!visible.any(i)) std::fill_n(row.begin() + i * keys, keys, T(0));
    report(Attention::Stage::probabilities, nullptr);
    product<T>(call, queries, v_size, keys, {row.data(), keys, 1},
               {v.as<T>() + kv * keys * v_size, v_size, 1}, y.to<T>() + index * queries * v_size, v_size);
  });
}

void run_attention(Call& call) {
  Shape q = need_rank_4(call.in(0)), k = need_rank_4(call.in(1)), v = need_rank_4(call.in(2));
  if (q[0] != k[0] || k[0] != v[0] || k[1] != v[1] || k[2] != v[2] || q[3] != k[3] || k[1] == 0 ||
      q[1] % k[1] != 0)
    fail("{}, {} and {} do not go together", text_of(q), text_of(k), text_of(v));
  DType dtype = call.in(0).dtype();
  if (call.in(1).dtype() != dtype || call.in(2).dtype() != dtype) fail("its operands' types differ");
  bool has_past = call.has(4) && call.has(5);
  Tensor all_k = has_past ? joined(call.in(4), call.in(1)) : call.in(1);
  Tensor all_v = has_past ? joined(call.in(5), call.in(2)) : call.in(2);
  if (all_k.dim(2) != all_v.dim(2)) fail("there are {} keys and {} values", all_k.dim(2), all_v.dim(2));
  call.set(1, all_k);
  call.set(2, all_v);
  with_float(dtype, [&]<class T>(T) { attend<T>(call, all_k, all_v, has_past ? call.in(4).dim(2) : 0); });
}

void run_rotary(Call& call) {
  const Tensor &x = call.in(0), &cos = call.in(1), &sin = call.in(2);
  Shape shape = need_rank_4(x);
  int64_t heads = shape[1], steps = shape[2], size = shape[3];
  if (cos.shape() != sin.shape() || cos.rank() < 2 || cos.rank() > 3 || cos.dim(-2) != steps ||
      (cos.rank() == 3 && cos.dim(0) != shape[0] && cos.dim(0) != 1) || cos.dim(-1) > size / 2)
    fail("angles {} and {} do not fit {}", text_of(cos.shape()), text_of(sin.shape()), text_of(shape));
  int64_t half = cos.dim(-1), per_batch = cos.rank() == 3 && cos.dim(0) != 1 ? steps * half : 0;
  bool interleaved = call.op<Rotary>().interleaved;
  Tensor& y = call.out(0, x.dtype(), shape);
  with_float(x.dtype(), [&]<class T>(T) {
    call.pool.for_each(shape[0] * heads, [&](int64_t index) {
      for (int64_t s = 0; s < steps; ++s) {
        const T* from = x.as<T>() + (index * steps + s) * size;
        T* to = y.to<T>() + (index * steps + s) * size;
        int64_t angles = index / heads * per_batch + s * half;
        const T *c = cos.as<T>() + angles, *n = sin.as<T>() + angles;
        for (int64_t i = 0; i < half; ++i) {
          int64_t one = interleaved ? 2 * i : i, other = interleaved ? 2 * i + 1 : i + half;
          T a = from[one], b = from[other];
          to[one] = c[i] * a - n[i] * b;
          to[other] = n[i] * a + c[i] * b;
        }
        std::copy(from + 2 * half, from + size, to + 2 * half);
      }
    });
  });
}

}  // namespace

void add_attention_kernels(Kernels& kernels) {
  kernels.add<Attention>(run_attention);
  kernels.add<Rotary>(run_rotary);
}

}  // namespace remodel
