#include "ops/gather.h"

#include <algorithm>

#include "run/elementwise.h"
#include "run/strided.h"

namespace remodel {
namespace {

int64_t product_of(const Shape& shape, size_t first, size_t last) {
  int64_t product = 1;
  for (size_t i = first; i < last; ++i) product *= shape[i];
  return product;
}

// The index counted from the front.
int64_t wrapped(int64_t index, int64_t size) {
  if (index < -size || index >= size) fail("index {} is outside an axis of {}", index, size);
  return index < 0 ? index + size : index;
}

// y[row] = x[places[row]], in runs of elements; -1 leaves zero.
void copy_rows(const Tensor& x, const std::vector<int64_t>& places, int64_t run, Tensor& y, Pool& pool) {
  if (y.count() == 0) return;
  with_element(x.dtype(), [&]<class T>(T) {
    const T* from = elements<T>(x);
    T* to = elements<T>(y);
    for_parts(pool, places.size(), (int64_t{1} << 16) / run + 1, [&](int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) {
        if (places[row] < 0)
          std::fill_n(to + row * run, run, T());
        else if (run == 1)
          to[row] = from[places[row]];
        else
          std::copy_n(from + places[row] * run, run, to + row * run);
      }
    });
  });
}

void run_gather(Call& call) {
  const Tensor &x = call.in(0), &indices = call.in(1);
  const auto& op = call.op<Gather>();
  size_t axis = resolve_axis(op.axis, x.rank()), shared = op.batch;
  if (shared > axis || shared > indices.rank() ||
      !std::equal(x.shape().begin(), x.shape().begin() + shared, indices.shape().begin()))
    fail("{} and indices {} do not share {} axes", text_of(x.shape()), text_of(indices.shape()), shared);
  Shape shape(x.shape().begin(), x.shape().begin() + axis);
  shape.insert(shape.end(), indices.shape().begin() + shared, indices.shape().end());
  shape.insert(shape.end(), x.shape().begin() + axis + 1, x.shape().end());
  int64_t batch = product_of(x.shape(), 0, shared), outer = product_of(x.shape(), shared, axis),
          size = x.dim(axis);
  int64_t picked = product_of(indices.shape(), shared, indices.rank()),
          run = product_of(x.shape(), axis + 1, x.rank());
  Tensor& y = call.out(0, x.dtype(), shape);
  std::vector<int64_t> index = indices.ints();
  for (int64_t& i : index) {
    int64_t place = i < 0 && op.wrap && i >= -size ? i + size : i;
    if (place < 0 || place >= size) {
      if (op.outside == Outside::error)
        fail("index {} is outside axis {} of {}", i, axis, text_of(x.shape()));
      place = op.outside == Outside::zero || size == 0 ? -1 : place < 0 ? 0 : size - 1;
    }
    i = place;
  }
  if (y.count() == 0) return;
  std::vector<int64_t> places;
  places.reserve(batch * outer * picked);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < picked; ++i) {
        int64_t place = index[b * picked + i];
        places.push_back(place < 0 ? -1 : (b * outer + o) * size + place);
      }
  copy_rows(x, places, run, y, call.pool);
}

// Calls use(number of the index, place in x) for every index of gather_elements or scatter_elements.
template <class F>
void for_elements(const Tensor& x, const Tensor& indices, int64_t axis, F use) {
  if (x.rank() != indices.rank())
    fail("{} and indices {} differ in rank", text_of(x.shape()), text_of(indices.shape()));
  for (size_t k = 0; k < x.rank(); ++k)
    if (static_cast<int64_t>(k) != axis && indices.dim(k) > x.dim(k))
      fail("indices {} reach beyond {}", text_of(indices.shape()), text_of(x.shape()));
  std::vector<int64_t> index = indices.ints();
  Shape strides = strides_of(x.shape()), at(x.rank(), 0);
  int64_t step = strides[axis], size = x.dim(axis), base = 0;
  strides[axis] = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(index.size()); ++i) {
    use(i, base + wrapped(index[i], size) * step);
    for (size_t k = x.rank(); k-- > 0;) {
      base += strides[k];
      if (++at[k] < indices.dim(k)) break;
      base -= strides[k] * at[k];
      at[k] = 0;
    }
  }
}

void run_gather_elements(Call& call) {
  const Tensor &x = call.in(0), &indices = call.in(1);
  int64_t axis = resolve_axis(call.op<GatherElements>().axis, x.rank());
  std::vector<int64_t> places(indices.count());
  for_elements(x, indices, axis, [&](int64_t i, int64_t place) { places[i] = place; });
  copy_rows(x, places, 1, call.out(0, x.dtype(), indices.shape()), call.pool);
}

