// Zip archives (.pt, .keras, .npz), little-endian. Files first, then an index, then where the index is:
//
//   local header   "PK\3\4" version flags method time date crc32 packed_size size name_length extra_length |
//   name | extra | data data descriptor (only after data that was streamed, flag 8)   "PK\7\8" crc32
//   packed_size size central header "PK\1\2" made_by version flags method time date crc32 packed_size size
//   name_length extra_length
//                  comment_length disk internal external local_header_offset | name | extra | comment
//   zip64 end      "PK\6\6" length made_by version disk disk entries entries size offset
//   zip64 locator  "PK\6\7" disk zip64_end_offset disks
//   end            "PK\5\6" disk disk entries entries size offset comment_length | comment
//
// A 32-bit field of all ones has its value in extra field 1, as 64 bits. Offsets count from the first local
// header, which need not be at the start of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/sink.h"

namespace remodel {

struct ZipEntry {
  std::string name;  // as stored; nothing here ever uses it as a path
  uint64_t size = 0;
  uint64_t packed_size = 0;
  uint64_t header = 0;  // where the local header is in the file
  uint32_t crc = 0;
  uint16_t method = 0;
  uint16_t flags = 0;
};

class ZipReader {
 public:
  // Reads the index. Refuses archives with a name that appears twice.
  explicit ZipReader(Bytes file);
  ZipReader(ZipReader&&) = default;
  ZipReader& operator=(ZipReader&&) = default;

  const std::vector<ZipEntry>& entries() const { return entries_; }
  // Null if there is none.
  const ZipEntry* find(std::string_view name) const;
  // The contents: a part of the file if the entry is stored, else inflated, and then checked against the
  // checksum. An entry that says it is larger than the limit is refused.
  Bytes read(const ZipEntry& entry, uint64_t limit) const;
  // Reads a stored entry and checks it against its checksum, too.
  void check(const ZipEntry& entry) const;

 private:
  Bytes packed(const ZipEntry& entry) const;

  Bytes file_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> by_name_;
};

bool looks_like_zip(const Bytes& file);

// Writes in one pass. Times are 1980-01-01, so the same contents give the same bytes.
class ZipWriter {
 public:
  // Data of stored entries starts at a multiple of `alignment` in the sink.
  explicit ZipWriter(Sink& sink, uint32_t alignment = 1)
      : sink_(sink), start_(sink.position()), alignment_(alignment) {}

  void add(std::string_view name, std::string_view data);
  void add_deflated(std::string_view name, std::string_view data);
  // Contents that come while they are written: exactly `size` bytes.
  void stream(std::string_view name, uint64_t size, const std::function<void(Sink&)>& produce);
  // Writes the index. Nothing may be added later.
  void finish();

 private:
  void open(ZipEntry entry);

  Sink& sink_;
  uint64_t start_;
  uint32_t alignment_;
  std::vector<ZipEntry> entries_;
  std::unordered_set<std::string> names_;
};

}  // namespace remodel
