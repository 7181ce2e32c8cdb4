#include "wire/flatbuffer.h"

namespace remodel {
namespace {

constexpr uint64_t table_work = 16;

uint64_t checked(std::string_view file, uint64_t at, uint64_t size) {
  if (at > file.size() || size > file.size() - at) fail("flatbuffer offset {} leads out of the file", at);
  return at;
}

}  // namespace

FlatTable FlatTable::root(std::string_view file) {
  checked(file, 0, 4);
  return FlatTable(file, load_as<uint32_t>(file.data()),
                   std::make_shared<uint64_t>(8 * static_cast<uint64_t>(file.size()) + 4096));
}

FlatTable::FlatTable(std::string_view file, uint64_t at, std::shared_ptr<uint64_t> budget)
    : file_(file), at_(checked(file, at, 4)), budget_(std::move(budget)) {
  spend(table_work);
  const int64_t layout = static_cast<int64_t>(at) - load_as<int32_t>(file.data() + at);
  if (layout < 0) fail("the flatbuffer table at {} has no layout", at);
  layout_ = checked(file, static_cast<uint64_t>(layout), 4);
  layout_size_ = load_as<uint16_t>(file.data() + layout_);
  size_ = load_as<uint16_t>(file.data() + layout_ + 2);
  if (layout_size_ < 4) fail("the flatbuffer table at {} has no layout", at);
  checked(file, layout_, layout_size_);
  checked(file, at_, size_);
}

uint64_t FlatTable::place(int slot, size_t bytes) const {
  const uint64_t entry = 4 + 2 * static_cast<uint64_t>(slot);
  if (entry + 2 > layout_size_) return 0;
  const uint64_t offset = load_as<uint16_t>(file_.data() + layout_ + entry);
  if (offset == 0) return 0;
  if (offset + bytes > size_) fail("field {} of the flatbuffer table at {} lies outside of it", slot, at_);
  return at_ + offset;
}

uint64_t FlatTable::follow(uint64_t place, size_t bytes) const {
  return checked(file_, place + load_as<uint32_t>(file_.data() + place), bytes);
}

std::string_view FlatTable::vector(int slot, size_t element) const {
  const uint64_t field = place(slot, 4);
  if (!field) return {};
  const uint64_t at = follow(field, 4);
  const uint64_t bytes = load_as<uint32_t>(file_.data() + at) * static_cast<uint64_t>(element);
  checked(file_, at + 4, bytes);
  return file_.substr(at + 4, bytes);
}

std::optional<FlatTable> FlatTable::table(int slot) const {
  const uint64_t field = place(slot, 4);
  if (!field) return std::nullopt;
  return FlatTable(file_, follow(field, 4), budget_);
}

std::vector<FlatTable> FlatTable::tables(int slot) const {
  const std::string_view offsets = vector(slot, 4);
  std::vector<FlatTable> result;
  spend(offsets.size());
  result.reserve(offsets.size() / 4);
  for (size_t i = 0; i < offsets.size(); i += 4) {
    const auto place = static_cast<uint64_t>(offsets.data() + i - file_.data());
    result.push_back(FlatTable(file_, follow(place, 4), budget_));
  }
  return result;
}

void FlatTable::spend(uint64_t work) const {
  if (work > *budget_) fail("the flatbuffer leads to the same places too often");
  *budget_ -= work;
}

}  // namespace remodel
