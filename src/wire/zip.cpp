#include "wire/zip.h"

#include <algorithm>
#include <optional>

#include "wire/deflate.h"

namespace remodel {
namespace {

constexpr uint32_t local_mark = 0x04034b50, descriptor_mark = 0x08074b50, central_mark = 0x02014b50,
                   end64_mark = 0x06064b50, locator_mark = 0x07064b50, end_mark = 0x06054b50;
constexpr size_t local_size = 30, central_size = 46, end64_size = 56, locator_size = 20, end_size = 22;
constexpr uint16_t method_stored = 0, method_deflated = 8;
constexpr uint16_t flag_encrypted = 1, flag_streamed = 8, flag_utf8 = 0x800;
constexpr uint16_t extra_zip64 = 1, extra_padding = 0x4246;
constexpr uint16_t full16 = 0xffff;
constexpr uint32_t full32 = 0xffffffff;

uint16_t u16(const uint8_t* at) { return load_as<uint16_t>(at); }
uint32_t u32(const uint8_t* at) { return load_as<uint32_t>(at); }
uint64_t u64(const uint8_t* at) { return load_as<uint64_t>(at); }

bool has_mark(const Bytes& file, uint64_t at, size_t size, uint32_t mark) {
  return at <= file.size() && file.size() - at >= size && u32(file.data() + at) == mark;
}

struct Index {
  uint64_t entries, size, start;
  uint64_t base;  // where the archive starts in the file
};

std::optional<uint64_t> find_end(const Bytes& file) {
  if (file.size() < end_size) return {};
  const uint64_t last = file.size() - end_size;
  for (uint64_t back = 0; back <= std::min<uint64_t>(last, full16); ++back) {
    const uint8_t* at = file.data() + (last - back);
    if (u32(at) == end_mark && u16(at + 20) == back) return last - back;
  }
  return {};
}

// The zip64 record before the end record. It usually stands right before its locator, whose own offset is off
// by what precedes the archive.
std::optional<uint64_t> find_end64(const Bytes& file, uint64_t end) {
  if (end < locator_size || !has_mark(file, end - locator_size, locator_size, locator_mark)) return {};
  const uint64_t locator = end - locator_size;
  if (locator >= end64_size && has_mark(file, locator - end64_size, end64_size, end64_mark))
    return locator - end64_size;
  const uint64_t stated = u64(file.data() + locator + 8);
  if (stated < locator && has_mark(file, stated, end64_size, end64_mark)) return stated;
  fail("the zip64 end record is missing");
}

Index find_index(const Bytes& file) {
  const std::optional<uint64_t> end = find_end(file);
  if (!end) fail("the end of the zip archive is missing: the file is cut short or is no zip archive");
  const uint8_t* at = file.data() + *end;
  uint64_t disks = u16(at + 4) | u16(at + 6);
  uint64_t tail = *end;
  Index index = {u16(at + 10), u32(at + 12), u32(at + 16), 0};
  if (const std::optional<uint64_t> end64 = find_end64(file, *end)) {
    at = file.data() + *end64;
    disks = u32(at + 16) | u32(at + 20);
    index = {u64(at + 32), u64(at + 40), u64(at + 48), 0};
    tail = *end64;
  }
  if (disks != 0) fail("zip archives in several parts are not supported");
  if (index.size > tail || index.start > tail - index.size) fail("the zip index lies outside the file");
  index.base = tail - index.size - index.start;
  if (index.entries > index.size / central_size) {
    fail("the zip index of {} bytes cannot hold {} entries", index.size, index.entries);
  }
  return index;
}

// Takes the values of fields that are all ones from extra field 1, in the order given.
void widen(std::string_view extra, std::initializer_list<uint64_t*> fields) {
  if (std::none_of(fields.begin(), fields.end(), [](const uint64_t* field) { return *field == full32; }))
    return;
  while (extra.size() >= 4) {
    const auto* at = reinterpret_cast<const uint8_t*>(extra.data());
    const size_t length = u16(at + 2);
    extra.remove_prefix(4);
    if (length > extra.size()) break;
    if (u16(at) != extra_zip64) {
      extra.remove_prefix(length);
      continue;
    }
    extra = extra.substr(0, length);
    for (uint64_t* field : fields) {
      if (*field != full32) continue;
      if (extra.size() < 8) fail("a zip64 size or offset is missing");
      *field = load_as<uint64_t>(extra.data());
      extra.remove_prefix(8);
    }
    return;
  }
  fail("a zip64 size or offset is missing");
}

class CrcSink : public Sink {
 public:
  explicit CrcSink(Sink& to) : to_(to) {}
  uint32_t crc() const { return crc_; }

