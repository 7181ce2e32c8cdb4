#include "formats/tflite/sparse.h"

#include <algorithm>

namespace remodel::tflite {
namespace {

struct Level {
  size_t axis = 0;     // of the tensor
  bool block = false;  // inside a block of that axis
  bool dense = true;
  int64_t size = 0;  // of a dense one
  std::vector<int64_t> segments, indices;
};

std::vector<int64_t> index_vector(const FlatTable& level, int slot) {
  const std::optional<FlatTable> table = level.table(slot + 1);
  if (!table) fail("a sparse axis has no indices");
  const auto widen = [](const auto& numbers) { return std::vector<int64_t>(numbers.begin(), numbers.end()); };
  switch (level.number<uint8_t>(slot)) {
    case 1:
      return widen(table->numbers<int32_t>(0));
    case 2:
      return widen(table->numbers<uint16_t>(0));
    case 3:
      return widen(table->numbers<uint8_t>(0));
    default:
      fail("the indices of a sparse axis are of an unknown kind");
  }
}

std::vector<Level> read_levels(const FlatTable& sparsity, size_t rank) {
  const std::vector<int32_t> order = sparsity.numbers<int32_t>(0), blocks = sparsity.numbers<int32_t>(1);
  const std::vector<FlatTable> tables = sparsity.tables(2);
  if (order.size() != rank + blocks.size() || tables.size() != order.size())
    fail("a sparse tensor of rank {} with {} blocks has {} axes and {} descriptions of such", rank,
         blocks.size(), order.size(), tables.size());
  std::vector<bool> seen(order.size(), false);
  std::vector<Level> levels;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto which = static_cast<size_t>(order[i]);
    if (order[i] < 0 || which >= order.size() || seen[which])
      fail("the axes of a sparse tensor are no order");
    seen[which] = true;
    Level level;
    level.block = which >= rank;
    const int64_t axis = level.block ? blocks[which - rank] : order[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank))
      fail("axis {} of a sparse tensor does not exist", axis);
    level.axis = static_cast<size_t>(axis);
    level.dense = tables[i].number<int8_t>(0) == 0;
    if (level.dense) {
      level.size = tables[i].number<int32_t>(1);
      if (level.size < 0) fail("an axis of a sparse tensor has a negative size");
    } else {
      level.segments = index_vector(tables[i], 2);
      level.indices = index_vector(tables[i], 4);
    }
    if (level.block && !level.dense) fail("a block of a sparse tensor is not dense");
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace

ConstantPtr sparse_constant(DType dtype, const Shape& shape, const Bytes& values, const FlatTable& sparsity) {
  if (size_of(dtype) == 0 || is_packed(dtype)) fail("a sparse tensor of {} is not supported", name_of(dtype));
  const std::vector<Level> levels = read_levels(sparsity, shape.size());
  const auto count = static_cast<int64_t>(values.size() / size_of(dtype));
  // Each entry of a level leads to a value, or to a segment of a later level.
  int64_t most = count;
  std::vector<int64_t> block_size(shape.size(), 0);
  for (const Level& level : levels) {
    most = std::max(most, std::ssize(level.segments));
    if (!level.block) continue;
    if (level.size == 0 || block_size[level.axis] > 0) fail("the blocks of a sparse tensor are damaged");
    block_size[level.axis] = level.size;
  }

  const Shape strides = strides_of(shape);
  count_of(shape);
  std::vector<int64_t> places = {0};
  for (const Level& level : levels) {
    const int64_t block = std::max<int64_t>(1, block_size[level.axis]);
    const int64_t step = strides[level.axis] * (level.block ? 1 : block);
    const int64_t limit = level.block ? level.size : shape[level.axis] / block;
    std::vector<int64_t> next;
    const auto put = [&](int64_t base, int64_t index) {
      if (index < 0 || index >= limit) fail("index {} of a sparse tensor is outside its axis", index);
      if (std::ssize(next) >= most) fail("a sparse tensor has more entries than values");
      next.push_back(base + index * step);
    };
    for (size_t i = 0; i < places.size(); ++i) {
      if (level.dense) {
        for (int64_t index = 0; index < level.size; ++index) put(places[i], index);
        continue;
      }
      if (level.segments.size() != places.size() + 1)
        fail("a sparse axis has {} segments for {} entries", level.segments.size(), places.size());
      const int64_t begin = level.segments[i], end = level.segments[i + 1];
      if (begin < 0 || begin > end || end > std::ssize(level.indices))
        fail("a segment of a sparse axis lies outside of it");
      for (int64_t at = begin; at < end; ++at) put(places[i], level.indices[static_cast<size_t>(at)]);
    }
    places = std::move(next);
  }
  if (std::ssize(places) != count) fail("a sparse tensor has {} values for {} places", count, places.size());
  return constant_sparse(
      shape, constant_bytes(dtype, {count}, values.part(0, static_cast<size_t>(count) * size_of(dtype))),
      places);
}

}  // namespace remodel::tflite
