#include "ops/shape.h"

#include "ir/infer.h"

namespace remodel {

void Reshape::infer(Infer& in) const {
  auto sizes = in.sizes_or(1, shape);
  if (!sizes) {
    const Dims* length = in.dims(1);
    bool known = length && length->size() == 1 && (*length)[0].is_number();
    in.out(0, in.dtype(0), known ? std::optional(in.fresh_dims(0, (*length)[0].number())) : std::nullopt);
    return;
  }
  in.out(0, in.dtype(0), *sizes);
}

void ShapeOf::infer(Infer& in) const {
  if (!in.dims(0)) return in.out(0, DType::i64, Dims{in.fresh(0, 0)});
  in.out(0, DType::i64, Dims{static_cast<int64_t>(in.dims(0)->size())});
  Content content;
  for (const Dim& dim : *in.dims(0)) content.push_back({dim});
  in.content_out(content);
}

}  // namespace remodel
