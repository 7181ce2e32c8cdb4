#include "passes/loops.h"

#include "ops/control.h"

#include <gtest/gtest.h>

#include "ir/infer.h"
#include "ir/text.h"
#include "run/kernel.h"
#include "run/runner.h"

namespace remodel {
namespace {

GraphPtr parse(std::string_view text) { return parse_graph(text, find_op); }

std::vector<Datum> run(const Graph& graph, std::vector<Datum> inputs) {
  Pool pool(1);
  return Runner(pool).run(graph, std::move(inputs));
}

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::of<float>(DType::f32, shape, values);
}

void expect_same(const Datum& a, const Datum& b) {
  ASSERT_EQ(a.kind, b.kind);
  if (a.kind == Datum::list_kind) {
    ASSERT_EQ(a.items->size(), b.items->size());
    for (size_t i = 0; i < a.items->size(); ++i) expect_same((*a.items)[i], (*b.items)[i]);
    return;
  }
  if (!a.is_tensor()) return;
  EXPECT_EQ(a.tensor.dtype(), b.tensor.dtype());
  EXPECT_EQ(a.tensor.shape(), b.tensor.shape());
  EXPECT_EQ(a.tensor.bytes().view(), b.tensor.bytes().view());
}

std::string type_of(const Graph& graph, size_t output) {
  return graph.value(graph.outputs[output].value).type.text();
}

// The graph after the passes, which give what it gave before.
struct Simplified {
  Simplified(std::string_view text, std::vector<Datum> inputs) : graph(parse(text)) {
    auto before = run(*graph, inputs);
    simplify_loops(*graph, counts);
    simplify_loops(*graph, counts);
    graph->drop_dead();
    EXPECT_EQ(verify(*graph), std::vector<std::string>());
    auto after = run(*graph, inputs);
    EXPECT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size() && i < after.size(); ++i) expect_same(before[i], after[i]);
  }
  int count(std::string_view rule) const {
    for (const RuleCount& one : counts)
      if (one.name == rule) return one.count;
    return 0;
  }
  const Loop* loop() const {
    for (NodeId id : graph->order())
      if (auto op = graph->node(id).op.as<Loop>()) return op;
    return nullptr;
  }
  GraphPtr graph;
  std::vector<RuleCount> counts;
};

const char* const sums = R"(graph main(x: f32[T, 2], s: f32[2]) {
  final: f32[2], all: f32[T, 2] = loop(_, _, _, s, x) {body: graph step(a: f32[2], b: f32[2]) {
    c: f32[2] = add(a, b)
    return c, c2: c
  }, carried: 1, step_axes: [0], step_reversed: [0], stack_axes: [0], stack_reversed: [0]}
  return final, all
})";

TEST(Loop, CarriesSlicesAndStacks) {
  auto graph = parse(sums);
  auto results = run(*graph, {floats({3, 2}, {1, 2, 3, 4, 5, 6}), floats({2}, {10, 20})});
  expect_same(results[0], floats({2}, {19, 32}));
  expect_same(results[1], floats({3, 2}, {11, 22, 14, 26, 19, 32}));
}

TEST(Loop, WithoutStepsGivesTheFirstValuesAndEmptyStacks) {
  auto results = run(*parse(sums), {floats({0, 2}, {}), floats({2}, {10, 20})});
  expect_same(results[0], floats({2}, {10, 20}));
  EXPECT_EQ(results[1].tensor.shape(), (Shape{0, 2}));
}

TEST(Loop, SlicesAndStacksAlongAnyAxisFromEitherEnd) {
  auto graph = parse(R"(graph main(x: f32[2, T]) {
    y: f32[2, T] = loop(_, _, _, x) {body: graph step(a: f32[2]) { return a },
      step_axes: [-1], step_reversed: [1], stack_axes: [1], stack_reversed: [0]}
    z: f32[T, 2] = loop(_, _, _, x) {body: graph step(a: f32[2]) { return a },
      step_axes: [1], step_reversed: [1], stack_axes: [0], stack_reversed: [1]}
    return y, z
  })");
  auto results = run(*graph, {floats({2, 3}, {1, 2, 3, 4, 5, 6})});
  expect_same(results[0], floats({2, 3}, {3, 2, 1, 6, 5, 4}));
  expect_same(results[1], floats({3, 2}, {1, 4, 2, 5, 3, 6}));
}

