#include "base/utf8.h"

#include <gtest/gtest.h>

namespace remodel {
namespace {

TEST(Utf8, EveryCodePointGoesThereAndBack) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    std::string text;
    append_utf8(text, code);
    ASSERT_EQ(utf8_length(text, 0), text.size()) << code;
    ASSERT_EQ(utf8_code(text, 0), code);
    if (text.size() > 1) {
      ASSERT_EQ(utf8_length(text.substr(0, text.size() - 1), 0), 0u) << code;
    }
  }
}

TEST(Utf8, RefusesOtherBytes) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1", "\xc3"}) {
    EXPECT_EQ(utf8_length(text, 0), 0u) << text;
    EXPECT_FALSE(is_utf8("ok" + std::string(text)));
  }
  EXPECT_TRUE(is_utf8("é€😀"));
}

TEST(Utf8, ReplacesWhatUnicodeLacks) {
  for (const uint32_t code : {0xd800u, 0xdfffu, 0x110000u, 0xffffffffu}) {
    std::string text;
    append_utf8(text, code);
    EXPECT_EQ(text, "\xef\xbf\xbd");
  }
}

TEST(Utf8, ShowsWhatCanBeShown) {
  EXPECT_EQ(printable("layer/é€😀 'a'"), "layer/é€😀 'a'");
  EXPECT_EQ(printable("\x1b[2J\n\x7f"), "\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");
}

}  // namespace
}  // namespace remodel
