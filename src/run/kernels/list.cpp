#include "ops/list.h"

#include "run/copy_runs.h"
#include "run/kernel.h"

namespace remodel {
namespace {

const std::vector<Datum>& list_in(const Call& call, size_t i) {
  const Datum& datum = call.datum(i);
  if (datum.kind != Datum::list_kind) fail("operand {} is not a list", i);
  return *datum.items;
}

int64_t index_in(const Call& call, size_t i) {
  std::vector<int64_t> index = call.in(i).ints();
  if (index.size() != 1) fail("operand {} must be one integer", i);
  return index[0];
}

// Counted from the front; `places` is one more than the last place that may be named.
size_t place(int64_t index, size_t size, size_t places) {
  int64_t at = index < 0 ? index + static_cast<int64_t>(size) : index;
  if (at < 0 || at >= static_cast<int64_t>(places)) fail("index {} is outside a list of {}", index, size);
  return static_cast<size_t>(at);
}

void run_new(Call& call) {
  std::vector<Datum> items;
  for (size_t i = 0; i < call.count(); ++i) items.push_back(call.in(i));
  call.set(0, Datum::list(std::move(items)));
}

void run_get(Call& call) {
  const auto& list = list_in(call, 0);
  call.set(0, list[place(index_in(call, 1), list.size(), list.size())]);
}

void run_insert(Call& call) {
  std::vector<Datum> list = list_in(call, 0);
  size_t at = call.has(2) ? place(index_in(call, 2), list.size(), list.size() + 1) : list.size();
  list.insert(list.begin() + at, call.in(1));
  call.set(0, Datum::list(std::move(list)));
}

void run_set(Call& call) {
  std::vector<Datum> list = list_in(call, 0);
  list[place(index_in(call, 2), list.size(), list.size())] = call.in(1);
  call.set(0, Datum::list(std::move(list)));
}

void run_erase(Call& call) {
  std::vector<Datum> list = list_in(call, 0);
  list.erase(list.begin() + place(call.has(1) ? index_in(call, 1) : -1, list.size(), list.size()));
  call.set(0, Datum::list(std::move(list)));
}

void run_size(Call& call) {
  *call.out(0, DType::i64, {}).to<int64_t>() = static_cast<int64_t>(list_in(call, 0).size());
}

int64_t product_of(const Shape& shape, size_t first, size_t last) {
  int64_t result = 1;
  for (size_t i = first; i < last; ++i) result *= shape[i];
  return result;
}

void run_concat(Call& call) {
  const auto& op = call.op<ListConcat>();
  const auto& list = list_in(call, 0);
  if (list.empty()) fail("there is nothing to concatenate: the list is empty");
  std::vector<Tensor> parts;
  for (const Datum& item : list) {
    if (!item.is_tensor()) fail("an element is not a tensor");
    Tensor part = item.tensor;
    if (op.stack) {
      Shape shape = part.shape();
      shape.insert(shape.begin() + resolve_axis(op.axis, shape.size() + 1), 1);
      part = part.reshaped(shape);
    }
    parts.push_back(std::move(part));
  }
  Shape shape = parts[0].shape();
  size_t axis = resolve_axis(op.axis, shape.size());
  shape[axis] = 0;
  for (const Tensor& part : parts) {
    Shape other = part.shape();
    bool same = other.size() == shape.size() && part.dtype() == parts[0].dtype();
    for (size_t i = 0; same && i < shape.size(); ++i) same = i == axis || other[i] == shape[i];
    if (!same) fail("elements {} and {} do not fit together", text_of(parts[0].shape()), text_of(other));
    shape[axis] += other[axis];
  }
  Tensor& result = call.out(0, parts[0].dtype(), shape);
  if (result.count() == 0) return;
  int64_t outer = product_of(shape, 0, axis), inner = product_of(shape, axis + 1, shape.size());
  int64_t start = 0;
  for (const Tensor& part : parts) {
    int64_t length = part.shape()[axis] * inner;
    copy_runs(part, {0, length}, result, {start, shape[axis] * inner}, outer, length);
    start += length;
  }
}

void run_split(Call& call) {
  const auto& op = call.op<ListSplit>();
  const Tensor& x = call.in(0);
  size_t axis = resolve_axis(op.axis, x.rank());
  int64_t size = x.dim(axis), chunk = 0;
  Shape sizes;
  if (call.has(1) && call.in(1).rank() == 1)
    sizes = call.in(1).ints();
  else if (call.has(1))
    chunk = index_in(call, 1);
  else if (!op.sizes.empty())
    sizes = call.sizes(op.sizes);
  else
    chunk = call.size(op.chunk);
  if (sizes.empty() && !(call.has(1) && call.in(1).rank() == 1)) {
    if (chunk < 1) fail("a chunk has {} elements", chunk);
    for (int64_t rest = size; rest > 0; rest -= std::min(rest, chunk)) sizes.push_back(std::min(rest, chunk));
  }
  int64_t total = 0;
  for (int64_t one : sizes) {
    if (one < 0 || one > size - total) fail("parts {} are not {} in sum", text_of(sizes), size);
    total += one;
  }
  if (total != size) fail("parts {} are not {} in sum", text_of(sizes), size);
  int64_t outer = product_of(x.shape(), 0, axis), inner = product_of(x.shape(), axis + 1, x.rank()),
          start = 0;
  std::vector<Datum> parts;
  for (int64_t one : sizes) {
    Shape shape = x.shape();
    shape[axis] = one;
    if (!op.keep && one == 1) shape.erase(shape.begin() + axis);
    Tensor part(x.dtype(), shape);
    if (part.count()) copy_runs(x, {start * inner, size * inner}, part, {0, one * inner}, outer, one * inner);
    start += one;
    parts.push_back(std::move(part));
  }
  call.set(0, Datum::list(std::move(parts)));
}

void run_some(Call& call) { call.set(0, call.datum(0)); }
void run_none(Call& call) { call.set(0, Datum()); }
void run_optional_get(Call& call) {
  if (call.datum(0).kind == Datum::none_kind) fail("the optional has no value");
  call.set(0, call.datum(0));
}
void run_has(Call& call) {
  bool has = call.has(0) && call.datum(0).kind != Datum::none_kind;
  *call.out(0, DType::boolean, {}).to<uint8_t>() = has;
}

}  // namespace

void add_list_kernels(Kernels& kernels) {
  kernels.add<ListNew>(run_new, Halves::keep);
  kernels.add<ListGet>(run_get, Halves::keep);
  kernels.add<ListInsert>(run_insert, Halves::keep);
  kernels.add<ListSet>(run_set, Halves::keep);
  kernels.add<ListErase>(run_erase, Halves::keep);
  kernels.add<ListSize>(run_size, Halves::keep);
  kernels.add<ListConcat>(run_concat, Halves::keep);
  kernels.add<ListSplit>(run_split, Halves::keep);
  kernels.add<OptionalSome>(run_some, Halves::keep);
  kernels.add<OptionalNone>(run_none, Halves::keep);
  kernels.add<OptionalGet>(run_optional_get, Halves::keep);
  kernels.add<OptionalHas>(run_has, Halves::keep);
}

}  // namespace remodel
