#include "ops/text.h"

#include <re2/re2.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/letter_case.h"
#include "run/elementwise.h"

namespace remodel {
namespace {

const Tensor& texts_in(const Call& call, size_t i) {
  const Tensor& tensor = call.in(i);
  if (tensor.dtype() != DType::string) fail("operand {} must be text, but is {}", i, name_of(tensor.dtype()));
  return tensor;
}

void run_concat(Call& call) {
  const Tensor& a = texts_in(call, 0);
  const Tensor& b = texts_in(call, 1);
  Tensor& y = call.out(0, DType::string, broadcast_shapes(a.shape(), b.shape()));
  if (y.count() == 0) return;
  BroadcastRows walk(y.shape(), {a.shape(), b.shape()});
  walk.for_each([&](int64_t start, const std::vector<int64_t>& offsets) {
    for (int64_t i = 0; i < walk.length; ++i)
      y.strings()[start + i] =
          a.strings()[offsets[0] + i * walk.steps[0]] + b.strings()[offsets[1] + i * walk.steps[1]];
  });
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string> parts_of(const std::string& text, const StringSplit& op) {
  std::vector<std::string> parts;
  size_t at = 0;
  auto may_split = [&] { return op.most < 0 || static_cast<int64_t>(parts.size()) < op.most; };
  if (!op.delimiter.empty()) {
    for (size_t next; may_split() && (next = text.find(op.delimiter, at)) != std::string::npos;
         at = next + op.delimiter.size())
      parts.push_back(text.substr(at, next - at));
    parts.push_back(text.substr(at));
    return parts;
  }
  for (;;) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return parts;
    if (!may_split()) {
      parts.push_back(text.substr(at));
      return parts;
    }
    size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
}

void run_split(Call& call) {
  const Tensor& x = texts_in(call, 0);
  const auto& op = call.op<StringSplit>();
  std::vector<std::vector<std::string>> parts;
  size_t most = 0;
  for (const std::string& text : x.strings()) {
    parts.push_back(parts_of(text, op));
    most = std::max(most, parts.back().size());
  }
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(most));
  Tensor split(DType::string, shape), counts(DType::i64, x.shape());
  for (size_t i = 0; i < parts.size(); ++i) {
    counts.to<int64_t>()[i] = static_cast<int64_t>(parts[i].size());
    std::move(parts[i].begin(), parts[i].end(),
              split.strings().begin() + static_cast<std::ptrdiff_t>(i * most));
  }
  call.set(0, split);
  call.set(1, counts);
}

void run_match(Call& call) {
  const Tensor& x = texts_in(call, 0);
  RE2 pattern(call.op<RegexMatch>().pattern, RE2::Quiet);
  if (!pattern.ok())
    fail("'{}' is no regular expression: {}", call.op<RegexMatch>().pattern, pattern.error());
  Tensor& y = call.out(0, DType::boolean, x.shape());
  for (int64_t i = 0; i < x.count(); ++i) y.to<uint8_t>()[i] = RE2::FullMatch(x.strings()[i], pattern);
}

void run_normalize(Call& call) {
  const Tensor& x = texts_in(call, 0);
  const auto& op = call.op<StringNormalize>();
  if (x.rank() != 1 && (x.rank() != 2 || x.dim(0) != 1))
    fail("texts must have shape [n] or [1, n], but have {}", text_of(x.shape()));
  auto key = [&](const std::string& text) { return op.case_sensitive ? text : to_lower(text); };
  std::unordered_set<std::string> stop;
  for (const std::string& word : op.stop_words) stop.insert(key(word));
  std::vector<std::string> kept;
  for (const std::string& text : x.strings()) {
    if (!stop.empty() && stop.count(key(text))) continue;
    using Case = StringNormalize::Case;
    kept.push_back(op.change == Case::lower   ? to_lower(text)
                   : op.change == Case::upper ? to_upper(text)
                                              : text);
  }
  if (kept.empty() && x.count() > 0) kept.emplace_back();
  Shape shape = x.shape();
  shape.back() = static_cast<int64_t>(kept.size());
  call.set(0, Tensor::of(DType::string, shape, kept));
}

// Items of n-grams as one text, so that two n-grams are equal where their texts are.
void append_item(std::string& key, int64_t item) {
  key.append(reinterpret_cast<const char*>(&item), sizeof item);
}
void append_item(std::string& key, const std::string& item) {
  append_item(key, static_cast<int64_t>(item.size()));
  key += item;
}

// The pool's n-grams by their items; the number of each.
template <class Item>
std::unordered_map<std::string, size_t> pool_of(const TfIdf& op, const std::vector<Item>& pool) {
  std::unordered_map<std::string, size_t> found;
  size_t id = 0;
  for (size_t i = 0; i < op.starts.size(); ++i) {
    int64_t first = op.starts[i], size = static_cast<int64_t>(pool.size()),
            length = static_cast<int64_t>(i) + 1;
    int64_t end = i + 1 < op.starts.size() ? op.starts[i + 1] : size;
    if (first < 0 || end < first || end > size || (end - first) % length != 0)
      fail("the pool's {}-grams stand at {} to {}", length, first, end);
    for (int64_t at = first; at < end; at += length) {
      std::string key;
      for (int64_t j = 0; j < length; ++j) append_item(key, pool[at + j]);
      // Shorter or longer n-grams count, but are never found.
      if (length >= op.min_length && length <= op.max_length) found.emplace(key, id);
      ++id;
    }
  }
  if (id != op.indexes.size())
    fail("the pool has {} n-grams, but {} indexes are given", id, op.indexes.size());
  return found;
}

template <class Item>
void count_row(const TfIdf& op, const std::unordered_map<std::string, size_t>& pool, const Item* row,
               int64_t size, std::vector<int64_t>& counts) {
  int64_t shortest = op.min_length, longest = std::min(op.max_length, static_cast<int64_t>(op.starts.size()));
  for (int64_t step = 1; step <= op.max_skip + 1; ++step) {
    if (shortest > longest || (shortest > 1 && step >= size)) return;
    for (int64_t start = 0; start < size; ++start) {
      std::string key;
      int64_t at = start;
      for (int64_t length = 1; length <= longest && at < size; ++length, at += step) {
        append_item(key, row[at]);
        if (length < shortest) continue;
        if (auto place = pool.find(key); place != pool.end()) ++counts[place->second];
      }
    }
    // Single items have no distance: they count once.
    if (shortest == 1) shortest = 2;
  }
}

void run_tf_idf(Call& call) {
  const auto& op = call.op<TfIdf>();
  const Tensor& x = call.in(0);
  if (x.rank() != 1 && x.rank() != 2)
    fail("items must have rank 1 or 2, but have shape {}", text_of(x.shape()));
  int64_t rows = x.rank() == 2 ? x.dim(0) : 1, size = x.dim(-1);
  int64_t width = *std::max_element(op.indexes.begin(), op.indexes.end()) + 1;
  Shape shape = x.shape();
  shape.back() = width;
  Tensor y = Tensor::zeros(DType::f32, shape);
  auto count_rows = [&](const auto& pool_items, const auto* items) {
    auto pool = pool_of(op, pool_items);
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<int64_t> counts(op.indexes.size(), 0);
      count_row(op, pool, items + row * size, size, counts);
      for (size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        float weight = op.weights.empty() ? 1.0f : static_cast<float>(op.weights[i]);
        float count = static_cast<float>(counts[i]);
        float& place = y.to<float>()[row * width + op.indexes[i]];  // n-grams may share it
        if (op.mode == TfIdf::Mode::weight)
          place = weight;
        else
          place += op.mode == TfIdf::Mode::count ? count : count * weight;
      }
    }
  };
  if (x.dtype() == DType::string) {
    count_rows(op.texts, x.strings().data());
  } else {
    std::vector<int64_t> items = x.ints();
    count_rows(op.integers, items.data());
  }
  call.set(0, y);
}

}  // namespace

void add_text_kernels(Kernels& kernels) {
  kernels.add<StringConcat>(run_concat);
  kernels.add<StringSplit>(run_split);
  kernels.add<RegexMatch>(run_match);
  kernels.add<StringNormalize>(run_normalize);
  kernels.add<TfIdf>(run_tf_idf);
}

}  // namespace remodel
