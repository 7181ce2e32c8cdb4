#include "run/made_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ir/text.h"
#include "run/cost.h"
#include "run/input_uses.h"
#include "run/kernel.h"
#include "run/runner.h"
#include "run/traits.h"

namespace remodel {
namespace {

// The inputs of both sets, under the likeliest sizes; the graph runs on both.
std::vector<std::vector<Datum>> sets_of(const std::string& text) {
  GraphPtr graph = parse_graph(text, find_op);
  ChosenSizes sizes = choose_sizes(*graph, {}).front();
  Pool pool(1);
  std::vector<std::vector<Datum>> sets;
  for (int set : {0, 1}) {
    sets.push_back(make_inputs(*sizes.graph, set));
    Runner(pool).run(*graph, sets.back());
  }
  return sets;
}
std::pair<double, double> extent(const Datum& datum) {
  auto values = datum.tensor.doubles();
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

TEST(MadeInputs, AreTheSameForTheSameSeedAndDifferBetweenSets) {
  GraphPtr graph = parse_graph("graph g(x: f32[2, 5]) { y = relu(x) return y }", find_op);
  auto values = [&](int set, uint64_t seed) { return make_inputs(*graph, set, seed)[0].tensor.doubles(); };
  EXPECT_EQ(values(0, 1), values(0, 1));
  EXPECT_NE(values(0, 1), values(1, 1));
  EXPECT_NE(values(0, 1), values(0, 2));
  for (double value : values(0, 1)) EXPECT_LT(std::abs(value), 2.1);
}

TEST(MadeInputs, KeepIndicesInsideTheirTable) {
  auto sets = sets_of(R"(graph g(ids: i64[N, T]) {
    table: f32[7, 4] = random 1
    one: i64[] = const [2]
    a = cast(ids) {to: i32}
    b = unsqueeze(a) {axes: [2]}
    shifted = add(ids, one)
    y = gather(table, b) {axis: 0}
    z = gather(table, shifted) {axis: 0}
    return y, z
  })");
  for (const auto& set : sets) {
    auto [low, high] = extent(set[0]);
    EXPECT_GE(low, 0);
    EXPECT_LE(high, 4);  // shifted by 2 it must still be below 7
  }
}

TEST(MadeInputs, SurvivePytorchsWrappingOfNegativeIndices) {
  auto sets = sets_of(R"(graph g(ids: i64[6]) {
    table: f32[5, 2] = random 1
    zero: i64[] = const [0]
    five: i64[] = const [5]
    negative = less(ids, zero)
    moved = add(ids, five)
    chosen = select(negative, moved, ids)
    y = gather(table, chosen)
    return y
  })");
  for (const auto& set : sets) EXPECT_GE(extent(set[0]).first, 0);
}

TEST(MadeInputs, GiveMasksBothKinds) {
  auto sets = sets_of(R"(graph g(x: f32[2, 6], keep: i64[2, 6], flag: bool[2, 6]) {
    zero: i64[] = const [0]
    k = greater(keep, zero)
    both = and(k, flag)
    nothing: f32[] = const [0]
    y = select(both, x, nothing)
    return y
  })");
  for (const auto& set : sets)
    for (size_t input : {1, 2}) {
      auto values = set[input].tensor.ints();
      for (int64_t row = 0; row < 2; ++row) {
        EXPECT_EQ(values[row * 6], 1);
        EXPECT_EQ(values[row * 6 + 5], 0);
        EXPECT_TRUE(std::is_sorted(values.begin() + row * 6, values.begin() + row * 6 + 6, std::greater<>()));
      }
    }
}

TEST(MadeInputs, KnowMasksByName) {
  auto sets =
      sets_of(R"(graph g(attention_mask: i64[3, 5]) { y = cast(attention_mask) {to: f32} return y })");
  for (const auto& set : sets) EXPECT_EQ(extent(set[0]), std::pair(0.0, 1.0));
}

