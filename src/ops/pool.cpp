#include "ops/pool.h"

namespace remodel {
namespace {

std::optional<Dims> pooled(Infer& in, const Pooling& op) {
  in.need_count(1, 1);
  check_sliding(op, &op.window);
  if (in.dims(0)) return pool_dims(op, *in.dims(0));
  return in.fresh_dims(0, op.window.size() + 2);
}

bool real(DType dtype) { return is_float(dtype) || is_integer(dtype); }

void infer_rois(Infer& in, int64_t columns, int64_t height, int64_t width) {
  in.need_rank(0, 4);
  in.need_rank(1, 2);
  in.need_dtype(0, is_float, "of floats");
  in.need_same_dtype(0, 1);
  if (height < 1 || width < 1) fail("a result of {} x {} bins", height, width);
  if (in.dims(1)) need_equal((*in.dims(1))[1], Dim(columns), "the numbers of a roi");
  Dims dims = in.fresh_dims(0, 4);
  if (in.dims(1)) dims[0] = (*in.dims(1))[0];
  if (in.dims(0)) dims[1] = (*in.dims(0))[1];
  dims[2] = height;
  dims[3] = width;
  in.out(0, in.dtype(0), dims);
}

}  // namespace

void MaxPool::infer(Infer& in) const {
  auto dims = pooled(in, *this);
  in.need_dtype(0, real, "of numbers");
  in.out(0, in.dtype(0), dims);
}

void MaxPoolIndex::infer(Infer& in) const {
  auto dims = pooled(in, *this);
  in.need_dtype(0, real, "of numbers");
  in.out(0, in.dtype(0), dims);
  in.out(1, DType::i64, dims);
}

void AvgPool::infer(Infer& in) const {
  auto dims = pooled(in, *this);
  in.need_dtype(0, is_float, "of floats");
  in.out(0, in.dtype(0), dims);
}

void LpPool::infer(Infer& in) const {
  auto dims = pooled(in, *this);
  in.need_dtype(0, is_float, "of floats");
  in.out(0, in.dtype(0), dims);
}

void MaxUnpool::infer(Infer& in) const {
  in.need_count(2, 3);
  in.need_dtype(1, is_integer, "of integers");
  if (in.dims(0) && in.dims(1) && in.rank(0) != in.rank(1))
    fail("input {} and indices {} must have one shape", in.in(0).text(), in.in(1).text());
  auto dims = in.sizes_or(2, shape);
  if (dims && in.rank(0) >= 0) in.need_rank(0, static_cast<int64_t>(dims->size()));
  if (!dims && in.rank(0) >= 0) dims = in.fresh_dims(0, in.rank(0));
  in.out(0, in.dtype(0), dims);
}

void RoiAlign::infer(Infer& in) const {
  in.need_count(3, 3);
  in.need_rank(2, 1);
  in.need_dtype(2, is_integer, "of integers");
  if (samples < 0) fail("{} samples", samples);
  if (in.dims(1) && in.dims(2))
    need_equal((*in.dims(1))[0], (*in.dims(2))[0], "the numbers of rois and of batch indices");
  infer_rois(in, 4, height, width);
}

void RoiPool::infer(Infer& in) const {
  in.need_count(2, 2);
  infer_rois(in, 5, height, width);
}

}  // namespace remodel
