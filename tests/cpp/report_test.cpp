#include "app/report.h"

#include <gtest/gtest.h>

#include "app/check.h"
#include "app/console.h"

namespace remodel {
namespace {

struct Silent : Console {
  explicit Silent(LogLevel wanted = LogLevel::warning)
      : Console({[](std::string_view) {}}, {[](std::string_view) {}}) {
    level = wanted;
  }
};

CheckResult differing() {
  OutputCheck output;
  output.output = "y";
  output.verdict = Verdict::failed;
  output.error = 0.5, output.tolerance = 1e-4;
  output.reason = "error 0.5 of the range: 1 instead of 2 at [0]";
  output.layer = "conv1";
  output.layer_difference = "error 0.9 of the range: 3 instead of 4 at [7]";
  CheckResult result;
  result.outputs = {output};
  result.inputs = {"made up with N = 2", "made up with N = 1"};
  return result;
}

TEST(Report, RulesOfOneNameAreOneToAReader) {
  Report report;
  report.rules = {{"drop cast", "exact", 2}, {"gelu", "rounding", 1}, {"drop cast", "exact", 3}};
  EXPECT_NE(text_of(report, Silent()).find("rewrote  drop cast x5, gelu x1\n"), std::string::npos)
      << text_of(report, Silent());
  EXPECT_EQ(json_of(report).at("rules").as_array().size(), 3u);
}

TEST(Report, WhatDiffersIsSaidOnce) {
  const Report::Check check = summary_of(differing());
  EXPECT_EQ(check.status, "failed");
  EXPECT_EQ(
      text_of(check.outputs.at(0), Silent()),
      "y: failed: error 0.5 of the range: 1 instead of 2 at [0]; the first layer that differs is 'conv1' "
      "(error 0.9 of the range: 3 instead of 4 at [7])");
}

TEST(Report, MoreTalkNamesTheInputsOfTheCheck) {
  Report report;
  report.check = summary_of(differing());
  EXPECT_EQ(text_of(report, Silent()).find("made up"), std::string::npos);
  EXPECT_NE(text_of(report, Silent(LogLevel::info))
                .find("inputs   made up with N = 2\n         made up with N = 1\n"),
            std::string::npos);
}

TEST(Report, LinesBreakBetweenItems) {
  std::string text;
  LabelledLines{4, 40}.add(text, "ops", {"a234567890", "b234567890", "c234567890", "d"});
  EXPECT_EQ(text, "ops a234567890, b234567890, c234567890,\n    d\n");
}

}  // namespace
}  // namespace remodel
