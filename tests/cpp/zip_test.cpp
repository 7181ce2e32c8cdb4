#include "wire/zip.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "damage.h"
#include "hex.h"
#include "refusal.h"
#include "wire/deflate.h"

namespace remodel {
namespace {

constexpr uint64_t limit = 1 << 20;

std::string contents(const ZipReader& zip, std::string_view name) {
  const ZipEntry* entry = zip.find(name);
  return entry ? std::string(zip.read(*entry, limit).view()) : "(none)";
}

// Reads all of an archive.
void read_all(const Bytes& file) {
  const ZipReader zip(file);
  for (const ZipEntry& entry : zip.entries()) zip.check(entry);
}

std::string said(std::string file) {
  return refusal([&] { read_all(Bytes::own(std::move(file))); });
}

std::string small_archive(uint32_t alignment = 1) {
  MemorySink sink;
  ZipWriter writer(sink, alignment);
  writer.add("a/data.pkl", "pickle");
  writer.add_deflated("a/long", std::string(5000, 'z'));
  writer.stream("a/data/0", 11, [](Sink& out) {
    out.write("hello ");
    out.write("world");
  });
  writer.add("empty", "");
  writer.finish();
  return sink.take();
}

// zipfile.ZipFile: a stored and a packed entry, a comment that holds an end mark, five bytes before the
// archive.
constexpr const char* python_prepended =
    "6a756e6b21504b03041400000000008318225086a6103605000000050000000a00000073746f7265642e74787468656c6c6f504b"
    "0304140000000800831822"
    "502c2ff45d07000000640000000a0000007061636b65642e7478744b4c4aa4390400504b010214031400000000008318225086a6"
    "103605000000050000000a"
    "000000000000000000000080010000000073746f7265642e747874504b01021403140000000800831822502c2ff45d0700000064"
    "0000000a00000000000000"
    "0000000080012d0000007061636b65642e747874504b05060000000002000200700000005c0000000e006120504b050620636f6d"
    "6d656e74";
// zipfile.ZipFile(mode "a") after a script: the offsets count from the start of the file.
constexpr const char* python_appended =
    "23212f62696e2f780a504b0304140000080000831822508316dc8c010000000100000002000000c3a978504b0102140314000008"
    "0000831822508316dc8c01"
    "00000001000000020000000000000000000000800109000000c3a9504b05060000000001000100300000002a0000000000";
// zipfile.ZipFile into a stream, force_zip64: a data descriptor with wide sizes.
constexpr const char* python_streamed =
    "504b03042d00080008008318225000000000ffffffffffffffff010014007301001000000000000000000000000000000000002b"
    "2e294a4dcc4d4d29c64103"
    "00504b0708802b15c20d000000000000002000000000000000504b01022d032d000800080083182250802b15c20d000000200000"
    "0001000000000000000000"
    "000080010000000073504b050600000000010001002f000000580000000000";

TEST(Zip, ReadsWhatPythonWrote) {
  const ZipReader prepended(Bytes::own(from_hex(python_prepended)));
  EXPECT_EQ(contents(prepended, "stored.txt"), "hello");
  std::string repeated;
  for (int i = 0; i < 50; ++i) repeated += "ab";
  EXPECT_EQ(contents(prepended, "packed.txt"), repeated);
  EXPECT_EQ(contents(ZipReader(Bytes::own(from_hex(python_appended))), "é"), "x");
  EXPECT_EQ(contents(ZipReader(Bytes::own(from_hex(python_streamed))), "s"),
            "streamedstreamedstreamedstreamed");
  for (const char* sample : {python_prepended, python_appended, python_streamed})
    EXPECT_EQ(said(from_hex(sample)), "accepted");
}

TEST(Zip, ReadsWhatItWrote) {
  const std::string file = small_archive();
  const ZipReader zip(Bytes::own(file));
  ASSERT_EQ(zip.entries().size(), 4u);
  EXPECT_EQ(zip.entries()[1].name, "a/long");
  EXPECT_LT(zip.entries()[1].packed_size, 100u);
  EXPECT_EQ(contents(zip, "a/data.pkl"), "pickle");
  EXPECT_EQ(contents(zip, "a/long"), std::string(5000, 'z'));
  EXPECT_EQ(contents(zip, "a/data/0"), "hello world");
  EXPECT_EQ(contents(zip, "empty"), "");
  EXPECT_EQ(zip.find("a"), nullptr);
  EXPECT_EQ(file, small_archive());
  EXPECT_TRUE(looks_like_zip(Bytes::own(file)));
  EXPECT_FALSE(looks_like_zip(Bytes::own("PK")));
}

TEST(Zip, StoredEntriesAreViews) {
  const Bytes file = Bytes::own(small_archive());
  const ZipReader zip(file);
  const Bytes part = zip.read(*zip.find("a/data/0"), limit);
  EXPECT_EQ(part.data(), file.data() + file.view().find("hello world"));
  EXPECT_EQ(part.owner(), file.owner());
}

TEST(Zip, AlignsStoredData) {
  for (const uint32_t alignment : {2u, 3u, 64u, 4096u}) {
    for (const size_t name : {1u, 7u, 29u, 30u, 31u, 32u, 33u, 34u, 35u, 60u}) {
      MemorySink sink;
      sink.write("before");
      ZipWriter writer(sink, alignment);
      writer.add(std::string(name, 'n'), "data");
      writer.stream("s", 4, [](Sink& out) { out.write("DATA"); });
      writer.finish();
      EXPECT_EQ(sink.text().find("data") % alignment, 0u) << alignment << " " << name;
      EXPECT_EQ(sink.text().find("DATA") % alignment, 0u) << alignment << " " << name;
      EXPECT_EQ(said(sink.text()), "accepted") << alignment << " " << name;
    }
  }
}

TEST(Zip, AnEmptyArchiveIsOne) {
  MemorySink sink;
  ZipWriter(sink).finish();
  EXPECT_EQ(sink.position(), 22u);
  EXPECT_TRUE(ZipReader(Bytes::own(sink.text())).entries().empty());
}

TEST(Zip, ManyEntriesNeedAWideEnd) {
  MemorySink sink;
  ZipWriter writer(sink);
  for (int i = 0; i < 65'536; ++i) writer.add(std::to_string(i), "x");
  writer.finish();
  const ZipReader plain(Bytes::own(sink.text())), moved(Bytes::own("before" + sink.text()));
  EXPECT_EQ(plain.entries().size(), 65'536u);
  EXPECT_EQ(contents(plain, "65535"), "x");
  EXPECT_EQ(contents(moved, "65535"), "x");
}

// Memory that costs nothing where only zeros are written.
class SparseSink : public Sink {
 public:
  explicit SparseSink(uint8_t* to) : to_(to) {}

 private:
  void put(const void* data, size_t size) override {
    const std::string_view text(static_cast<const char*>(data), size);
    if (text.find_first_not_of('\0') != std::string_view::npos) std::memcpy(to_ + position(), data, size);
  }

  uint8_t* to_;
};

TEST(Zip, LargeEntriesNeedWideSizesAndOffsets) {
  constexpr size_t room = size_t{5} << 30;
  void* memory =
      ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::shared_ptr<const void> owner(memory, [](void* start) { ::munmap(start, room); });
  SparseSink sink(static_cast<uint8_t*>(memory));
  ZipWriter writer(sink, 64);
  const uint64_t size = (uint64_t{1} << 32) + 5;
  writer.stream("large", size, [](Sink& out) {
    out.write_zeros(uint64_t{1} << 32);
    out.write("large");
  });
  writer.add("after", "small");
  writer.finish();
  const ZipReader zip(Bytes(memory, sink.position(), owner));
  EXPECT_EQ(contents(zip, "after"), "small");
  EXPECT_EQ(zip.find("large")->size, size);
  EXPECT_EQ(zip.read(*zip.find("large"), size).view().substr(size - 5), "large");
}

TEST(Zip, HoldsAProducerToItsSize) {
  for (const uint64_t size : {3u, 5u}) {
    MemorySink sink;
    ZipWriter writer(sink);
    EXPECT_THROW(writer.stream("s", size, [](Sink& out) { out.write("four"); }), Error) << size;
  }
}

TEST(Zip, RefusesTwoOfAName) {
  MemorySink sink;
  ZipWriter writer(sink);
  writer.add("same", "1");
  EXPECT_EQ(refusal([&] { writer.add("same", "2"); }), "two zip entries are named 'same'");
  writer.add("sane", "2");
  writer.finish();
  std::string file = sink.take();
  for (size_t at; (at = file.find("sane")) != std::string::npos;) file.replace(at, 4, "same");
  EXPECT_EQ(said(file), "the zip archive holds 'same' twice");
}

// One entry 'n' with 4 bytes: local header at 0, central header at 35, end at 82.
std::string changed(size_t at, std::string_view bytes) {
  MemorySink sink;
  ZipWriter writer(sink);
  writer.add("n", "data");
  writer.finish();
  return sink.take().replace(at, bytes.size(), bytes);
}

TEST(Zip, RefusesDamage) {
  const std::string_view ones("\xff\xff\xff\xff", 4);
  const std::string missing =
      "the end of the zip archive is missing: the file is cut short or is no zip archive";
  EXPECT_EQ(said(""), missing);
  EXPECT_EQ(said(std::string(100'000, 'x')), missing);
  EXPECT_EQ(said(changed(82 + 20, "\1")), missing);
  EXPECT_EQ(said(changed(82 + 4, "\1")), "zip archives in several parts are not supported");
  EXPECT_EQ(said(changed(82 + 8, "\2\2\2\2")), "the zip index of 47 bytes cannot hold 514 entries");
  EXPECT_EQ(said(changed(82 + 12, ones)), "the zip index lies outside the file");
  EXPECT_EQ(said(changed(82 + 16, ones)), "the zip index lies outside the file");
  EXPECT_EQ(said(changed(35, "X")), "entry 0 of the zip index is damaged");
  EXPECT_EQ(said(changed(35 + 28, ones)), "entry 0 of the zip index is cut short");
  EXPECT_EQ(said(changed(35 + 20, ones)), "a zip64 size or offset is missing");
  EXPECT_EQ(said(changed(35 + 42, "\x70")), "entry 'n' lies outside the zip archive");
  EXPECT_EQ(said(changed(35 + 42, "\x50")), "zip entry 'n': its header is damaged");
  EXPECT_EQ(said(changed(35 + 8, "\1")), "zip entry 'n': it is encrypted");
  EXPECT_EQ(said(changed(35 + 10, "\x0c")), "zip entry 'n': compression method 12 is not supported");
  EXPECT_EQ(said(changed(35 + 24, "\5")), "zip entry 'n': it is stored, but its two sizes differ");
  EXPECT_EQ(said(changed(35 + 20, "\x70")), "zip entry 'n': its data lies outside the file");
  EXPECT_EQ(said(changed(30, "m")), "zip entry 'n': its header bears another name");
  EXPECT_EQ(said(changed(31, "D")), "zip entry 'n': the checksum is wrong: the file is damaged");
}

TEST(Zip, ChecksDeflatedSizes) {
  const std::string packed = deflate(std::string(100'000, 'q'), DeflateFrame::raw);
  EXPECT_EQ(inflate(packed, 100'000, DeflateFrame::raw), std::string(100'000, 'q'));
  const auto said = [&](std::string_view text, uint64_t size) {
    return refusal([&] { inflate(text, size, DeflateFrame::raw); });
  };
  EXPECT_EQ(said(packed, 99'999), "compressed data is longer than the 99999 bytes stated");
  EXPECT_EQ(said(packed, 100'001), "compressed data holds 100000 bytes, not the 100001 stated");
  EXPECT_EQ(said(packed + "x", 100'000), "1 bytes follow the compressed data");
  EXPECT_EQ(said("", 0), "compressed data ends early, after 0 of 0 bytes");
  EXPECT_EQ(said("\xff\xff", 10), "compressed data is damaged");
  EXPECT_EQ(said(packed, ~uint64_t{0}),
            fmt::format("{} compressed bytes cannot hold 18446744073709551615 bytes", packed.size()));
  EXPECT_EQ(inflate(deflate("", DeflateFrame::zlib), 0, DeflateFrame::zlib), "");
}

TEST(Zip, KeepsToTheLimit) {
  const ZipReader zip(Bytes::own(small_archive()));
  const ZipEntry& entry = *zip.find("a/long");
  EXPECT_EQ(zip.read(entry, 5000).size(), 5000u);
  EXPECT_EQ(refusal([&] { zip.read(entry, 4999); }),
            "zip entry 'a/long': its 5000 bytes are more than the 4999 allowed");
}

TEST(Zip, SurvivesDamagedFiles) {
  for (const std::string& sample :
       {small_archive(16), from_hex(python_prepended), from_hex(python_streamed)}) {
    EXPECT_GT(damage(sample, 3000, read_all), 1000);
  }
}

}  // namespace
}  // namespace remodel