TEST(MadeInputs, TakeTheWholeRangeOfBytes) {
  auto sets =
      sets_of("graph g(x: u8[500], y: i8[500]) { a = cast(x) {to: f32} b = cast(y) {to: f32} return a, b }");
  EXPECT_GE(extent(sets[0][0]).first, 0);
  EXPECT_GT(extent(sets[0][0]).second, 200);
  EXPECT_LT(extent(sets[0][1]).first, -100);
}

TEST(MadeInputs, StayInTheDomainOfFunctions) {
  auto sets = sets_of(R"(graph g(x: f32[50], y: f32[50], n: i64[50], z: f32[50]) {
    two: f32[] = const [2]
    moved = sub(x, two)
    a = log(moved)
    b = sqrt(y)
    seven: i64[] = const [7]
    c = div(seven, n) {rounding: trunc}
    d = acos(z)
    return a, b, c, d
  })");
  for (const auto& set : sets) {
    EXPECT_GT(extent(set[0]).first, 2);
    EXPECT_GE(extent(set[1]).first, 0);
    EXPECT_GE(extent(set[2]).first, 1);
    EXPECT_LE(extent(set[3]).second, 1);
    EXPECT_GE(extent(set[3]).first, -1);
  }
}

TEST(MadeInputs, GiveConditionsBothValues) {
  auto sets = sets_of(R"(graph g(cond: bool[], x: f32[3]) {
    y = if(cond, x) {then: graph a(x: f32[3]) { r = relu(x) return r }, else: graph b(x: f32[3]) { r = neg(x) return r }}
    return y
  })");
  EXPECT_EQ(sets[0][0].tensor.ints(), std::vector<int64_t>{1});
  EXPECT_EQ(sets[1][0].tensor.ints(), std::vector<int64_t>{0});
}

TEST(MadeInputs, LookIntoBodies) {
  auto sets = sets_of(R"(graph g(cond: bool[], ids: i32[4]) {
    y = if(cond, ids) {
      then: graph a(ids: i32[4]) { t: f32[3, 2] = random 1  r = gather(t, ids) return r },
      else: graph b(ids: i32[4]) { t: f32[6, 2] = random 2  r = gather(t, ids) return r }}
    return y
  })");
  for (const auto& set : sets) EXPECT_LE(extent(set[1]).second, 2);
}

TEST(MadeInputs, MakeShapesForThoseWhoReadThem) {
  auto sets = sets_of(R"(graph g(x: f32[2, 3, 4], shape: i64[2], to: i64[3], repeats: i64[3]) {
    a = reshape(x, shape)
    y: f32[1, 3, 1] = random 3
    b = expand(y, to)
    c = tile(x, repeats)
    return a, b, c
  })");
  EXPECT_EQ(sets[0][1].tensor.ints(), (std::vector<int64_t>{-1, 4}));
  EXPECT_EQ(sets[0][2].tensor.ints(), (std::vector<int64_t>{2, 3, 2}));
}