// Numbers of the slices of x, after `batch` axes, at the places in the last axis of the indices.
struct Places {
  std::vector<int64_t> rows;
  int64_t run = 1;  // elements of a slice
  Shape shape;      // of all slices together
};
Places places_of(const Tensor& x, const Tensor& indices, size_t batch) {
  if (indices.rank() == 0) fail("the indices are a scalar");
  size_t depth = indices.dim(-1);
  if (batch >= indices.rank() || batch > x.rank() || depth > x.rank() - batch ||
      !std::equal(x.shape().begin(), x.shape().begin() + batch, indices.shape().begin()))
    fail("indices {} hold no places in {} after {} axes", text_of(indices.shape()), text_of(x.shape()),
         batch);
  Places result;
  result.shape.assign(indices.shape().begin(), indices.shape().end() - 1);
  result.shape.insert(result.shape.end(), x.shape().begin() + batch + depth, x.shape().end());
  result.run = product_of(x.shape(), batch + depth, x.rank());
  int64_t each = product_of(indices.shape(), batch, indices.rank() - 1), count = count_of(result.shape);
  if (count == 0) return result;
  int64_t shared = product_of(x.shape(), 0, batch);
  std::vector<int64_t> index = indices.ints();
  for (int64_t row = 0; row < shared * each; ++row) {
    int64_t place = row / each;
    for (size_t k = 0; k < depth; ++k) {
      int64_t size = x.dim(batch + k);
      place = place * size + wrapped(index[row * depth + k], size);
    }
    result.rows.push_back(place);
  }
  return result;
}

void run_gather_nd(Call& call) {
  const Tensor& x = call.in(0);
  Places places = places_of(x, call.in(1), call.op<GatherND>().batch);
  copy_rows(x, places.rows, places.run, call.out(0, x.dtype(), places.shape), call.pool);
}

template <class T>
T updated(T old, T with, Update update) {
  using U = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  switch (update) {
    case Update::set:
      return with;
    case Update::add:
      return static_cast<T>(static_cast<U>(old) + static_cast<U>(with));
    case Update::mul:
      return static_cast<T>(static_cast<U>(old) * static_cast<U>(with));
    case Update::max:
      return with > old || with != with ? with : old;
    case Update::min:
      return with < old || with != with ? with : old;
  }
  return old;
}

Tensor as_type(const Tensor& tensor, DType dtype) {
  Tensor result(dtype, tensor.shape());
  convert_elements(tensor.dtype(), tensor.raw(), dtype, result.raw(), tensor.count());
  return result;
}

// x with the slices of `run` elements that each_place() names updated by the slices of `updates` in turn.
template <class ForPlaces>
void scatter(Call& call, Update update, int64_t run, ForPlaces each_place) {
  const Tensor &x = call.in(0), &updates = call.in(2);
  if (update == Update::set) {
    Tensor& y = call.out(0, x.dtype(), x.shape());
    copy_run(x, 0, y, 0, x.count());
    with_element(x.dtype(), [&]<class T>(T) {
      const T* from = elements<T>(updates);
      T* to = elements<T>(y);
      each_place([&](int64_t i, int64_t place) { std::copy_n(from + i * run, run, to + place * run); });
    });
    return;
  }
  // Small floats are summed up in f32 and rounded once.
  bool small = is_small_float(x.dtype());
  DType dtype = small ? DType::f32 : x.dtype();
  Tensor sum = as_type(x, dtype), terms = small ? as_type(updates, dtype) : updates;
  with_number(dtype, [&]<class T>(T) {
    const T* from = terms.as<T>();
    T* to = sum.to<T>();
    each_place([&](int64_t i, int64_t place) {
      for (int64_t k = 0; k < run; ++k)
        to[place * run + k] = updated(to[place * run + k], from[i * run + k], update);
    });
  });
  call.set(0, small ? as_type(sum, x.dtype()) : sum);
}

void run_scatter_elements(Call& call) {
  const Tensor &x = call.in(0), &indices = call.in(1), &updates = call.in(2);
  const auto& op = call.op<ScatterElements>();
  int64_t axis = resolve_axis(op.axis, x.rank());
  if (indices.shape() != updates.shape() || updates.dtype() != x.dtype())
    fail("updates {} for indices {}", text_of(updates.shape()), text_of(indices.shape()));
  scatter(call, op.update, 1, [&](auto use) { for_elements(x, indices, axis, use); });
}