TEST(Loop, SizesThatChangeGetNamesOfTheirOwn) {
  auto graph = parse(R"(graph main(x: f32[1, 2], n: i64[]) {
    y = loop(n, _, _, x) {body: graph step(a: f32[1, 2]) {
      b = concat(a, a) {axis: 0}
      return b
    }, carried: 1}
    return y
  })");
  EXPECT_EQ(type_of(*graph, 0).substr(0, 5), "f32[_");
  auto results = run(*graph, {floats({1, 2}, {1, 2}), Tensor::of<int64_t>(DType::i64, {}, {3})});
  EXPECT_EQ(results[0].tensor.shape(), (Shape{8, 2}));
}

TEST(Loop, GoesOnWhileItsConditionHolds) {
  auto graph = parse(R"(graph main(x: i64[], go: bool[]) {
    y: i64[] = loop(_, go, _, x) {body: graph step(a: i64[]) {
      ten: i64[] = const [10]
      b = add(a, a)
      more = less(b, ten)
      return more, b
    }, carried: 1, gives_condition: true}
    return y
  })");
  auto one = Tensor::of<int64_t>(DType::i64, {}, {1});
  auto yes = Tensor::of<uint8_t>(DType::boolean, {}, {1}), no = Tensor::of<uint8_t>(DType::boolean, {}, {0});
  EXPECT_EQ(run(*graph, {one, yes})[0].tensor.ints()[0], 16);
  EXPECT_EQ(run(*graph, {one, no})[0].tensor.ints()[0], 1);
}

TEST(Loop, RefusesToRunForEver) {
  auto graph = parse(
      "graph g(x: f32[]) { y = loop(_, _, _, x) {body: graph b(a: f32[]) { return a }, carried: 1} return y "
      "}");
  EXPECT_THROW(run(*graph, {floats({}, {1})}), Error);
}

TEST(If, JoinsTheTypesOfItsBranches) {
  auto graph = parse(R"(graph main(c: bool[], x: f32[N, 2], y: f32[N, 3]) {
    z = if(c, x, y) {then: graph t(a: f32[N, 2], b: f32[N, 3]) { return a },
                     else: graph e(a: f32[N, 2], b: f32[N, 3]) { return b }}
    return z
  })");
  EXPECT_EQ(type_of(*graph, 0).substr(0, 8), "f32[N, _");
  Tensor x = floats({1, 2}, {1, 2}), y = floats({1, 3}, {3, 4, 5});
  expect_same(run(*graph, {Tensor::of<uint8_t>(DType::boolean, {}, {1}), x, y})[0], x);
  expect_same(run(*graph, {Tensor::of<uint8_t>(DType::boolean, {}, {0}), x, y})[0], y);
}

TEST(Loops, KnownBranchTakesThePlaceOfTheIf) {
  Simplified after(R"(graph main(x: f32[N, 2]) {
    yes: bool[] = const [1]
    z = if(yes, x) {then: graph t(a: f32[N, 2]) { r = relu(a) return r },
                    else: graph e(a: f32[N, 2]) { s: f32[2*N] = reshape(a) {shape: [2*N]} return s }}
    return z
  })",
                   {floats({2, 2}, {-1, 2, 3, -4})});
  EXPECT_EQ(after.count("known branch"), 1);
  EXPECT_EQ(type_of(*after.graph, 0), "f32[N, 2]");
}

TEST(Loops, HoistsWhatEachStepComputesAlike) {
  Simplified after(R"(graph main(x: f32[T, 2], s: f32[2], w: f32[2]) {
    final, all = loop(_, _, _, s, x, w) {body: graph step(a: f32[2], b: f32[2], w: f32[2]) {
      half: f32[] = splat 0.5
      k = mul(w, half)
      e = relu(k)
      c = add(a, b)
      d = mul(c, e)
      return d, d2: k
    }, carried: 1, step_axes: [0], step_reversed: [0], stack_axes: [0], stack_reversed: [0]}
    return final, all
  })",
                   {floats({2, 2}, {1, 2, 3, 4}), floats({2}, {1, 1}), floats({2}, {3, -5})});
  EXPECT_EQ(after.count("hoist invariants"), 2);
  EXPECT_EQ(after.loop()->body->order().size(), 2u);
}

TEST(Loops, DoesNotHoistWhatMightRefuse) {
  Simplified after(R"(graph main(x: f32[2], n: i64[]) {
    l = list_new(x)
    i: i64[] = const [5]
    y = loop(n, _, _, x, l) {body: graph step(a: f32[2], l: list(f32[2])) {
      i: i64[] = const [5]
      b = list_get(l, i)
      return b
    }, carried: 1}
    return y
  })",
                   {floats({2}, {1, 2}), Tensor::of<int64_t>(DType::i64, {}, {0})});
  EXPECT_EQ(after.count("hoist invariants"), 0);
}

