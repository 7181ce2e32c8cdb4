#include "app/job.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "app/batch.h"
#include "app/schedule.h"
#include "refusal.h"

namespace remodel {
namespace {

std::vector<Job> jobs(std::string_view text) { return parse_jobs(text, Job()); }
Job job(const std::string& members) {
  return jobs(R"({"convert_from": "a.onnx", "convert_to": "b.onnx", )" + members + "}").at(0);
}
std::string said(const std::string& members) {
  return refusal([&] { job(members); });
}
std::vector<std::string> problems(std::string_view text) {
  try {
    jobs(text);
  } catch (const Problems& found) {
    std::vector<std::string> texts;
    for (const Error& error : found.all) texts.push_back(error.what());
    return texts;
  }
  return {};
}

TEST(Job, OneObjectOrAList) {
  EXPECT_EQ(jobs(R"({"convert_from": "a", "convert_to": "b"})").size(), 1u);
  const std::vector<Job> two =
      jobs(R"([{"convert_from": "a", "convert_to": "b"}, {"convert_from": "c", "convert_to": "d"}])");
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].options.from, "c");
  EXPECT_EQ(two[1].options.to, "d");
}

TEST(Job, ToleratesWhatPeopleWrite) {
  const std::vector<Job> read = jobs(
      "\xef\xbb\xbf// models\n{\n  \"convert_from\": \"a b/ü.onnx\", # here\n  \"convert_to\": \"c\",\n}\n");
  EXPECT_EQ(read.at(0).options.from, "a b/ü.onnx");
}

TEST(Job, Defaults) {
  const Job plain = job("\"skip\": false");
  EXPECT_FALSE(plain.skip);
  EXPECT_FALSE(plain.options.opset);
  EXPECT_EQ(plain.options.lowest_opset, 10);
  EXPECT_TRUE(plain.options.frozen);
  EXPECT_TRUE(plain.options.verify);
  EXPECT_EQ(plain.options.savedmodel_tag, "serve");
  EXPECT_EQ(plain.options.savedmodel_signature, "serving_default");
  EXPECT_EQ(plain.options.quantization.optimization, "none");
}

TEST(Job, AnOpsetThatIsAskedForIsKept) {
  const Job asked = job("\"onnx_opset\": 12");
  EXPECT_EQ(asked.options.opset, 12);
  Job defaults;
  defaults.options.opset = 15;
  const Job inherited = parse_jobs(R"({"convert_from": "a", "convert_to": "b"})", defaults).at(0);
  EXPECT_EQ(inherited.options.opset, 15);
}

TEST(Job, TruthIsTypedOrSpelt) {
  for (const char* yes : {"true", "\"True\"", "\"true\"", "1", "\"yes\""})
    EXPECT_TRUE(job(std::string("\"skip\": ") + yes).skip) << yes;
  for (const char* no : {"false", "\"False\"", "0", "\"no\""}) {
    EXPECT_FALSE(job(std::string("\"skip\": ") + no).skip) << no;
    EXPECT_FALSE(job(std::string("\"frozen\": ") + no).options.frozen) << no;
  }
  EXPECT_EQ(said("\"skip\": \"perhaps\""), "job 1: 'skip': expected True or False, found 'perhaps'");
  EXPECT_EQ(said("\"skip\": []"), "job 1: 'skip': expected True or False, found []");
}

TEST(Job, NumbersAreTypedOrSpelt) {
  EXPECT_EQ(job("\"onnx_opset\": \"11\"").options.opset, 11);
  EXPECT_EQ(said("\"onnx_opset\": 8"), "job 1: 'onnx_opset': expected a number from 9 to 24, found '8'");
  EXPECT_EQ(said("\"onnx_opset\": 11.5"),
            "job 1: 'onnx_opset': expected a number from 9 to 24, found '11.5'");
}

TEST(Job, Names) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(job(R"("input_nodes": "x:0, y")").options.request.inputs, (Names{"x:0", "y"}));
  EXPECT_EQ(job(R"("output_nodes": ["a,b", "c"])").options.request.outputs, (Names{"a,b", "c"}));
  EXPECT_EQ(said(R"("input_nodes": "x,,y")"), "job 1: 'input_nodes': 'x,,y' has an empty name");
}

std::string shapes(const std::string& value) {
  std::string text;
  for (const InputShape& shape : job("\"input_shape\": " + value).options.request.shapes)
    text += shape.name + (shape.dims ? text_of(*shape.dims) : "as it is") + " ";
  return text;
}

TEST(Job, Shapes) {
  EXPECT_EQ(shapes("\"1,300,300,3\""), "[1, 300, 300, 3] ");
  EXPECT_EQ(shapes("\"1,300,300,3;1,10\""), "[1, 300, 300, 3] [1, 10] ");
  EXPECT_EQ(shapes("\"1,3;;2\""), "[1, 3] as it is [2] ");
  EXPECT_EQ(shapes("\"x=1,-1,N;y=[]\""), "x[1, -1, N] y[] ");
  EXPECT_EQ(shapes("[1, 3, null, \"W\"]"), "[1, 3, -1, W] ");
  EXPECT_EQ(shapes("[[1, 2], [3]]"), "[1, 2] [3] ");
  EXPECT_EQ(said("\"input_shape\": \"1,2.5\""),
            "job 1: 'input_shape': input shape '1,2.5': '2.5' is no size");
  EXPECT_EQ(said("\"input_shape\": [1, true]"), "job 1: 'input_shape': true is no size");
}

