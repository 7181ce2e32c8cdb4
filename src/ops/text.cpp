#include "ops/text.h"

#include <re2/re2.h>

#include <algorithm>

#include "ir/infer.h"

namespace remodel {
namespace {

bool is_text(DType dtype) { return dtype == DType::string; }

}  // namespace

void StringConcat::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_dtype(0, is_text, "text");
  in.need_dtype(1, is_text, "text");
  in.broadcast(DType::string);
}

void StringSplit::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_text, "text");
  auto dims = in.in(0).dims;
  in.out(1, DType::i64, dims);
  if (dims) dims->push_back(in.fresh(0, dims->size()));
  in.out(0, DType::string, dims);
}

void RegexMatch::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_text, "text");
  RE2 compiled(pattern, RE2::Quiet);
  if (!compiled.ok()) fail("'{}' is no regular expression: {}", pattern, compiled.error());
  in.out(0, DType::boolean, in.in(0).dims);
}

void StringNormalize::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_text, "text");
  if (!in.dims(0)) return in.out(0, DType::string, std::nullopt);
  Dims dims = *in.dims(0);
  if (dims.size() != 1 && dims.size() != 2)
    fail("operand 0 must have rank 1 or 2, but is {}", in.in(0).text());
  if (dims.size() == 2 && dims[0].is_number() && !dims[0].is_number(1))
    fail("operand 0 must have one row, but is {}", in.in(0).text());
  if (!stop_words.empty()) dims.back() = in.fresh(0, dims.size() - 1);
  in.out(0, DType::string, dims);
}

void TfIdf::infer(Infer& in) const {
  in.need_count(1, 1);
  if (indexes.empty()) fail("there are no n-grams");
  if (integers.empty() == texts.empty()) fail("the pool must be integers or texts");
  if (min_length < 1 || max_length < min_length) fail("n-grams of length {} to {}", min_length, max_length);
  if (max_skip < 0) fail("items stand {} apart", max_skip);
  if (!weights.empty() && weights.size() != indexes.size())
    fail("{} weights for {} n-grams", weights.size(), indexes.size());
  int64_t last = 0;
  for (int64_t index : indexes) {
    if (index < 0 || index > (int64_t{1} << 40)) fail("an n-gram has the index {}", index);
    last = std::max(last, index);
  }
  DType dtype = in.dtype(0);
  if (dtype != DType::unknown &&
      (is_text(dtype) != !texts.empty() || (!is_text(dtype) && !is_integer(dtype))))
    fail("operand 0 is {}, the pool {}", in.in(0).text(), texts.empty() ? "integers" : "texts");
  if (!in.dims(0)) return in.out(0, DType::f32, std::nullopt);
  Dims dims = *in.dims(0);
  if (dims.size() != 1 && dims.size() != 2)
    fail("operand 0 must have rank 1 or 2, but is {}", in.in(0).text());
  dims.back() = last + 1;
  in.out(0, DType::f32, dims);
}

}  // namespace remodel