TEST(MadeInputs, NameAxesThatAreThere) {
  auto sets = sets_of(R"(graph g(x: f32[2, 1, 4, 1], over: i64[2], ones: i64[2], more: i64[3], along: i32[]) {
    a = reduce(x, over)
    b = squeeze(x, ones)
    c = unsqueeze(x, more)
    d = cumulate(x, along)
    return a, b, c, d
  })");
  EXPECT_EQ(sets[0][1].tensor.ints(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(sets[0][2].tensor.ints(), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(sets[0][3].tensor.ints(), (std::vector<int64_t>{0, 1, 2}));
  for (const auto& set : sets) {
    EXPECT_GE(set[4].tensor.ints()[0], 0);
    EXPECT_LT(set[4].tensor.ints()[0], 4);
  }
}

TEST(MadeInputs, SuitWhatPicksBatchesRatiosAndParts) {
  auto sets =
      sets_of(R"(graph g(x: f32[2, 3, 8, 8], rois: f32[5, 4], batch: i64[5], ratio: f32[], parts: i64[3]) {
    a = roi_align(x, rois, batch) {height: 2, width: 2}
    b = list_split(x, parts) {axis: 2}
    yes: bool[] = const [1]
    c, d = dropout(x, ratio, yes)
    return a, b, c
  })");
  for (const auto& set : sets) {
    EXPECT_GE(extent(set[2]).first, 0);
    EXPECT_LE(extent(set[2]).second, 1);
    EXPECT_GT(set[3].tensor.doubles()[0], 0);
    EXPECT_LT(set[3].tensor.doubles()[0], 1);
    EXPECT_EQ(set[4].tensor.ints(), (std::vector<int64_t>{4, 2, 2}));
  }
}

TEST(InputSizes, SolveTheGraphsOwnArithmetic) {
  // Only a width of 32 gives the 48 features that the matrix wants.
  GraphPtr graph = parse_graph(R"(graph g(x: f32[batch, 3, W, W]) {
    w: f32[3, 3, 8, 8] = random 1
    m: f32[48, 2] = random 2
    c = conv(x, w) {strides: [8, 8], dilations: [1, 1], pads_low: [0, 0], pads_high: [0, 0]}
    f = reshape(c) {shape: [batch, 3*floor(W, 8)*floor(W, 8)]}
    y = matmul(f, m)
    return y
  })",
                               find_op);
  ChosenSizes sizes = choose_sizes(*graph, {}).front();
  EXPECT_EQ(sizes.text(), "W = 32, batch = 2");
  EXPECT_EQ(sizes.graph->value(sizes.graph->outputs[0].value).type.text(), "f32[2, 2]");
}

TEST(InputSizes, FollowTheUserAndRefuseContradictions) {
  GraphPtr graph =
      parse_graph("graph g(x: f32[N, 3], y: f32[N, 4]) { a = relu(x) b = relu(y) return a, b }", find_op);
  SizeWishes wishes;
  wishes.given = {{"x", {5, 3}}};
  EXPECT_EQ(choose_sizes(*graph, wishes).front().text(), "N = 5");
  wishes.given = {{"x", {5, 4}}};
  EXPECT_THROW(choose_sizes(*graph, wishes), Error);
  wishes.given = {{"x", {5, 3}}, {"y", {6, 4}}};
  EXPECT_THROW(choose_sizes(*graph, wishes), Error);
  wishes.given = {{"z", {5, 3}}};
  EXPECT_THROW(choose_sizes(*graph, wishes), Error);
}

TEST(InputSizes, AddUpTotals) {
  GraphPtr graph = parse_graph(
      R"(graph g(a: f32[batch, past_length, 4], b: f32[batch, length, 4], mask: f32[batch, total_length, 1]) {
    c = concat(a, b) {axis: 1}
    y = mul(c, mask)
    return y
  })",
      find_op);
  ChosenSizes sizes = choose_sizes(*graph, {}).front();
  int64_t past = sizes.sizes.at("past_length").number(), length = sizes.sizes.at("length").number();
  EXPECT_EQ(sizes.sizes.at("total_length").number(), past + length);
  EXPECT_NE(past, length);
}

TEST(InputSizes, DifferBetweenVariants) {
  GraphPtr graph = parse_graph("graph g(x: f32[batch, seq, 3]) { y = relu(x) return y }", find_op);
  SizeWishes second;
  second.variant = 1;
  EXPECT_NE(choose_sizes(*graph, {}).front().text(), choose_sizes(*graph, second).front().text());
}

// A name that no op has does nothing, silently: catch typing errors and renamed ops.
TEST(OpTables, NameOpsThatExist) {
  for (const auto& names : {input_use_ops(), multiply_add_ops(), decision_ops()})
    for (std::string_view name : names) EXPECT_TRUE(find_op(name)) << name;
}

}  // namespace
}  // namespace remodel
