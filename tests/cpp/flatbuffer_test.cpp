#include "wire/flatbuffer.h"

#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include "damage.h"
#include "refusal.h"

namespace remodel {
namespace {

constexpr flatbuffers::voffset_t field(int slot) { return static_cast<flatbuffers::voffset_t>(4 + 2 * slot); }

// {0: -7 as i32, 1: "text", 2: [1.5, -2] as f32, 3: [{0: 1 as u8}, {}], 5: 2^40 as i64}; 4 is absent.
std::string sample() {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString("text");
  const auto reals = builder.CreateVector(std::vector<float>{1.5f, -2});
  std::vector<flatbuffers::Offset<flatbuffers::Table>> tables;
  for (const uint8_t number : {1, 0}) {
    const auto start = builder.StartTable();
    builder.AddElement<uint8_t>(field(0), number, 0);
    tables.emplace_back(builder.EndTable(start));
  }
  const auto list = builder.CreateVector(tables);
  const auto start = builder.StartTable();
  builder.AddElement<int32_t>(field(0), -7, 0);
  builder.AddOffset(field(1), text);
  builder.AddOffset(field(2), reals);
  builder.AddOffset(field(3), list);
  builder.AddElement<int64_t>(field(5), int64_t{1} << 40, 0);
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start)), "TEST");
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

TEST(Flatbuffer, ReadsWhatTheLibraryWrites) {
  const std::string file = sample();
  const FlatTable root = FlatTable::root(file);
  EXPECT_EQ(root.number<int32_t>(0), -7);
  EXPECT_EQ(root.text(1), "text");
  EXPECT_EQ(root.numbers<float>(2), (std::vector<float>{1.5f, -2}));
  const std::vector<FlatTable> tables = root.tables(3);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].number<uint8_t>(0), 1);
  EXPECT_FALSE(tables[1].has(0));
  EXPECT_EQ(tables[1].number<uint8_t>(0, 9), 9);
  EXPECT_FALSE(root.has(4));
  EXPECT_FALSE(root.table(4));
  EXPECT_EQ(root.text(4), "");
  EXPECT_EQ(root.number<int64_t>(5), int64_t{1} << 40);
  EXPECT_FALSE(root.has(6));
}

TEST(Flatbuffer, RefusesAFieldThatTheTableHasNoRoomFor) {
  const std::string file = sample();
  EXPECT_NE(
      refusal([&] { FlatTable::root(file).tables(3)[0].number<int64_t>(0); }).find("lies outside of it"),
      std::string::npos);
}

TEST(Flatbuffer, BoundsWhatLeadsToTheSamePlaces) {
  // A vector of 1000 tables, all the same one, which has a vector of 1000 tables...
  flatbuffers::FlatBufferBuilder builder;
  flatbuffers::Offset<flatbuffers::Table> table;
  for (int level = 0; level < 4; ++level) {
    const auto list =
        builder.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::Table>>(level ? 1000 : 0, table));
    const auto start = builder.StartTable();
    builder.AddOffset(field(0), list);
    table = flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start));
  }
  builder.Finish(table);
  const std::string file(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  const std::string text = refusal([&] {
    for (const FlatTable& a : FlatTable::root(file).tables(0))
      for (const FlatTable& b : a.tables(0)) b.tables(0);
  });
  EXPECT_NE(text.find("too often"), std::string::npos);
}

TEST(Flatbuffer, SurvivesDamage) {
  const int refused = damage(sample(), 20'000, [](const Bytes& bytes) {
    const FlatTable root = FlatTable::root(bytes.view());
    root.number<int32_t>(0);
    root.text(1);
    root.numbers<float>(2);
    for (const FlatTable& one : root.tables(3)) one.number<uint8_t>(0);
    root.number<int64_t>(5);
  });
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace remodel
