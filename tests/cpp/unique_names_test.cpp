#include "base/unique_names.h"

#include <gtest/gtest.h>

namespace remodel {
namespace {

TEST(UniqueNames, WishesAreGrantedWhereFree) {
  UniqueNames names("_");
  EXPECT_EQ(names.take("a"), "a");
  EXPECT_EQ(names.take("b"), "b");
}

TEST(UniqueNames, NumbersTakenByOthersAreLeftOut) {
  UniqueNames names("_");
  names.take("a");
  names.take("a_1");
  names.take("a_3");
  EXPECT_EQ(names.take("a"), "a_2");
  EXPECT_EQ(names.take("a"), "a_4");
  EXPECT_EQ(names.take("a_1"), "a_1_1");
}

TEST(UniqueNames, ManyEqualWishesTakeLinearTime) {
  UniqueNames names("/");
  for (int i = 0; i < 1'000'000; ++i) names.take("same");
  EXPECT_EQ(names.take("same"), "same/1000000");
}

}  // namespace
}  // namespace remodel
