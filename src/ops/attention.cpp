#include "ops/attention.h"

#include "ir/infer.h"

namespace remodel {

void Attention::infer(Infer& in) const {
  in.need_count(3, 7);
  for (size_t i = 0; i < 3; ++i) {
    in.need_rank(i, 4);
    in.need_dtype(i, is_float, "floating point");
  }
  in.need_same_dtype(0, 1);
  if (in.has(4) != in.has(5)) fail("the past needs both keys and values");
  if (in.has(3) && in.dtype(3) != DType::boolean) in.need_dtype(3, is_float, "booleans or floating point");
  if (in.has(6)) in.need_dtype(6, is_integer, "integers");
  if (!in.dims(0) || !in.dims(1) || !in.dims(2)) {
    in.out(0, in.dtype(0), in.fresh_dims(0, 4));
    in.out(1, in.dtype(1), in.fresh_dims(1, 4));
    in.out(2, in.dtype(2), in.fresh_dims(2, 4));
    in.out(3, in.dtype(0), in.fresh_dims(3, 4));
    return;
  }
  Dims q = *in.dims(0), k = *in.dims(1), v = *in.dims(2);
  auto same = [&](const Dim& a, const Dim& b, const char* what) {
    if (a.is_number() && b.is_number() && a != b) fail("{} differ: {} and {}", what, a.text(), b.text());
  };
  same(q[0], k[0], "the batches");
  same(k[0], v[0], "the batches");
  same(q[3], k[3], "the sizes of queries and keys");
  same(k[1], v[1], "the heads of keys and values");
  same(k[2], v[2], "the numbers of keys and values");
  if (q[1].is_number() && k[1].is_number() && (k[1].number() == 0 || q[1].number() % k[1].number() != 0))
    fail("{} heads of queries do not go with {} of keys", q[1].text(), k[1].text());
  if (in.has(4)) {
    for (size_t i = 4; i < 6; ++i) {
      in.need_rank(i, 4);
      in.need_same_dtype(i, i - 3);
    }
    if (in.dims(4) && in.dims(5)) {
      same((*in.dims(4))[2], (*in.dims(5))[2], "the numbers of past keys and values");
      k[2] = (*in.dims(4))[2] + k[2];
    } else {
      k[2] = in.fresh(1, 2);
    }
  }
  v[2] = k[2];
  in.out(0, in.dtype(0), Dims{q[0], q[1], q[2], v[3]});
  in.out(1, in.dtype(1), k);
  in.out(2, in.dtype(2), v);
  in.out(3, in.dtype(0), Dims{q[0], q[1], q[2], k[2]});
}

void Rotary::infer(Infer& in) const {
  in.need_count(3, 3);
  in.need_dtype(0, is_float, "floating point");
  in.need_rank(0, 4);
  for (size_t i = 1; i < 3; ++i) {
    in.need_same_dtype(0, i);
    if (in.dims(i) && in.rank(i) != 2 && in.rank(i) != 3) fail("operand {} is {}", i, in.in(i).text());
  }
  if (in.dims(0) && in.dims(1)) {
    const Dim &size = (*in.dims(0))[3], &half = in.dims(1)->back();
    if (size.is_number() && half.is_number() && half.number() > size.number() / 2)
      fail("angles {} do not fit {}", in.in(1).text(), in.in(0).text());
  }
  in.same_as(0);
}

}  // namespace remodel