 private:
  void put(const void* data, size_t size) override {
    crc_ = crc32_of({static_cast<const char*>(data), size}, crc_);
    to_.write(data, size);
  }

  Sink& to_;
  uint32_t crc_ = 0;
};

class Record {
 public:
  Record& u16(uint64_t value) { return put(static_cast<uint16_t>(value)); }
  Record& u32(uint64_t value) { return put(static_cast<uint32_t>(value)); }
  Record& u64(uint64_t value) { return put(value); }
  // A 64-bit value in a 32-bit field: all ones if it stands elsewhere.
  Record& clipped(uint64_t value) { return u32(std::min<uint64_t>(value, full32)); }
  Record& text(std::string_view text) {
    text_ += text;
    return *this;
  }
  const std::string& get() const { return text_; }

 private:
  template <class T>
  Record& put(T value) {
    char bytes[sizeof value];
    store_as(bytes, value);
    text_.append(bytes, sizeof value);
    return *this;
  }

  std::string text_;
};

bool is_large(const ZipEntry& entry) { return entry.size >= full32 || entry.packed_size >= full32; }

// From `version needed` to the sizes: the part that local and central headers share.
void put_common(Record& record, const ZipEntry& entry, bool zip64) {
  record.u16(zip64 ? 45 : 20).u16(entry.flags).u16(entry.method).u16(0).u16(0x21).u32(entry.crc);
}

}  // namespace

bool looks_like_zip(const Bytes& file) {
  return has_mark(file, 0, local_size, local_mark) || has_mark(file, 0, end_size, end_mark);
}

ZipReader::ZipReader(Bytes file) : file_(std::move(file)) {
  const Index index = find_index(file_);
  const uint8_t* at = file_.data() + index.base + index.start;
  uint64_t left = index.size;
  entries_.reserve(index.entries);
  for (uint64_t number = 0; number < index.entries; ++number) {
    if (left < central_size || u32(at) != central_mark) fail("entry {} of the zip index is damaged", number);
    const size_t name = u16(at + 28), extra = u16(at + 30),
                 whole = central_size + name + extra + u16(at + 32);
    if (left < whole) fail("entry {} of the zip index is cut short", number);
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(at + central_size), name);
    entry.flags = u16(at + 8);
    entry.method = u16(at + 10);
    entry.crc = u32(at + 16);
    entry.packed_size = u32(at + 20);
    entry.size = u32(at + 24);
    entry.header = u32(at + 42);
    widen({reinterpret_cast<const char*>(at + central_size + name), extra},
          {&entry.size, &entry.packed_size, &entry.header});
    if (entry.header > file_.size() - index.base) fail("entry '{}' lies outside the zip archive", entry.name);
    entry.header += index.base;
    entries_.push_back(std::move(entry));
    at += whole;
    left -= whole;
  }
  by_name_.reserve(entries_.size());
  for (size_t number = 0; number < entries_.size(); ++number) {
    if (!by_name_.emplace(entries_[number].name, number).second) {
      fail("the zip archive holds '{}' twice", entries_[number].name);
    }
  }
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

Bytes ZipReader::packed(const ZipEntry& entry) const {
  if (!has_mark(file_, entry.header, local_size, local_mark)) fail("its header is damaged");
  const uint8_t* at = file_.data() + entry.header;
  const uint64_t name = u16(at + 26), extra = u16(at + 28);
  const uint64_t left = file_.size() - entry.header - local_size;
  if (name + extra > left || entry.packed_size > left - name - extra) fail("its data lies outside the file");
  if (entry.name != std::string_view(reinterpret_cast<const char*>(at + local_size), name)) {
    fail("its header bears another name");
  }
  return file_.part(entry.header + local_size + name + extra, entry.packed_size);
}

Bytes ZipReader::read(const ZipEntry& entry, uint64_t limit) const {
  try {
    if (entry.flags & flag_encrypted) fail("it is encrypted");
    if (entry.size > limit) fail("its {} bytes are more than the {} allowed", entry.size, limit);
    const Bytes data = packed(entry);
    if (entry.method == method_stored) {
      if (entry.size != entry.packed_size) fail("it is stored, but its two sizes differ");
      return data;
    }
    if (entry.method != method_deflated) fail("compression method {} is not supported", entry.method);
    std::string plain = inflate(data.view(), entry.size, DeflateFrame::raw);
    if (crc32_of(plain) != entry.crc) fail("the checksum is wrong: the file is damaged");
    return Bytes::own(std::move(plain));
  } catch (Error& error) {
    error.at(fmt::format("zip entry '{}'", entry.name));
    throw;
  }
}

void ZipReader::check(const ZipEntry& entry) const {
  if (crc32_of(read(entry, entry.size).view()) != entry.crc) {
    fail("zip entry '{}': the checksum is wrong: the file is damaged", entry.name);
  }
}

void ZipWriter::open(ZipEntry entry) {
  if (entry.name.size() >= full16) fail("the zip entry name '{}...' is too long", entry.name.substr(0, 40));
  if (!names_.insert(entry.name).second) fail("two zip entries are named '{}'", entry.name);
  if (std::any_of(entry.name.begin(), entry.name.end(), [](char c) { return c & 0x80; }))
    entry.flags |= flag_utf8;
  entry.header = sink_.position() - start_;
  const bool streamed = entry.flags & flag_streamed;
  Record extra;
  // A reader learns from this field that the sizes in the data descriptor are wide.
  if (is_large(entry))
    extra.u16(extra_zip64).u16(16).u64(streamed ? 0 : entry.size).u64(streamed ? 0 : entry.packed_size);
  if (alignment_ > 1 && entry.method == method_stored) {
    const uint64_t data = sink_.position() + local_size + entry.name.size() + extra.get().size();
    const uint64_t gap = (alignment_ - (data + 4) % alignment_) % alignment_;
    if (data % alignment_ != 0) extra.u16(extra_padding).u16(gap).text(std::string(gap, '\0'));
  }
  Record header;
  header.u32(local_mark);
  put_common(header, entry, is_large(entry));
  if (is_large(entry)) {
    header.u32(full32).u32(full32);
  } else {
    header.u32(streamed ? 0 : entry.packed_size).u32(streamed ? 0 : entry.size);
  }
  header.u16(entry.name.size()).u16(extra.get().size()).text(entry.name).text(extra.get());
  sink_.write(header.get());
  entries_.push_back(std::move(entry));
}

void ZipWriter::add(std::string_view name, std::string_view data) {
  open({std::string(name), data.size(), data.size(), 0, crc32_of(data), method_stored, 0});
  sink_.write(data);
}

void ZipWriter::add_deflated(std::string_view name, std::string_view data) {
  const std::string packed = deflate(data, DeflateFrame::raw);
  open({std::string(name), data.size(), packed.size(), 0, crc32_of(data), method_deflated, 0});
  sink_.write(packed);
}

void ZipWriter::stream(std::string_view name, uint64_t size, const std::function<void(Sink&)>& produce) {
  open({std::string(name), size, size, 0, 0, method_stored, flag_streamed});
  CrcSink checked(sink_);
  ExactSink exact(checked, size);
  produce(exact);
  exact.finish();
  ZipEntry& entry = entries_.back();
  entry.crc = checked.crc();
  Record descriptor;
  descriptor.u32(descriptor_mark).u32(entry.crc);
  if (is_large(entry)) {
    descriptor.u64(size).u64(size);
  } else {
    descriptor.u32(size).u32(size);
  }
  sink_.write(descriptor.get());
}

void ZipWriter::finish() {
  const uint64_t start = sink_.position() - start_;
  for (const ZipEntry& entry : entries_) {
    Record wide;
    if (entry.size >= full32) wide.u64(entry.size);
    if (entry.packed_size >= full32) wide.u64(entry.packed_size);
    if (entry.header >= full32) wide.u64(entry.header);
    Record extra;
    if (!wide.get().empty()) extra.u16(extra_zip64).u16(wide.get().size()).text(wide.get());
    Record header;
    header.u32(central_mark).u16(3 << 8 | 45);
    put_common(header, entry, !wide.get().empty());
    header.clipped(entry.packed_size).clipped(entry.size);
    header.u16(entry.name.size()).u16(extra.get().size()).u16(0).u16(0).u16(0);
    header.u32(uint32_t{0100644} << 16).clipped(entry.header).text(entry.name).text(extra.get());
    sink_.write(header.get());
  }
  const uint64_t count = entries_.size(), size = sink_.position() - start_ - start;
  Record tail;
  if (count >= full16 || start >= full32 || size >= full32) {
    tail.u32(end64_mark).u64(end64_size - 12).u16(3 << 8 | 45).u16(45).u32(0).u32(0);
    tail.u64(count).u64(count).u64(size).u64(start);
    tail.u32(locator_mark).u32(0).u64(start + size).u32(1);
  }
  tail.u32(end_mark)
      .u16(0)
      .u16(0)
      .u16(std::min<uint64_t>(count, full16))
      .u16(std::min<uint64_t>(count, full16));
  tail.clipped(size).clipped(start).u16(0);
  sink_.write(tail.get());
}

}  // namespace remodel