void run_scatter_nd(Call& call) {
  const Tensor &x = call.in(0), &updates = call.in(2);
  Places places = places_of(x, call.in(1), 0);
  if (updates.shape() != places.shape || updates.dtype() != x.dtype())
    fail("updates {} where {} are needed", text_of(updates.shape()), text_of(places.shape));
  scatter(call, call.op<ScatterND>().update, places.run, [&](auto use) {
    for (size_t i = 0; i < places.rows.size(); ++i) use(i, places.rows[i]);
  });
}

void run_update_cache(Call& call) {
  const Tensor &x = call.in(0), &updates = call.in(1);
  const auto& op = call.op<UpdateCache>();
  bool circular = op.mode == CacheMode::circular;
  int64_t axis = resolve_axis(op.axis, x.rank());
  Shape shape = updates.shape();
  if (axis == 0 || shape.size() != x.rank() || updates.dtype() != x.dtype())
    fail("updates {}", text_of(shape));
  int64_t steps = shape[axis], size = x.dim(axis);
  shape[axis] = size;
  if (shape != x.shape()) fail("updates {} for {}", text_of(updates.shape()), text_of(x.shape()));
  std::vector<int64_t> starts(x.dim(0), 0);
  if (call.has(2)) starts = call.in(2).ints();
  if (starts.size() != static_cast<size_t>(x.dim(0)))
    fail("{} starts for a batch of {}", starts.size(), x.dim(0));
  Tensor& y = call.out(0, x.dtype(), x.shape());
  copy_run(x, 0, y, 0, x.count());
  if (x.count() == 0 || steps == 0) return;
  shape[0] = 1;
  for (size_t b = 0; b < starts.size(); ++b) {
    if (starts[b] < 0 || (!circular && (steps > size || starts[b] > size - steps)))
      fail("{} updates from {} on do not fit in {}", steps, starts[b], size);
    for (int64_t t = 0, place = starts[b] % std::max<int64_t>(size, 1); t < steps; place = 0) {
      Box source = box_of(updates), target = box_of(y);
      shape[axis] = std::min(steps - t, size - place);
      source.offset = b * source.strides[0] + t * source.strides[axis];
      target.offset = b * target.strides[0] + place * target.strides[axis];
      copy_box(shape, updates, source, y, target, call.pool);
      t += shape[axis];
    }
  }
}

void run_nonzero(Call& call) {
  const Tensor& x = call.in(0);
  std::vector<int64_t> found;
  if (x.dtype() == DType::string) {
    for (int64_t i = 0; i < x.count(); ++i)
      if (!x.strings()[i].empty()) found.push_back(i);
  } else {
    with_number(x.dtype(), [&]<class T>(T) {
      for (int64_t i = 0; i < x.count(); ++i)
        if (x.as<T>()[i] != T(0)) found.push_back(i);
    });
  }
  int64_t count = static_cast<int64_t>(found.size());
  Tensor& y = call.out(0, DType::i64, {static_cast<int64_t>(x.rank()), count});
  Shape strides = strides_of(x.shape());
  for (size_t axis = 0; axis < x.rank(); ++axis)
    for (int64_t i = 0; i < count; ++i)
      y.to<int64_t>()[axis * count + i] = found[i] / strides[axis] % x.dim(axis);
}

void run_compress(Call& call) {
  const Tensor &x = call.in(0), &condition = call.in(1);
  const auto& op = call.op<Compress>();
  int64_t axis = op.flat ? 0 : resolve_axis(op.axis, x.rank());
  Shape shape = op.flat ? Shape{x.count()} : x.shape();
  if (condition.dtype() != DType::boolean) fail("the condition is {}", name_of(condition.dtype()));
  int64_t size = shape[axis], outer = product_of(shape, 0, axis),
          run = product_of(shape, axis + 1, shape.size());
  std::vector<int64_t> chosen, places;
  for (int64_t i = 0; i < std::min(condition.count(), size); ++i)
    if (condition.as<uint8_t>()[i]) chosen.push_back(i);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i : chosen) places.push_back(o * size + i);
  shape[axis] = chosen.size();
  copy_rows(x, places, run, call.out(0, x.dtype(), shape), call.pool);
}

}  // namespace

void add_gather_kernels(Kernels& kernels) {
  kernels.add<Gather>(run_gather, Halves::keep);
  kernels.add<GatherElements>(run_gather_elements, Halves::keep);
  kernels.add<GatherND>(run_gather_nd, Halves::keep);
  kernels.add<ScatterElements>(run_scatter_elements, Halves::keep);
  kernels.add<ScatterND>(run_scatter_nd, Halves::keep);
  kernels.add<UpdateCache>(run_update_cache, Halves::keep);
  kernels.add<NonZero>(run_nonzero);
  kernels.add<Compress>(run_compress, Halves::keep);
}

}  // namespace remodel
