#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace remodel {
namespace {

TEST(Pool, RunsEveryIndexOnce) {
  for (int threads : {0, 1, 2, 3, 8}) {
    Pool pool(threads);
    EXPECT_EQ(std::max(threads, 1), pool.size());
    for (int64_t count : {0, 1, 2, 7, 64, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
      pool.for_each(count, [&](int64_t i) { ++hits[static_cast<size_t>(i)]; });
      for (auto& hit : hits) ASSERT_EQ(1, hit);
    }
  }
}

TEST(Pool, RunsNestedLoopsInline) {
  Pool pool(4);
  std::atomic<int> total = 0;
  pool.for_each(20, [&](int64_t) {
    auto outer = std::this_thread::get_id();
    pool.for_each(30, [&](int64_t) {
      EXPECT_EQ(outer, std::this_thread::get_id());
      ++total;
    });
  });
  EXPECT_EQ(600, total);
}

TEST(Pool, ServesSeveralCallers) {
  Pool pool(3);
  std::atomic<int> total = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) pool.for_each(10, [&](int64_t) { ++total; });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(4000, total);
}

TEST(Pool, PassesOnTheErrorOfTheLowestIndex) {
  for (int threads : {1, 4}) {
    Pool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::string text;
      try {
        pool.for_each(500, [&](int64_t i) {
          if (i >= 100 && i % 7 == 3) throw std::runtime_error(std::to_string(i));
        });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      ASSERT_EQ("101", text);
    }
    std::atomic<int> total = 0;
    pool.for_each(10, [&](int64_t) { ++total; });
    EXPECT_EQ(10, total);
  }
}

}  // namespace
}  // namespace remodel
