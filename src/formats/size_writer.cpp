#include "formats/size_writer.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace remodel {
namespace {

// Parts of one list are joined by one more node; between plans of equal cost the fewer parts are better.
constexpr int node = 100, part_more = 1;

bool has_symbols(const Dims& dims) {
  return std::any_of(dims.begin(), dims.end(), [](const Dim& dim) { return !dim.is_number(); });
}

bool all_numbers(const Dims& dims) { return !has_symbols(dims); }

std::string key(const Dims& dims) { return dims.size() == 1 ? dims[0].text() : text_of(dims); }

std::string shape_key(int value) { return fmt::format("shape {}", value); }

Dims slice(const Dims& dims, size_t first, size_t count) {
  auto begin = dims.begin() + static_cast<std::ptrdiff_t>(first);
  return Dims(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

void SizeWriter::note(const Type& type, Tensor value) {
  if (!type.is_tensor() || !type.dims || !operators_.can_be_asked(type.dtype) || !has_symbols(*type.dims))
    return;
  if (by_shape_.emplace(text_of(*type.dims), shaped_.size()).second) shaped_.push_back({*type.dims, value});
}

void SizeWriter::know(const Dims& sizes, Tensor tensor) { keep(key(sizes), tensor); }

const SizeWriter::Tensor* SizeWriter::made(const std::string& text) const {
  for (const SizeWriter* scope = this; scope; scope = scope->outer_)
    if (auto place = scope->made_.find(text); place != scope->made_.end()) return &place->second;
  return nullptr;
}

// The first value that has these sizes side by side, the whole of whose shape they are if there is such.
SizeWriter::Part SizeWriter::find(const Dims& dims, size_t first, size_t count) const {
  Part part{count, nullptr, 0};
  for (const SizeWriter* scope = this; scope; scope = scope->outer_) {
    if (count == dims.size())
      if (auto place = scope->by_shape_.find(text_of(dims)); place != scope->by_shape_.end())
        return {count, &scope->shaped_[place->second], 0};
    for (const Shaped& shaped : scope->shaped_)
      for (size_t axis = 0; axis + count <= shaped.dims.size() && !part.from; ++axis)
        if (std::equal(dims.begin() + static_cast<std::ptrdiff_t>(first),
                       dims.begin() + static_cast<std::ptrdiff_t>(first + count),
                       shaped.dims.begin() + static_cast<std::ptrdiff_t>(axis)))
          part.from = &shaped, part.axis = axis;
  }
  return part;
}

int SizeWriter::cost_of(const Dims& dims, size_t first, const Part& part) const {
  const Dims sizes = slice(dims, first, part.count);
  if (all_numbers(sizes) || made(key(sizes))) return 0;
  if (!part.from) {
    // Computed from what is computed or asked for itself.
    int nodes = 0;
    const Dim& size = sizes[0];
    for (const Dim::Term& term : size.terms())
      nodes += static_cast<int>(term.atoms.size()) + (term.factor != 1 ? 1 : 0);
    return node * (nodes + (size.rest() != 0 ? 1 : 0));
  }
  if (operators_.has_parts()) return node;
  bool whole = part.count == part.from->dims.size();
  return node * ((made(shape_key(part.from->value)) ? 0 : 1) + (whole ? 0 : 1));
}

SizeWriter::Plan SizeWriter::plan(const Dims& dims) const {
  std::vector<Plan> best(dims.size() + 1);
  for (size_t end = 1; end <= dims.size(); ++end) {
    bool first_plan = true;
    for (size_t first = 0; first < end; ++first) {
      const Dims sizes = slice(dims, first, end - first);
      Part part{end - first, nullptr, 0};
      if (has_symbols(sizes) && !made(key(sizes))) {
        part = find(dims, first, end - first);
        if (!part.from && part.count > 1) continue;
      }
      int cost = best[first].cost + cost_of(dims, first, part) + part_more;
      if (!first_plan && cost >= best[end].cost) continue;
      first_plan = false;
      best[end] = best[first];
      best[end].parts.push_back(part);
      best[end].cost = cost;
    }
  }
  Plan chosen = std::move(best.back());
  if (chosen.parts.size() > 1) chosen.cost += node;
  return chosen;
}

int SizeWriter::cost(const Dims& dims) const {
  return all_numbers(dims) || made(key(dims)) ? 0 : plan(dims).cost / node;
}

SizeWriter::Tensor SizeWriter::list(const Dims& dims) {
  if (auto known = numbers(dims)) return operators_.constant(*known);
  if (const Tensor* tensor = made(key(dims))) return *tensor;
  std::vector<Tensor> tensors;
  size_t first = 0;
  const std::vector<Part> parts = plan(dims).parts;
  for (const Part& part : parts) {
    tensors.push_back(say(slice(dims, first, part.count), part));
    first += part.count;
  }
  return tensors.size() == 1 ? tensors[0] : keep(key(dims), operators_.join(tensors));
}

SizeWriter::Tensor SizeWriter::say(const Dims& sizes, const Part& part) {
  if (auto known = numbers(sizes)) return operators_.constant(*known);
  if (const Tensor* tensor = made(key(sizes))) return *tensor;
  if (!part.from) return keep(key(sizes), computed(sizes[0]));
  const Tensor from = part.from->value;
  const auto axis = static_cast<int64_t>(part.axis), end = static_cast<int64_t>(part.axis + part.count),
             rank = static_cast<int64_t>(part.from->dims.size());
  if (operators_.has_parts()) return keep(key(sizes), operators_.shape(from, axis, end, rank));
  const Tensor* known = made(shape_key(from));
  const Tensor shape = known ? *known : keep(shape_key(from), operators_.shape(from, 0, rank, rank));
  return keep(key(sizes), axis == 0 && end == rank ? shape : operators_.part(shape, axis, end));
}

SizeWriter::Tensor SizeWriter::computed(const Dim& size) {
  using Arithmetic = SizeOperators::Arithmetic;
  if (std::string_view symbol = size.symbol_name(); !symbol.empty())
    fail("the size '{}' is not found in any input", symbol);
  std::optional<Tensor> result;
  for (const Dim::Term& term : size.terms()) {
    std::optional<Tensor> product;
    for (const auto& atom : term.atoms) {
      Tensor factor;
      if (atom->kind == Dim::Atom::symbol) {
        factor = list({Dim::symbol(atom->name)});
      } else {
        const Tensor a = list({atom->arguments[0]}), b = list({atom->arguments[1]});
        factor = operators_.compute(atom->kind == Dim::Atom::floor_div ? Arithmetic::floor_div
                                    : atom->kind == Dim::Atom::min     ? Arithmetic::min
                                                                       : Arithmetic::max,
                                    a, b);
      }
      product = product ? operators_.compute(Arithmetic::mul, *product, factor) : factor;
    }
    if (term.factor != 1)
      product = operators_.compute(Arithmetic::mul, *product, operators_.constant({term.factor}));
    result = result ? operators_.compute(Arithmetic::add, *result, *product) : *product;
  }
  return size.rest() != 0 ? operators_.compute(Arithmetic::add, *result, operators_.constant({size.rest()}))
                          : *result;
}

}  // namespace remodel
