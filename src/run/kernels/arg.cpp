#include "ops/reduce.h"
#include "run/elementwise.h"
#include "run/lines.h"

namespace remodel {
namespace {

template <bool most>
void run_arg(Call& call, const ArgExtreme& op) {
  const Tensor& x = call.in(0);
  Lines lines(x.shape(), op.axis);
  if (lines.size == 0) fail("axis {} has no elements", op.axis);
  Shape shape = x.shape();
  int64_t at = resolve_axis(op.axis, x.rank());
  if (op.keep)
    shape[at] = 1;
  else
    shape.erase(shape.begin() + at);
  Tensor& y = call.out(0, DType::i64, shape);
  if (is_packed(x.dtype())) fail("it does not compute on {}", name_of(x.dtype()));
  with_number(x.dtype(), [&]<class T>(T) {
    lines.for_each(call.pool, [&](int64_t number, int64_t start) {
      const T* from = x.as<T>() + start;
      int64_t best = 0;
      for (int64_t i = 1; i < lines.size; ++i) {
        T value = from[i * lines.step], champion = from[best * lines.step];
        bool value_nan = value != value, champion_nan = champion != champion;
        bool better = champion_nan ? false : value_nan || (most ? value > champion : value < champion);
        bool equal = value == champion || (value_nan && champion_nan);
        if (better || (op.last && equal)) best = i;
      }
      y.to<int64_t>()[number] = best;
    });
  });
}

void run_cumulate(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Cumulate>();
  int64_t axis = op.axis;
  if (call.has(1)) {
    if (call.in(1).count() != 1) fail("the axis must have one element");
    axis = call.in(1).ints()[0];
  }
  Lines lines(x.shape(), axis);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  bool product = op.kind == Cumulate::Kind::product;
  if (is_packed(x.dtype()) || x.dtype() == DType::boolean)
    fail("it does not compute on {}", name_of(x.dtype()));
  with_number(x.dtype(), [&]<class T>(T) {
    lines.for_each(call.pool, [&](int64_t, int64_t start) {
      using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;  // wraps
      Total total = product ? 1 : 0;
      for (int64_t k = 0; k < lines.size; ++k) {
        int64_t i = start + (op.reverse ? lines.size - 1 - k : k) * lines.step;
        auto value = static_cast<Total>(x.as<T>()[i]);
        if (op.exclusive) y.to<T>()[i] = static_cast<T>(total);
        total = product ? total * value : total + value;
        if (!op.exclusive) y.to<T>()[i] = static_cast<T>(total);
      }
    });
  });
}

}  // namespace

void add_arg_kernels(Kernels& kernels) {
  kernels.add<ArgMax>([](Call& call) { run_arg<true>(call, call.op<ArgMax>()); });
  kernels.add<ArgMin>([](Call& call) { run_arg<false>(call, call.op<ArgMin>()); });
  kernels.add<Cumulate>(run_cumulate);
}

}  // namespace remodel
