#include "ops/matmul.h"

#include <algorithm>
#include <map>

#include "ir/infer.h"

namespace remodel {

void MatMul::infer(Infer& in) const {
  in.need_count(2, 4);
  auto is_byte = [](DType t) { return is_integer(t) && size_of(t) == 1; };
  bool whole = out == DType::i32 || in.has(2) || in.has(3);
  // One side of a product of bytes may be signed and the other not.
  if (!whole || !is_byte(in.dtype(0)) || !is_byte(in.dtype(1))) in.need_same_dtype(0, 1);
  DType type = out != DType::unknown ? out : in.dtype(0);
  if (in.has(2) || in.has(3)) {
    for (size_t i = 0; i < in.count(); ++i)
      if (in.has(i)) in.need_dtype(i, is_byte, "integers of 8 bits at most");
    if (in.has(2)) in.need_same_dtype(0, 2);
    if (in.has(3)) in.need_same_dtype(1, 3);
    type = DType::i32;
  }
  if (DType from = in.dtype(0); from != DType::unknown && type != from) {
    bool fits = (type == DType::i32 && is_integer(from) && size_of(from) == 1) ||
                (type == DType::f32 && is_small_float(from));
    if (!fits) fail("the product of {} cannot be {}", name_of(from), name_of(type));
  }
  if (!in.dims(0) || !in.dims(1)) return in.out(0, type, std::nullopt);

  Dims a = *in.dims(0), b = *in.dims(1);
  bool row = a.size() == 1, column = b.size() == 1;
  if (a.empty() || b.empty()) fail("a scalar is no matrix: {} and {}", in.in(0).text(), in.in(1).text());
  if ((row && transpose_a) || (column && transpose_b)) fail("a vector has no transpose");
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  if (transpose_a) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (transpose_b) std::swap(b[b.size() - 1], b[b.size() - 2]);
  const Dim &inner_a = a[a.size() - 1], &inner_b = b[b.size() - 2];
  if (inner_a.is_number() && inner_b.is_number() && inner_a != inner_b)
    fail("{} and {} cannot be multiplied: {} is not {}", in.in(0).text(), in.in(1).text(), inner_a.text(),
         inner_b.text());
  size_t rank = std::max(a.size(), b.size());
  Dims result;
  for (size_t axis = 0; axis + 2 < rank; ++axis) {
    auto at = [&](const Dims& dims) {
      return axis + dims.size() < rank ? Dim(1) : dims[axis + dims.size() - rank];
    };
    result.push_back(in.broadcast(at(a), at(b), 0, axis));
  }
  if (!row) result.push_back(a[a.size() - 2]);
  if (!column) result.push_back(b.back());
  in.out(0, type, result);
}

std::string normal_einsum(const std::string& equation) {
  std::string text;
  for (char c : equation)
    if (c != ' ' && c != '\t') text += c;
  if (text.find("->") != std::string::npos) return text;
  // Without an arrow: broadcast axes, then the letters that occur once, in order.
  std::map<char, int> seen;
  for (char c : text)
    if (c != ',' && c != '.') ++seen[c];
  std::string result = text.find("...") != std::string::npos ? "..." : "";
  std::string capitals, small;
  for (auto [letter, count] : seen)
    if (count == 1) (letter < 'a' ? capitals : small) += letter;
  return text + "->" + result + capitals + small;
}

EinsumLabels parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks) {
  EinsumLabels labels;
  size_t arrow = equation.find("->");
  if (arrow == std::string::npos) fail("equation '{}' has no '->'", equation);
  std::vector<std::string> terms{""};
  for (char c : equation.substr(0, arrow)) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  if (terms.size() != ranks.size())
    fail("equation '{}' does not speak of {} operands", equation, ranks.size());

  std::map<char, int> letters;
  auto count_letters = [&](const std::string& term) {
    int64_t count = 0;
    bool dots = false;
    for (size_t i = 0; i < term.size(); ++i) {
      if (term[i] == '.') {
        if (dots || term.compare(i, 3, "...") != 0) fail("equation '{}' cannot be read", equation);
        dots = true;
        i += 2;
        continue;
      }
      bool letter = (term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z');
      if (!letter) fail("equation '{}' cannot be read", equation);
      ++count;
    }
    return std::pair(count, dots);
  };
  int64_t widest = 0;
  for (size_t k = 0; k < terms.size(); ++k) {
    auto [count, dots] = count_letters(terms[k]);
    if (dots ? ranks[k] < count : ranks[k] != count)
      fail("equation '{}' does not fit operand {} of rank {}", equation, k, ranks[k]);
    if (dots) widest = std::max(widest, ranks[k] - count);
  }
  // The ellipsis' axes have the numbers 0 .. widest - 1, the last axis the highest.
  labels.count = static_cast<int>(widest);
  auto number_of = [&](const std::string& term, int64_t dots_rank, bool known_only) {
    std::vector<int> result;
    for (size_t i = 0; i < term.size(); ++i) {
      if (term[i] == '.') {
        for (int64_t axis = widest - dots_rank; axis < widest; ++axis)
          result.push_back(static_cast<int>(axis));
        i += 2;
        continue;
      }
      auto place = letters.find(term[i]);
      if (place == letters.end()) {
        if (known_only) fail("equation '{}': no operand has '{}'", equation, term[i]);
        place = letters.emplace(term[i], labels.count++).first;
      }
      result.push_back(place->second);
    }
    return result;
  };
  for (size_t k = 0; k < terms.size(); ++k)
    labels.operands.push_back(number_of(terms[k], ranks[k] - count_letters(terms[k]).first, false));
  std::string result = equation.substr(arrow + 2);
  count_letters(result);
  labels.result = number_of(result, widest, true);
  std::vector<int> sorted = labels.result;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    fail("equation '{}': the result names an axis twice", equation);
  labels.ellipsis = static_cast<int>(widest);
  return labels;
}

void Einsum::infer(Infer& in) const {
  in.need_count(1, 64);
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < in.count(); ++i) {
    in.need_same_dtype(0, i);
    if (!in.dims(i)) return in.out(0, in.dtype(0), std::nullopt);
    ranks.push_back(in.rank(i));
  }
  EinsumLabels labels = parse_einsum(equation, ranks);
  std::vector<std::optional<Dim>> sizes(labels.count);
  for (size_t i = 0; i < in.count(); ++i)
    for (size_t axis = 0; axis < labels.operands[i].size(); ++axis) {
      int label = labels.operands[i][axis];
      const Dim& size = (*in.dims(i))[axis];
      auto place = std::find(labels.result.begin(), labels.result.end(), label);
      if (!sizes[label])
        sizes[label] = size;
      else if (place != labels.result.end())
        sizes[label] = in.broadcast(*sizes[label], size, 0, place - labels.result.begin());
      else if (size.is_number(1) || !size.is_number())
        continue;
      else if (sizes[label]->is_number(1))
        sizes[label] = size;
      else if (sizes[label]->is_number() && *sizes[label] != size)
        fail("equation '{}': sizes {} and {} do not agree", equation, sizes[label]->text(), size.text());
    }
  Dims dims;
  for (int label : labels.result) dims.push_back(sizes[label].value_or(Dim(1)));
  in.out(0, in.dtype(0), dims);
}

void Det::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "floating point");
  if (!in.dims(0)) return in.out(0, in.dtype(0), std::nullopt);
  Dims dims = *in.dims(0);
  if (dims.size() < 2) fail("{} holds no matrices", in.in(0).text());
  const Dim &rows = dims[dims.size() - 2], &columns = dims.back();
  if (rows.is_number() && columns.is_number() && rows != columns) fail("{} is not square", in.in(0).text());
  dims.resize(dims.size() - 2);
  in.out(0, in.dtype(0), dims);
}

}  // namespace remodel
