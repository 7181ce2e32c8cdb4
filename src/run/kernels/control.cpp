#include "ops/control.h"

#include <algorithm>

#include "run/copy_runs.h"
#include "run/kernel.h"

namespace remodel {
namespace {

bool truth(const Tensor& tensor, const char* what) {
  if (tensor.dtype() != DType::boolean || tensor.count() != 1)
    fail("{} must be one bool, but is {}{}", what, name_of(tensor.dtype()), text_of(tensor.shape()));
  return *tensor.as<uint8_t>() != 0;
}

// A tensor seen as [outer, size of the axis, inner].
struct AxisView {
  AxisView(const Shape& shape, int64_t axis) : size(shape[axis]) {
    for (int64_t i = 0; i < axis; ++i) outer *= shape[i];
    for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
  int64_t outer = 1, size, inner = 1;
};

Tensor slice_of(const Tensor& x, int64_t axis, int64_t index) {
  Shape shape = x.shape();
  shape.erase(shape.begin() + axis);
  Tensor result(x.dtype(), shape);
  AxisView view(x.shape(), axis);
  copy_runs(x, {index * view.inner, view.size * view.inner}, result, {0, view.inner}, view.outer, view.inner);
  return result;
}

Tensor stack(const std::vector<Tensor>& steps, int64_t axis, bool reversed) {
  Shape shape = steps[0].shape();
  axis = resolve_axis(axis, shape.size() + 1);
  shape.insert(shape.begin() + axis, static_cast<int64_t>(steps.size()));
  Tensor result(steps[0].dtype(), shape);
  AxisView view(shape, axis);
  for (size_t t = 0; t < steps.size(); ++t) {
    if (steps[t].shape() != steps[0].shape() || steps[t].dtype() != steps[0].dtype())
      fail("stacked elements are {}{} and {}{}", name_of(steps[0].dtype()), text_of(steps[0].shape()),
           name_of(steps[t].dtype()), text_of(steps[t].shape()));
    int64_t index = static_cast<int64_t>(reversed ? steps.size() - 1 - t : t);
    copy_runs(steps[t], {0, view.inner}, result, {index * view.inner, view.size * view.inner}, view.outer,
              view.inner);
  }
  return result;
}

// What no step has been stacked into: sizes that only a step would find out are 0.
Tensor stack_of_none(const Call& call, const Type& element, int64_t axis) {
  if (element.dtype == DType::unknown || !element.dims) fail("a result without steps has an unknown type");
  Shape shape;
  for (const Dim& dim : *element.dims)
    shape.push_back(std::max<int64_t>(call.known_size(dim).value_or(0), 0));
  shape.insert(shape.begin() + resolve_axis(axis, shape.size() + 1), 0);
  return Tensor(element.dtype, shape);
}

// `next` where the step is within a row's length, `past` (none: zeros) where it is not.
Tensor up_to_lengths(const Tensor& next, const Tensor* past, int64_t axis,
                     const std::vector<int64_t>& lengths, int64_t step) {
  axis = resolve_axis(axis, next.rank());
  if (past && (past->shape() != next.shape() || past->dtype() != next.dtype()))
    fail("a carried value with rows changes from {} to {}", text_of(past->shape()), text_of(next.shape()));
  AxisView view(next.shape(), axis);
  if (view.size != static_cast<int64_t>(lengths.size()))
    fail("{} lengths for {} rows", lengths.size(), view.size);
  if (std::ranges::all_of(lengths, [&](int64_t length) { return step < length; })) return next;
  Tensor result = Tensor::zeros(next.dtype(), next.shape());
  for (int64_t row = 0; row < view.size; ++row) {
    const Tensor* from = step < lengths[row] ? &next : past;
    RunPlaces places{row * view.inner, view.size * view.inner};
    if (from) copy_runs(*from, places, result, places, view.outer, view.inner);
  }
  return result;
}

void run_if(Call& call) {
  const auto& op = call.op<If>();
  std::vector<Datum> captured;
  for (size_t i = 1; i < call.count(); ++i) captured.push_back(call.datum(i));
  const Graph& body = truth(call.in(0), "the condition") ? *op.then_body : *op.else_body;
  std::vector<Datum> results = call.run(body, std::move(captured));
  for (size_t k = 0; k < call.outputs(); ++k) call.set(k, std::move(results[k]));
}

void run_loop(Call& call) {
  const auto& op = call.op<Loop>();
  const Graph& body = *op.body;
  int64_t limit = INT64_MAX;
  if (call.has(0)) {
    std::vector<int64_t> count = call.in(0).ints();
    if (count.size() != 1) fail("the count must be one integer");
    limit = count[0];
  } else if (!op.count.is_number(-1)) {
    limit = call.size(op.count);
  }
  bool go_on = !call.has(1) || truth(call.in(1), "the condition");

  size_t steps = op.step_axes.size(), stacked = op.stack_axes.size();
  std::vector<int64_t> axes(steps);
  int64_t length = -1;
  for (size_t j = 0; j < steps; ++j) {
    const Tensor& x = call.in(op.first_step() + j);
    axes[j] = resolve_axis(op.step_axes[j], x.rank());
    if (length >= 0 && x.dim(axes[j]) != length)
      fail("step inputs have {} and {} steps", length, x.dim(axes[j]));
    length = x.dim(axes[j]);
  }
  if (length >= 0) limit = std::min(limit, length);
  if (limit == INT64_MAX && go_on && !op.gives_condition) fail("the loop never ends");

  std::vector<Datum> carried;
  for (int64_t j = 0; j < op.carried; ++j) carried.push_back(call.datum(Loop::first_carried + j));
  std::vector<std::vector<Tensor>> elements(stacked);
  std::vector<int64_t> lengths;
  if (call.has(Loop::lengths)) lengths = call.in(Loop::lengths).ints();
  auto keeps_rows = [&](size_t j) { return j < op.carried_rows.size() && op.carried_rows[j] >= 0; };
  for (int64_t step = 0; step < limit && go_on; ++step) {
    std::vector<Datum> arguments;
    if (op.takes_step) arguments.push_back(Tensor::of<int64_t>(DType::i64, {}, {step}));
    for (size_t j = 0; j < carried.size(); ++j)
      arguments.push_back(keeps_rows(j) ? carried[j] : std::move(carried[j]));
    for (size_t j = 0; j < steps; ++j)
      arguments.push_back(
          slice_of(call.in(op.first_step() + j), axes[j], op.step_reversed[j] ? length - 1 - step : step));
    for (size_t i = op.first_invariant(); i < call.count(); ++i) arguments.push_back(call.datum(i));
    std::vector<Datum> results = call.run(body, std::move(arguments));
    if (op.gives_condition) {
      if (!results[0].is_tensor()) fail("the body's condition is not a tensor");
      go_on = truth(results[0].tensor, "the body's condition");
    }
    for (size_t j = 0; j < carried.size(); ++j) {
      Datum& next = results[op.body_next() + j];
      if (keeps_rows(j))
        next = up_to_lengths(next.tensor, &carried[j].tensor, op.carried_rows[j], lengths, step);
      carried[j] = std::move(next);
    }
    for (size_t j = 0; j < stacked; ++j) {
      Datum& element = results[op.body_stacked() + j];
      if (!element.is_tensor()) fail("result {} is stacked, but is no tensor", op.first_stacked() + j);
      if (j < op.stack_rows.size() && op.stack_rows[j] >= 0)
        element = up_to_lengths(element.tensor, nullptr, op.stack_rows[j], lengths, step);
      if (call.wants(op.first_stacked() + j)) elements[j].push_back(std::move(element.tensor));
    }
  }
  for (int64_t j = 0; j < op.carried; ++j) call.set(j, std::move(carried[j]));
  for (size_t j = 0; j < stacked; ++j) {
    size_t k = op.first_stacked() + j;
    if (!call.wants(k)) continue;
    if (elements[j].empty())
      call.set(k, stack_of_none(call, body.value(body.outputs[op.body_stacked() + j].value).type,
                                op.stack_axes[j]));
    else
      call.set(k, stack(elements[j], op.stack_axes[j], op.stack_reversed[j] != 0));
  }
}

}  // namespace

void add_control_kernels(Kernels& kernels) {
  kernels.add<If>(run_if, Halves::keep);
  kernels.add<Loop>(run_loop, Halves::keep);
}

}  // namespace remodel
