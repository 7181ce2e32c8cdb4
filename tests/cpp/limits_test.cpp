#include "base/limits.h"

#include <gtest/gtest.h>

#include <thread>

#include "refusal.h"

namespace remodel {
namespace {

TEST(Limits, RefuseLargerBlocksAsLongAsTheyLive) {
  need_memory(1000);
  {
    const Limits limits(999, any_time);
    need_memory(999);
    EXPECT_THROW(need_memory(1000), Error);
    std::thread([] { need_memory(1000); }).join();
    const Limits wider(5000, any_time);
    EXPECT_THROW(need_memory(1000), Error);
  }
  need_memory(1000);
}

TEST(Limits, RefuseWhatTheMachineLacks) { EXPECT_THROW(need_memory(uint64_t{1} << 60), Error); }

TEST(Limits, EndWhenTheTimeIsUp) {
  need_time();
  const Limits limits(any_memory, 0.01);
  need_time();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_THROW(need_time(), Error);
  const Limits longer(any_memory, 100);
  EXPECT_THROW(need_time(), Error);
}

}  // namespace
}  // namespace remodel
