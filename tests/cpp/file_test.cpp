#include "base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "refusal.h"
#include "scratch.h"

namespace remodel {
namespace {

void write_text(OutputFile& file, std::string_view text) { file.write(text.data(), text.size()); }

TEST(MapFile, ReadsAndOutlivesItsName) {
  const Scratch scratch;
  scratch.put("模型.bin", "weights");
  const Bytes bytes = map_file(scratch / "模型.bin");
  std::filesystem::remove(scratch / "模型.bin");
  EXPECT_EQ(bytes.view(), "weights");
  scratch.put("empty", "");
  EXPECT_TRUE(map_file(scratch / "empty").empty());
}

TEST(MapFile, SaysWhatIsWrong) {
  EXPECT_EQ(refusal([] { map_file("no/such"); }), "cannot open 'no/such': No such file or directory");
  EXPECT_EQ(refusal([] { map_file("/"); }), "cannot read '/': Is a directory");
  EXPECT_EQ(refusal([] { map_file("/dev/zero"); }), "'/dev/zero' is not a file");
  try {
    map_file("no/such");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

TEST(MapFile, ReadsAPipeToItsEnd) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
  const std::string sent(300'000, 'x');
  std::thread writer([&] { scratch.put("pipe", sent); });
  const Bytes bytes = map_file(scratch / "pipe");
  writer.join();
  EXPECT_EQ(bytes.view(), sent);
}

TEST(Folders, AreListedInOrder) {
  const Scratch scratch;
  make_folder(scratch / "a/b/c");
  make_folder(scratch / "a/b/c");
  scratch.put("a/z", "12345");
  scratch.put("a/B", "");
  EXPECT_EQ(list_folder(scratch / "a"), (std::vector<std::string>{"B", "b", "z"}));
  EXPECT_TRUE(is_folder(scratch / "a/b"));
  EXPECT_FALSE(is_folder(scratch / "a/z"));
  EXPECT_TRUE(path_exists(scratch / "a/z"));
  EXPECT_EQ(file_size(scratch / "a/z"), 5u);
  EXPECT_NEAR(static_cast<double>(modified_time(scratch / "a/z")) * 1e-9,
              static_cast<double>(::time(nullptr)), 60);
  EXPECT_EQ(refusal([&] { make_folder(scratch / "a/z/y"); }),
            "cannot make the folder '" + (scratch / "a/z") + "': File exists");
}

TEST(OutputFile, AppearsOnlyWhenCommitted) {
  const Scratch scratch;
  scratch.put("out", "old");
  ::chmod((scratch / "out").c_str(), 0640);
  {
    OutputFile file(scratch / "out");
    write_text(file, "new");
    EXPECT_EQ(list_folder(scratch.path()).size(), 2u);
  }
  EXPECT_EQ(scratch.get("out"), "old");
  OutputFile file(scratch / "out");
  write_text(file, "new");
  file.commit();
  EXPECT_EQ(scratch.get("out"), "new");
  EXPECT_EQ(list_folder(scratch.path()), std::vector<std::string>{"out"});
  struct stat status;
  ASSERT_EQ(::stat((scratch / "out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

TEST(OutputFile, KeepsTheOrderOfSmallAndLargeWritesAndPatches) {
  const Scratch scratch;
  std::string expected;
  OutputFile file(scratch / "out");
  for (size_t step = 0; step < 40; ++step) {
    const std::string block(step % 8 == 7 ? 1'000'000 : step * 5000, static_cast<char>('a' + step % 26));
    write_text(file, block);
    expected += block;
    EXPECT_EQ(file.position(), expected.size());
  }
  for (const size_t offset : {size_t{0}, size_t{70'001}, expected.size() - 200'000, expected.size() - 4}) {
    file.patch(offset, "1234", 4);
    expected.replace(offset, 4, "1234");
  }
  EXPECT_THROW(file.patch(expected.size() - 3, "1234", 4), Error);
  write_text(file, "end");
  file.commit();
  EXPECT_TRUE(scratch.get("out") == expected + "end");
}

TEST(OutputFile, WritesThroughALink) {
  const Scratch scratch;
  make_folder(scratch / "real");
  scratch.put("real/model", "old");
  std::filesystem::create_symlink(scratch / "real/model", scratch / "link");
  OutputFile file(scratch / "link");
  write_text(file, "new");
  file.commit();
  EXPECT_EQ(scratch.get("real/model"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
}

TEST(OutputFile, WritesThroughALinkToWhatIsNotThere) {
  const Scratch scratch;
  make_folder(scratch / "real");
  std::filesystem::create_symlink("real/model", scratch / "link");
  std::filesystem::create_symlink("link", scratch / "longer");
  std::filesystem::create_symlink("loop", scratch / "loop");
  EXPECT_EQ(canonical_path(scratch / "longer"), canonical_path(scratch / "real/model"));
  EXPECT_EQ(refusal([&] { OutputFile file(scratch / "loop"); }),
            "cannot write '" + (scratch / "loop") + "': Too many levels of symbolic links");
  OutputFile file(scratch / "longer");
  write_text(file, "new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "longer"));
  EXPECT_EQ(scratch.get("real/model"), "new");
}

TEST(OutputFile, NamesTheTargetInErrors) {
  const Scratch scratch;
  EXPECT_EQ(refusal([] { OutputFile file("no/such"); }), "cannot write 'no/such': No such file or directory");
  EXPECT_EQ(refusal([] { OutputFile file(""); }), "cannot write '': No such file or directory");
  EXPECT_EQ(refusal([] { OutputFile file("/"); }), "cannot write '/': Is a directory");
  EXPECT_EQ(refusal([&] {
              OutputFile file("/dev/full");
              write_text(file, "text");
              file.commit();
            }),
            "cannot write '/dev/full': No space left on device");
}

TEST(OutputFile, LeavesNothingWhenTheDiskFills) {
  const Scratch scratch;
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {100'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string said = refusal([&] {
    OutputFile file(scratch / "out");
    write_text(file, std::string(150'000, 'x'));
    file.commit();
  });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(said, "cannot write '" + (scratch / "out") + "': File too large");
  EXPECT_TRUE(list_folder(scratch.path()).empty());
}

TEST(OutputFile, SetsAreRenamedOnlyWhenAllAreWhole) {
  const Scratch scratch;
  scratch.put("model", "old");
  scratch.put("data", "old");
  {
    OutputFile data(scratch / "data"), model(scratch / "model"), full("/dev/full");
    for (OutputFile* file : {&data, &model, &full}) write_text(*file, "new");
    EXPECT_THROW(commit_together({&data, &model, &full}), Error);
  }
  EXPECT_EQ(scratch.get("data") + scratch.get("model"), "oldold");
  OutputFile data(scratch / "data"), model(scratch / "model");
  for (OutputFile* file : {&data, &model}) write_text(*file, "new");
  commit_together({&data, &model});
  EXPECT_EQ(scratch.get("data") + scratch.get("model"), "newnew");
  EXPECT_EQ(list_folder(scratch.path()).size(), 2u);
}

TEST(OutputFile, TemporariesGoWithAKilledProcess) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const Scratch scratch;
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(number, SIG_DFL);
      remove_temporaries_on_signals();
      OutputFile first(scratch / "first"), second(scratch / "second");
      if (list_folder(scratch.path()).size() == 2) ::raise(number);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << status;
    EXPECT_TRUE(list_folder(scratch.path()).empty()) << number;
  }
}

TEST(InsideFolder, StaysInside) {
  const Scratch scratch;
  make_folder(scratch / "model/weights");
  scratch.put("model/weights/w.bin", "w");
  scratch.put("model/..odd", "w");
  scratch.put("secret", "s");
  make_folder(scratch / "model-twin");
  scratch.put("model-twin/t", "t");
  std::filesystem::create_symlink("../secret", scratch / "model/leak");
  std::filesystem::create_symlink("..", scratch / "model/up");
  std::filesystem::create_symlink("../model-twin", scratch / "model/twin");
  std::filesystem::create_symlink("weights/w.bin", scratch / "model/alias");
  const std::string folder = scratch / "model";
  const std::string inside = std::filesystem::canonical(folder / std::filesystem::path("weights/w.bin"));
  for (const char* name : {"weights/w.bin", "./weights//w.bin", "weights/../weights/w.bin", "alias"}) {
    EXPECT_EQ(inside_folder(folder, name), inside) << name;
  }
  EXPECT_EQ(refusal([&] { inside_folder(folder, "..odd"); }), "accepted");
  const auto said = [&](const std::string& name) { return refusal([&] { inside_folder(folder, name); }); };
  EXPECT_EQ(said(""), "an empty file name");
  EXPECT_EQ(said("/etc/passwd"), "the file name '/etc/passwd' must be relative to the model's folder");
  EXPECT_EQ(said(std::string("a\0b", 3)), "the file name 'a' holds a zero byte");
  for (const char* name : {"../secret", "weights/../../secret", "..", "../model/alias"}) {
    EXPECT_EQ(said(name), "the file name '" + std::string(name) + "' leaves the model's folder");
  }
  for (const char* name : {"leak", "up/secret", "twin/t", "up"}) {
    EXPECT_EQ(said(name),
              "the file name '" + std::string(name) + "' leaves the model's folder through a symbolic link");
  }
  EXPECT_EQ(said("weights"), "'weights' is not a file");
  EXPECT_NE(said("missing").find("No such file"), std::string::npos);
}

TEST(System, CountsAnonymousMemoryOnly) {
  const Scratch scratch;
  scratch.put("map", std::string(64 << 20, 'm'));
  MemoryWatch watch;
  const uint64_t before = memory_use().anonymous;
  const Bytes map = map_file(scratch / "map");
  unsigned sum = 0;
  for (size_t i = 0; i < map.size(); i += 4096) sum += map.data()[i];
  EXPECT_EQ(sum, 'm' * (map.size() / 4096));
  EXPECT_LT(watch.peak(), before + (16 << 20));
  const std::string heap(64 << 20, 'h');
  EXPECT_GE(watch.peak(), before + (60 << 20));
  EXPECT_EQ(heap.find('x'), std::string::npos);
  EXPECT_LE(watch.peak(), memory_use().peak_resident);
}

TEST(System, TellsTimeAndSize) {
  const double wall = wall_seconds(), cpu = cpu_seconds();
  while (cpu_seconds() - cpu < 0.01) {
  }
  EXPECT_GE(wall_seconds() - wall, 0.009);
  EXPECT_GE(usable_cpus(), 1);
  const std::string now = utc_now();
  EXPECT_EQ(now.size(), 20u);
  EXPECT_EQ(now.substr(0, 2), "20");
  EXPECT_EQ(now.back(), 'Z');
  EXPECT_FALSE(is_terminal(-1));
  EXPECT_EQ(terminal_width(-1), 80);
}

}  // namespace
}  // namespace remodel
