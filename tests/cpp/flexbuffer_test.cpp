#include "wire/flexbuffer.h"

#include <flatbuffers/flexbuffers.h>
#include <gtest/gtest.h>

#include "damage.h"
#include "refusal.h"

namespace remodel {
namespace {

std::string sample() {
  flexbuffers::Builder builder;
  builder.Map([&] {
    builder.Int("small", -3);
    builder.Int("large", int64_t{1} << 40);
    builder.UInt("whole", 200);
    builder.Float("real", 0.6f);
    builder.Double("wide", -1e300);
    builder.Bool("yes", true);
    builder.String("text", "words");
    builder.Vector("list", [&] { builder.Int(1); });
  });
  builder.Finish();
  return std::string(builder.GetBuffer().begin(), builder.GetBuffer().end());
}

TEST(Flexbuffer, ReadsWhatTheLibraryWrites) {
  const std::vector<FlexEntry> entries = parse_flex_map(sample());
  ASSERT_EQ(entries.size(), 8u);  // in order of their keys
  EXPECT_EQ(entries[0].key, "large");
  EXPECT_EQ(entries[0].integer_value, int64_t{1} << 40);
  EXPECT_EQ(entries[1].kind, FlexEntry::other);
  EXPECT_EQ(entries[2].real_value, 0.6f);
  EXPECT_EQ(entries[3].number(), -3);
  EXPECT_EQ(entries[4].text_value, "words");
  EXPECT_EQ(entries[5].integer_value, 200);
  EXPECT_EQ(entries[6].real_value, -1e300);
  EXPECT_EQ(entries[7].kind, FlexEntry::truth);
  EXPECT_EQ(entries[7].number(), 1);
  EXPECT_NE(refusal([&] { entries[4].number(); }).find("'text' is no number"), std::string::npos);
}

TEST(Flexbuffer, RefusesWhatIsNoMap) {
  flexbuffers::Builder builder;
  builder.Int(5);
  builder.Finish();
  const std::string buffer(builder.GetBuffer().begin(), builder.GetBuffer().end());
  EXPECT_EQ(refusal([&] { parse_flex_map(buffer); }), "a flexbuffer holds no map");
  EXPECT_EQ(refusal([&] { parse_flex_map("x"); }), "a flexbuffer is cut short");
}

TEST(Flexbuffer, SurvivesDamage) {
  const int refused = damage(sample(), 20'000, [](const Bytes& bytes) { parse_flex_map(bytes.view()); });
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace remodel