TEST(Job, Quantization) {
  const Job read = job(
      R"("quantization": {"optimization": "default", "type": "int8", "opsset": "int8", "load": "rep.npz"})");
  EXPECT_EQ(read.options.quantization.optimization, "default");
  EXPECT_EQ(read.options.quantization.type, "int8");
  EXPECT_EQ(read.options.quantization.opsset, "int8");
  EXPECT_EQ(read.options.quantization.load, "rep.npz");
  EXPECT_EQ(said(R"("quantization": "int8")"), "job 1: 'quantization': expected an object, found int8");
  EXPECT_EQ(
      said(R"("quantization": {"kind": "int8"})"),
      "job 1: unknown key 'quantization.kind' (the keys are 'optimization', 'type', 'opsset' and 'load')");
}

TEST(Job, AllThatIsWrongIsSaid) {
  EXPECT_EQ(
      problems(R"([{"convert_from": "a", "convert_to": 1}, 7, {"convert_form": "a", "convert_to": "b"}])"),
      (std::vector<std::string>{"job 1: 'convert_to': expected a string, found 1",
                                "job 2: expected an object, found 7",
                                "job 3: unknown key 'convert_form' (did you mean 'convert_from'?)",
                                "job 3: 'convert_from' is missing"}));
  EXPECT_EQ(refusal([] { jobs("[\n{\"convert_from\" 3}]"); }), "2:17: expected ':'");
}

TEST(Schedule, WaitsForWhatItReads) {
  std::vector<Task> tasks(3);
  tasks[0].reads = {"/nowhere/b"}, tasks[0].writes = {"/nowhere/c"};
  tasks[1].reads = {"/nowhere/a"}, tasks[1].writes = {"/nowhere/b"};
  tasks[2].reads = {"/nowhere/./b"}, tasks[2].writes = {"/nowhere/d"};
  plan(tasks);
  EXPECT_EQ(tasks[0].waits_for, std::vector<size_t>{1});
  EXPECT_TRUE(tasks[1].waits_for.empty());
  for (int workers : {1, 2, 4}) {
    std::vector<size_t> order;
    std::mutex mutex;
    run_tasks(tasks, workers, 0, [&](size_t i) {
      const std::lock_guard lock(mutex);
      order.push_back(i);
    });
    ASSERT_EQ(order.size(), 3u);
    EXPECT_EQ(order[0], 1u);
  }
}

TEST(Schedule, RefusesWhatCannotBe) {
  std::vector<Task> tasks(2);
  tasks[0].writes = {"/nowhere/a/../x"}, tasks[1].writes = {"/nowhere/x"};
  EXPECT_EQ(refusal([&] { plan(tasks); }), "accepted") << "a folder that is not there may be a link";
  tasks[0].writes = {"/tmp/../nowhere"}, tasks[1].writes = {"/nowhere"};
  EXPECT_EQ(refusal([&] { plan(tasks); }), "jobs 1 and 2 both write '/nowhere'");
  tasks[0].writes = {"/nowhere/a"}, tasks[0].reads = {"/nowhere/b"};
  tasks[1].writes = {"/nowhere/b"}, tasks[1].reads = {"/nowhere/a"};
  EXPECT_EQ(refusal([&] { plan(tasks); }), "jobs 1 and 2 wait for one another's outputs");
}

TEST(Schedule, KeepsToItsMemory) {
  std::vector<Task> tasks(6);
  for (Task& task : tasks) task.memory = 40;
  tasks[5].memory = 1000;
  std::mutex mutex;
  uint64_t now = 0, most = 0;
  size_t beside_the_large = 0, running = 0;
  run_tasks(tasks, 4, 100, [&](size_t i) {
    {
      const std::lock_guard lock(mutex);
      ++running;
      if (i == 5) beside_the_large = running;
      if (i != 5) most = std::max(most, now += tasks[i].memory);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::lock_guard lock(mutex);
    --running;
    if (i != 5) now -= tasks[i].memory;
  });
  EXPECT_LE(most, 100u);
  EXPECT_EQ(beside_the_large, 1u);
}

TEST(Batch, SplitsAsAShellDoes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_command_line("a  'b c' \"d \\\" \\x\" e\\ f '' \t"),
            (Words{"a", "b c", "d \" \\x", "e f", ""}));
  EXPECT_EQ(split_command_line("  "), Words{});
  EXPECT_EQ(refusal([] { split_command_line("a 'b"); }), "a quotation mark ' is not closed");
}

}  // namespace
}  // namespace remodel
