#include "wire/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "damage.h"
#include "refusal.h"

namespace remodel {
namespace {

std::string compact(std::string_view text, JsonSyntax syntax = JsonSyntax::strict) {
  return write_json(parse_json(text, syntax), JsonStyle::compact);
}

std::string said(std::string_view text, JsonSyntax syntax = JsonSyntax::strict) {
  return refusal([&] { parse_json(text, syntax); });
}

TEST(Json, ReadsAndWritesEveryKind) {
  for (const char* text :
       {"null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "-0.0",
        "1e+300", "5e-324", "0.1", "[]", "{}", "[1,[2,{\"a\":[]}],null]", "{\"z\":1,\"a\":{\"b\":false}}",
        "\"\"", "\"é€😀\"", "\"\\\"\\\\\\n\\t\\r\\u0001/\""}) {
    EXPECT_EQ(compact(text), text);
  }
  EXPECT_EQ(compact(" \t\r\n[ 1 ,\n2 ] "), "[1,2]");
  EXPECT_EQ(compact(R"("\u00e9\ud83d\ude00\/\b\f")"), "\"é😀/\\u0008\\u000c\"");
}

TEST(Json, PrettyIsTwoSpaces) {
  EXPECT_EQ(write_json(parse_json(R"({"a":[1,{}],"b":[],"c":{"d":"e"}})")),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": [],\n  \"c\": {\n    \"d\": \"e\"\n  }\n}\n");
}

TEST(Json, NumbersKeepTheirKind) {
  EXPECT_TRUE(parse_json("1").is_int());
  EXPECT_TRUE(parse_json("1.0").is_double());
  EXPECT_TRUE(parse_json("1e2").is_double());
  EXPECT_EQ(parse_json("9223372036854775808").as_double(), 9223372036854775808.0);
  EXPECT_EQ(parse_json("7").as_double(), 7.0);
  EXPECT_EQ(parse_json("1e-999").as_double(), 0.0);
  EXPECT_TRUE(std::signbit(parse_json("-0.0").as_double()));
  EXPECT_EQ(write_json(1.0, JsonStyle::compact), "1.0");
  EXPECT_EQ(write_json(1e22, JsonStyle::compact), "1e+22");
  EXPECT_EQ(write_json(std::nan(""), JsonStyle::compact), "null");
  EXPECT_EQ(write_json(-std::numeric_limits<double>::infinity(), JsonStyle::compact), "null");
  for (const double value : {0.1, 1.0 / 3, 1e-310, 123456789012345680.0, 3.4028234663852886e38}) {
    EXPECT_EQ(parse_json(write_json(value)).as_double(), value);
  }
}

TEST(Json, IsBuiltInOrder) {
  Json report;
  report["name"] = "模型";
  report["nodes"] = size_t{3};
  report["ratio"] = 0.5f;
  report["done"] = true;
  report["list"].push(1);
  report["list"].push(nullptr);
  report["none"] = Json::object();
  report["name"] = std::string("other");
  EXPECT_EQ(write_json(report, JsonStyle::compact),
            R"({"name":"other","nodes":3,"ratio":0.5,"done":true,"list":[1,null],"none":{}})");
  EXPECT_EQ(report, parse_json(write_json(report)));
  EXPECT_EQ(report.find("missing"), nullptr);
  EXPECT_EQ(report.at("list").as_array().size(), 2u);
  EXPECT_EQ(write_json("\xff", JsonStyle::compact), "\"\xef\xbf\xbd\"");
}

TEST(Json, SaysWhichKindItFound) {
  const Json json = parse_json(R"({"a": 1, "b": 1.5, "c": [], "d": "x"})");
  EXPECT_EQ(refusal([&] { json.at("a").as_string(); }), "expected a string, found a whole number");
  EXPECT_EQ(refusal([&] { json.at("b").as_int(); }), "expected a whole number, found a number");
  EXPECT_EQ(refusal([&] { json.at("c").as_object(); }), "expected an object, found an array");
  EXPECT_EQ(refusal([&] { json.at("d").as_double(); }), "expected a number, found a string");
  EXPECT_EQ(refusal([&] { json.as_array(); }), "expected an array, found an object");
  EXPECT_EQ(refusal([&] { json.at("a").as_bool(); }), "expected a boolean, found a whole number");
  EXPECT_EQ(refusal([&] { json.at("e"); }), "'e' is missing");
}

TEST(Json, PeopleMayWriteCommentsAndTrailingCommas) {
  const char* text =
      "\xef\xbb\xbf// first\n{ # second\n \"a\": [1, 2, /* , */ ], /* over\n lines */ \"b\": \"// # "
      "/*\",}\n# last";
  EXPECT_EQ(compact(text, JsonSyntax::tolerant), R"({"a":[1,2],"b":"// # /*"})");
  EXPECT_EQ(said(text), "1:1: expected a value");
  EXPECT_EQ(said("[1,]"), "1:4: expected a value");
  EXPECT_EQ(said("{\"a\":1,}"), "1:8: expected a key in quotes");
  EXPECT_EQ(said("[1] # x"), "1:5: expected the end of the text");
  EXPECT_EQ(said("[,]", JsonSyntax::tolerant), "1:2: expected a value");
  EXPECT_EQ(said("[1,,]", JsonSyntax::tolerant), "1:4: expected a value");
  EXPECT_EQ(said("[1 /* x", JsonSyntax::tolerant), "1:4: this comment has no end");
}

TEST(Json, PointsAtTheFault) {
  EXPECT_EQ(said(""), "1:1: the text ends too early");
  EXPECT_EQ(said("{\n  \"é\": 1,\n  \"é\": 2\n}"), "3:3: the key 'é' is there twice");
  EXPECT_EQ(said("[\n\"é\" x]"), "2:5: expected ',' or ']'");
  EXPECT_EQ(said("\xef\xbb\xbf[x]", JsonSyntax::tolerant), "1:2: expected a value");
  EXPECT_EQ(said("{\"a\" 1}"), "1:6: expected ':'");
  EXPECT_EQ(said("{a: 1}"), "1:2: expected a key in quotes");
  EXPECT_EQ(said("[1,\n[2"), "2:1: this bracket is not closed");
  EXPECT_EQ(said("[\"abc"), "1:2: this string has no end");
  EXPECT_EQ(said("\"a\nb\""), "1:3: a control character in a string must be escaped");
  EXPECT_EQ(said("\"\xff\""), "1:2: this is not UTF-8");
  EXPECT_EQ(said(R"("\x")"), "1:2: unknown escape");
  EXPECT_EQ(said(R"("\u12")"), "1:2: expected four hexadecimal digits");
  EXPECT_EQ(said(R"("\u-123")"), "1:2: expected four hexadecimal digits");
  EXPECT_EQ(said(R"("\ud800")"), "1:2: half a surrogate pair");
  EXPECT_EQ(said(R"("\ud800\u0041")"), "1:2: half a surrogate pair");
  EXPECT_EQ(said(R"("\udc00")"), "1:2: half a surrogate pair");
  EXPECT_EQ(said("01"), "1:1: a number must not begin with 0");
  EXPECT_EQ(said("1."), "1:3: expected a digit");
  EXPECT_EQ(said("1e+"), "1:4: expected a digit");
  EXPECT_EQ(said("1e999"), "1:1: this number is too large");
  EXPECT_EQ(said("-"), "1:1: the text ends too early");
  EXPECT_EQ(said("NaN"), "1:1: expected a value");
  EXPECT_EQ(said("nul"), "1:1: expected a value");
  EXPECT_EQ(said("truex"), "1:5: expected the end of the text");
  EXPECT_EQ(said(std::string_view("1\0", 2)), "1:2: expected the end of the text");
  EXPECT_EQ(said(std::string_view("[\0]", 3)), "1:2: expected a value");
}

TEST(Json, LimitsDepth) {
  EXPECT_EQ(said(std::string(200, '[') + "1" + std::string(200, ']')), "accepted");
  EXPECT_EQ(said(std::string(201, '[') + "1" + std::string(201, ']')), "1:202: more than 200 levels");
  EXPECT_EQ(said(std::string(1'000'000, '[')), "1:202: more than 200 levels");
}

TEST(Json, SurvivesDamagedText) {
  const std::string sample =
      R"({"a": [1, -2.5e3, "\u00e9\ud83d\ude00é", {"b": null}], /* c */ "d": true, } # e)";
  for (const JsonSyntax syntax : {JsonSyntax::strict, JsonSyntax::tolerant}) {
    const int refused = damage(sample, 20'000, [&](const Bytes& text) {
      const Json json = parse_json(text.view(), syntax);
      EXPECT_EQ(parse_json(write_json(json)), json);
    });
    EXPECT_GT(refused, 5000);
  }
}

}  // namespace
}  // namespace remodel
