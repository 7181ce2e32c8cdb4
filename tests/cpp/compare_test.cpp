#include "run/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace remodel {
namespace {

Datum floats(Shape shape, std::vector<float> values) { return Tensor::of<float>(DType::f32, shape, values); }
Datum integers(std::vector<int64_t> values) { return Tensor::of_ints(values); }
constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

TEST(Compare, MeasuresErrorsAgainstTheReferencesRange) {
  Comparison found = compare(floats({3}, {-2, 0, 2}), floats({3}, {-2, 0.001f, 2}), 1e-4);
  EXPECT_NEAR(found.error, 0.00025, 1e-8);
  EXPECT_FALSE(found.equal);
  EXPECT_EQ(found.difference.substr(0, 27), "error 0.00025 of the range:");
  EXPECT_TRUE(compare(floats({3}, {-2, 0, 2}), floats({3}, {-2, 0.001f, 2}), 1e-3).equal);
}

TEST(Compare, TakesTheMagnitudeWhereAllElementsAreOne) {
  EXPECT_NEAR(compare(floats({}, {50}), floats({}, {51}), 0.1).error, 0.02, 1e-9);
  EXPECT_NEAR(compare(floats({2}, {0, 0}), floats({2}, {0, 0.5}), 1).error, 0.5, 1e-9);
}

TEST(Compare, AllowsAFewStepsOfTheType) {
  // 1e6 + 1 in f32 has steps of 1/16, which is more than 1e-4 of this range of 1/4.
  Comparison found =
      compare(floats({2}, {1000000, 1000000.25f}), floats({2}, {1000000.0625f, 1000000.25f}), 1e-4);
  EXPECT_TRUE(found.equal) << found.difference;
  EXPECT_GT(found.tolerance, 0.25);
}

TEST(Compare, WantsNanAndInfinitiesInTheSamePlaces) {
  EXPECT_TRUE(compare(floats({3}, {nan, inf, 1}), floats({3}, {nan, inf, 1}), 0).equal);
  Comparison found = compare(floats({3}, {1, 2, 3}), floats({3}, {1, nan, 3}), 1);
  EXPECT_FALSE(found.equal);
  EXPECT_EQ(found.difference, "1 of 3 elements are finite on one side only, or NaN: nan instead of 2 at [1]");
  EXPECT_FALSE(compare(floats({2}, {inf, 1}), floats({2}, {-inf, 1}), 1).equal);
  EXPECT_FALSE(compare(floats({2}, {nan, 1}), floats({2}, {inf, 1}), 1).equal);
}

TEST(Compare, WantsIntegersAndTextsEqual) {
  Comparison found = compare(integers({1, 2, 3, 4}), integers({1, 2, 4, 4}), 1);
  EXPECT_FALSE(found.equal);
  EXPECT_EQ(found.error, 0.25);
  EXPECT_EQ(found.difference, "1 of 4 elements differ: 4 instead of 3 at [2]");
  Datum a = Tensor::of<std::string>(DType::string, {2}, {"a", "b"});
  Datum b = Tensor::of<std::string>(DType::string, {2}, {"a", "c"});
  EXPECT_EQ(compare(a, b, 1).difference, "1 of 2 elements differ: 'c' instead of 'b' at [1]");
  EXPECT_TRUE(compare(a, a, 0).equal);
  Datum big = Tensor::of<uint64_t>(DType::u64, {1}, {UINT64_MAX}),
        small = Tensor::of<uint64_t>(DType::u64, {1}, {1});
  EXPECT_EQ(compare(big, small, 1).difference,
            "1 of 1 elements differ: 1 instead of 18446744073709551615 at [0]");
}

TEST(Compare, TellsTypesAndShapesApart) {
  EXPECT_EQ(compare(floats({2, 3}, {1, 2, 3, 4, 5, 6}), floats({3, 2}, {1, 2, 3, 4, 5, 6}), 1).difference,
            "its shape is [3, 2] instead of [2, 3]");
  Datum wide = Tensor::of<double>(DType::f64, {2}, {1, 2}), narrow = floats({2}, {1, 2});
  EXPECT_EQ(compare(wide, narrow, 1).difference, "it is f32 instead of f64");
  EXPECT_TRUE(compare(wide, narrow, 0, true).equal);
  EXPECT_EQ(compare(wide, integers({1, 2}), 1, true).difference, "it is i64 instead of f64");
  EXPECT_EQ(compare(wide, Datum(), 1).difference, "it is no value instead of a tensor");
}

TEST(Compare, GoesIntoLists) {
  Datum a = Datum::list({integers({1}), floats({1}, {2})}),
        b = Datum::list({integers({1}), floats({1}, {3})});
  EXPECT_TRUE(compare(a, a, 0).equal);
  EXPECT_EQ(compare(a, b, 0.1).difference.substr(0, 8), "item 1: ");
  EXPECT_EQ(compare(a, Datum::list({}), 1).difference, "it has 0 items instead of 2");
}

TEST(Compare, ComplexNumbersByTheirParts) {
  Datum a = Tensor::of<std::complex<float>>(DType::c64, {2}, {{1, 0}, {0, 3}});
  Datum b = Tensor::of<std::complex<float>>(DType::c64, {2}, {{1, 0}, {0, 2}});
  EXPECT_TRUE(compare(a, a, 0).equal);
  EXPECT_NEAR(compare(a, b, 0).error, 1.0 / 3, 1e-6);
}

TEST(NearTies, AreChoicesBetweenNearlyEqualScores) {
  Tensor scores = Tensor::of<float>(DType::f32, {2, 3}, {0, 1, 1.00001f, 5, 4, 0});
  Tensor first = Tensor::of_ints({1, 0}), second = Tensor::of_ints({2, 0}), wrong = Tensor::of_ints({2, 1});
  EXPECT_TRUE(nearly_tied(scores, 1, first, second, 1e-4));
  EXPECT_FALSE(nearly_tied(scores, 1, first, second, 1e-7));
  EXPECT_FALSE(nearly_tied(scores, 1, first, wrong, 1e-4));
  EXPECT_FALSE(nearly_tied(scores, 1, first, Tensor::of_ints({7, 0}), 1));
}

TEST(NearTies, FindTheScoresAlongAnyAxis) {
  // Along axis 0: column 0 is tied between rows 0 and 1, column 1 is not.
  Tensor scores = Tensor::of<float>(DType::f32, {2, 2}, {3, 1, 3, 9});
  EXPECT_TRUE(nearly_tied(scores, 0, Tensor::of_ints({0, 1}), Tensor::of_ints({1, 1}), 1e-6));
  EXPECT_FALSE(nearly_tied(scores, 0, Tensor::of_ints({0, 1}), Tensor::of_ints({0, 0}), 1e-6));
}

TEST(OneStep, IsAllThatRoundingMoves) {
  auto bytes = [](std::vector<int> values) {
    return Tensor::of<int8_t>(DType::i8, {int64_t(values.size())}, {values.begin(), values.end()});
  };
  EXPECT_TRUE(within_one_step(bytes({-128, 5}), bytes({-127, 4})));
  EXPECT_FALSE(within_one_step(bytes({-128, 5}), bytes({-126, 5})));
  Tensor low = Tensor::of_ints({INT64_MIN}), high = Tensor::of_ints({INT64_MAX});
  EXPECT_FALSE(within_one_step(low, high));
}

TEST(Overlap, ComparesWhatBothHave) {
  Datum small = floats({1, 2}, {1, 2}), large = floats({2, 3}, {1, 2, 3, 4, 5, 6}),
        other = floats({2, 3}, {1, 9, 3, 4, 5, 6});
  EXPECT_TRUE(same_overlap(small, large));
  EXPECT_FALSE(same_overlap(small, other));
  EXPECT_FALSE(same_overlap(floats({}, {1}), floats({}, {2})));
  EXPECT_TRUE(same_overlap(floats({}, {1}), floats({}, {1})));
  EXPECT_TRUE(same_overlap(floats({0, 2}, {}), floats({0, 2}, {})));
  EXPECT_FALSE(same_overlap(floats({0, 2}, {}), floats({1, 2}, {1, 2})));
  EXPECT_FALSE(same_overlap(floats({2, 1, 2}, {1, 2, 3, 4}), floats({2, 1, 2}, {1, 2, 3, 5})));
}

}  // namespace
}  // namespace remodel