TEST(Loops, DropsCarriesThatNothingDependsOn) {
  // p and q only feed one another; k stays as it is.
  Simplified after(R"(graph main(x: f32[2], n: i64[]) {
    y, p, q, k = loop(n, _, _, x, x, x, x) {body: graph step(a: f32[2], p: f32[2], q: f32[2], k: f32[2]) {
      b = add(a, k)
      return b, p2: q, q2: p, k
    }, carried: 4}
    return y, k
  })",
                   {floats({2}, {1, 2}), Tensor::of<int64_t>(DType::i64, {}, {3})});
  EXPECT_EQ(after.loop()->carried, 1);
}

TEST(Loops, IndexByStepBecomesPerStepInput) {
  Simplified after(R"(graph main(x: f32[2, T], s: f32[2]) {
    n: i64[1] = sizes() {sizes: [T]}
    final = loop(_, _, _, s, x) {body: graph step(t: i64[], a: f32[2], x: f32[2, T]) {
      b = gather(x, t) {axis: 1}
      last: i64[1] = sizes() {sizes: [T - 1]}
      i = sub(last, t)
      c = gather(x, i) {axis: 1}
      c1 = squeeze(c) {axes: [1]}
      d = add(a, b)
      e = mul(d, c1)
      return e
    }, carried: 1, count: T, takes_step: true}
    return final
  })",
                   {floats({2, 3}, {1, 2, 3, 4, 5, 6}), floats({2}, {1, -1})});
  EXPECT_EQ(after.count("index into per-step input"), 2);
  EXPECT_EQ(after.loop()->step_axes, (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(after.loop()->step_reversed, (std::vector<int64_t>{0, 1}));
  EXPECT_FALSE(after.loop()->takes_step);
  EXPECT_TRUE(after.loop()->count.is_number(-1));
}

TEST(Loops, IndexStaysWhereTheLoopMayBeLonger) {
  auto graph = parse(R"(graph main(x: f32[T], s: f32[]) {
    final = loop(_, _, _, s, x) {body: graph step(t: i64[], a: f32[], x: f32[T]) {
      b = gather(x, t)
      d = add(a, b)
      return d
    }, carried: 1, count: 7, takes_step: true}
    return final
  })");
  std::vector<RuleCount> counts;
  EXPECT_EQ(simplify_loops(*graph, counts), 0u);
}

TEST(Loops, ListsBecomePerStepInputsAndStackedResults) {
  Simplified after(R"(graph main(x: f32[T, N, 2], s: f32[N, 2]) {
    parts = list_split(x) {keep: false}
    none = list_new()
    n = list_size(parts)
    final, made, backward = loop(n, _, _, s, none, none, parts) {
      body: graph step(t: i64[], a: f32[N, 2], l: list(f32), m: list(f32), parts: list(f32[N, 2])) {
        b = list_get(parts, t)
        c = add(a, b)
        l2 = list_insert(l, c)
        zero: i64[] = const [0]
        m2 = list_insert(m, c, zero)
        return c, l2, m2
      }, carried: 3, takes_step: true}
    y = list_concat(made) {stack: true}
    z = list_concat(backward) {axis: 1}
    return final, y, z, made
  })",
                   {floats({3, 1, 2}, {1, 2, 3, 4, 5, 6}), floats({1, 2}, {10, 20})});
  EXPECT_EQ(after.count("list into stacked result"), 2);
  const Loop* loop = after.loop();
  EXPECT_EQ(loop->carried, 1);
  EXPECT_EQ(loop->step_axes, (std::vector<int64_t>{0}));
  EXPECT_EQ(loop->stack_axes, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(loop->stack_reversed, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(type_of(*after.graph, 1), "f32[T, N, 2]");
  EXPECT_EQ(type_of(*after.graph, 2), "f32[N, 2*T]");
}

TEST(Loops, ListThatIsIndexedOtherwiseStays) {
  Simplified after(R"(graph main(x: f32[T, 2]) {
    parts = list_split(x) {keep: false}
    none = list_new()
    n = list_size(parts)
    made = loop(n, _, _, none, parts) {body: graph step(t: i64[], l: list(f32), parts: list(f32[2])) {
        one: i64[] = const [-1]
        i = mul(t, one)
        b = list_get(parts, i)
        l2 = list_insert(l, b)
        return l2
      }, carried: 1, takes_step: true}
    last: i64[] = const [-1]
    y = list_get(made, last)
    return y
  })",
                   {floats({3, 2}, {1, 2, 3, 4, 5, 6})});
  EXPECT_TRUE(after.loop()->step_axes.empty());
  EXPECT_TRUE(after.loop()->stack_axes.empty());
}

}  // namespace
}  // namespace remodel
