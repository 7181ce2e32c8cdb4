#include "base/nearest.h"

#include <gtest/gtest.h>

namespace remodel {
namespace {

using Names = std::vector<std::string>;

TEST(Nearest, FindsSlipsOfTheHand) {
  const Names names{"--opset", "--outputs", "--quiet", "-q", "--input-shape"};
  EXPECT_EQ(nearest_names("--opst", names, 1), Names{"--opset"});
  EXPECT_EQ(nearest_names("--ospet", names, 1), Names{"--opset"});
  EXPECT_EQ(nearest_names("--input_shape", names, 1), Names{"--input-shape"});
  EXPECT_EQ(nearest_names("--INPUT-SHAPE", names, 1), Names{"--input-shape"});
  EXPECT_EQ(nearest_names("--zzzzzzz", names), Names{});
}

TEST(Nearest, ShortNamesMustBeNearer) {
  EXPECT_EQ(nearest_names("idx", {"x", "ids", "y"}), Names{"ids"});
  EXPECT_EQ(nearest_names("", {"x"}), Names{"x"});
}

TEST(Nearest, PartsOfNamesAreFound) {
  EXPECT_EQ(nearest_names("conv5", {"model/conv5/output", "model/conv4/output"}),
            Names{"model/conv5/output"});
}

TEST(Nearest, OrdersByDistanceThenAsGiven) {
  EXPECT_EQ(nearest_names("layer1", {"layer22", "layer3", "layer2"}, 3),
            (Names{"layer3", "layer2", "layer22"}));
  EXPECT_EQ(nearest_names("aaaa", {"aaab", "aaab", "aaac"}, 3), (Names{"aaab", "aaac"}));
}

TEST(Nearest, Words) {
  EXPECT_EQ(quoted_list({"a"}), "'a'");
  EXPECT_EQ(quoted_list({"a", "b", "c"}), "'a', 'b' or 'c'");
  EXPECT_EQ(quoted_list({"a", "b"}, "and"), "'a' and 'b'");
  EXPECT_EQ(did_you_mean("opst", {"opset"}), " (did you mean 'opset'?)");
  EXPECT_EQ(did_you_mean("qqq", {"opset"}), "");
}

}  // namespace
}  // namespace remodel
