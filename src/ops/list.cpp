#include "ops/list.h"

#include "ir/infer.h"

namespace remodel {
namespace {

// Nothing is known of what a foreign node gives.
bool is_unknown(const Type& type) { return type.is_tensor() && type.dtype == DType::unknown && !type.dims; }

const Type& need_list(const Infer& in, size_t i) {
  const Type& type = in.in(i);
  if (type.kind != Type::list && !is_unknown(type))
    fail("operand {} must be a list, but is {}", i, type.text());
  return type;
}

void need_item(const Infer& in, size_t i) {
  if (!in.in(i).is_tensor()) fail("operand {} must be a tensor, but is {}", i, in.in(i).text());
}

void need_index(const Infer& in, size_t i) {
  const Type& type = in.in(i);
  if (!type.is_tensor() || (type.dtype != DType::unknown && !is_integer(type.dtype)))
    fail("operand {} must be an integer, but is {}", i, type.text());
}

// An element type's sizes are what the elements share.
Type element_type(Type type) {
  type.grid = nullptr;
  return type;
}

// The list type `list` with one more element.
Type with_item(const Type& list, const Type& item) {
  if (is_unknown(list)) return Type::list_of(Type(item.dtype));
  return join(list, Type::list_of(element_type(item)), {});
}

Type contained(Infer& in) {
  return element_of(in.in(0), [&](size_t axis) { return in.fresh(0, axis); });
}

}  // namespace

void ListNew::infer(Infer& in) const {
  Type type = Type::empty_list(dtype);
  for (size_t i = 0; i < in.count(); ++i) {
    need_item(in, i);
    type = with_item(type, in.in(i));
  }
  in.out(0, type);
}

void ListGet::infer(Infer& in) const {
  in.need_count(2, 2);
  need_list(in, 0);
  need_index(in, 1);
  in.out(0, is_unknown(in.in(0)) ? Type() : contained(in));
}

void ListInsert::infer(Infer& in) const {
  in.need_count(2, 3);
  need_item(in, 1);
  if (in.has(2)) need_index(in, 2);
  in.out(0, with_item(need_list(in, 0), in.in(1)));
}

void ListSet::infer(Infer& in) const {
  in.need_count(3, 3);
  need_item(in, 1);
  need_index(in, 2);
  in.out(0, with_item(need_list(in, 0), in.in(1)));
}

void ListErase::infer(Infer& in) const {
  in.need_count(1, 2);
  if (in.has(1)) need_index(in, 1);
  in.out(0, need_list(in, 0));
}

void ListSize::infer(Infer& in) const {
  in.need_count(1, 1);
  need_list(in, 0);
  in.out(0, DType::i64, Dims{});
}

void ListConcat::infer(Infer& in) const {
  in.need_count(1, 1);
  const Type& list = need_list(in, 0);
  if (is_unknown(list) || !list.element || !list.element->dims)
    return in.out(0, list.element ? list.element->dtype : list.dtype, std::nullopt);
  Dims dims = *list.element->dims;
  // All elements but along the axis have equal sizes, whatever they are.
  int64_t at = resolve_axis(axis, dims.size() + stack);
  if (stack)
    dims.insert(dims.begin() + at, any_size());
  else
    dims[at] = any_size();
  for (size_t i = 0; i < dims.size(); ++i)
    for (const std::string& symbol : dims[i].symbols())
      if (symbol == any_size().symbol_name()) {
        dims[i] = in.fresh(0, i);
        break;
      }
  in.out(0, list.element->dtype, dims);
}

void ListSplit::infer(Infer& in) const {
  in.need_count(1, 2);
  need_item(in, 0);
  if (in.has(1)) need_index(in, 1);
  if (chunk.is_number() && chunk.number() < 1) fail("a chunk has {} elements", chunk.text());
  Type part = element_type(in.in(0));
  if (part.dims) {
    int64_t at = resolve_axis(axis, part.dims->size());
    Dim& size = (*part.dims)[at];
    if (in.has(1)) {
      size = any_size();
    } else if (!sizes.empty()) {
      Dim total = 0;
      for (const Dim& one : sizes) total = total + one;
      if (total.is_number() && size.is_number() && !(total == size))
        fail("parts of {} indices are cut from {}", total.text(), size.text());
      bool equal = true;
      for (const Dim& one : sizes) equal = equal && one == sizes[0];
      size = equal ? sizes[0] : any_size();
    } else if (chunk.is_number(1) && !keep) {
      part.dims->erase(part.dims->begin() + at);
    } else {
      bool whole = chunk.is_number(1) ||
                   (size.is_number() && chunk.is_number() && size.number() % chunk.number() == 0);
      size = whole ? chunk : any_size();
    }
  }
  in.out(0, Type::list_of(part));
}

void OptionalSome::infer(Infer& in) const {
  in.need_count(1, 1);
  if (in.in(0).kind == Type::optional) fail("the operand is optional already");
  in.out(0, Type::optional_of(element_type(in.in(0))));
}

void OptionalNone::infer(Infer& in) const {
  in.need_count(0, 0);
  in.out(0, Type::optional_of(type));
}

void OptionalGet::infer(Infer& in) const {
  in.need_count(1, 1);
  if (in.in(0).kind != Type::optional) return in.out(0, in.in(0));
  in.out(0, contained(in));
}

void OptionalHas::infer(Infer& in) const {
  in.need_count(0, 1);
  in.out(0, DType::boolean, Dims{});
}

}  // namespace remodel
