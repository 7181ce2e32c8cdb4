// Feeds a target damaged copies of files, without libFuzzer and the same on each run: shortened, with bits
// flipped, with lengths and numbers blown up.
//
//   fuzz_TARGET [--copies N] [--shard I/N] FILE|FOLDER...     N damaged copies of each kind for each file
//
// Each file is a process of its own, so that a crash in one does not hide the others. A copy fails when the
// target aborts or a sanitizer speaks, when it takes over a second of processor time more than the file as it
// is, or when it holds more memory at a time than the copy's size + 64 MB.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "fuzz.h"

#ifdef __SANITIZE_ADDRESS__
// g++ brings the sanitizers without their headers.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*, size_t),
                                                         void (*released)(const volatile void*));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* block);
#else
#include <malloc.h>
#endif

namespace remodel {
namespace {

constexpr double most_seconds = 1;
constexpr int64_t most_memory = 64 << 20;

std::atomic<int64_t> held{0}, peak{0};

void count_allocation(size_t size) {
  const int64_t now = held += static_cast<int64_t>(size);
  int64_t before = peak;
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
}
void count_release(size_t size) { held -= static_cast<int64_t>(size); }

double cpu_time() {
  timespec now;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What the child has come to, for the parent to name when it dies.
struct Progress {
  int64_t copies, failures;
  char what[256];
};

struct Place {
  size_t at, size;  // of a varint
  bool length;
  bool fixed = false;  // or a number of so many bytes
};

// The varints of what reads as protocol buffers, nested ones included. False where it does not.
bool find_varints(std::string_view text, size_t base, int depth, std::vector<Place>& places) {
  const size_t before = places.size();
  size_t at = 0;
  const auto varint = [&](uint64_t& value) {
    value = 0;
    for (int shift = 0; at < text.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(text[at++]);
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return true;
    }
    return false;
  };
  while (at < text.size()) {
    uint64_t head, value;
    if (!varint(head) || head >> 3 == 0) break;
    const size_t start = at;
    if ((head & 7) == 0) {
      if (!varint(value)) break;
      places.push_back({base + start, at - start, false});
    } else if ((head & 7) == 2) {
      if (!varint(value) || value > text.size() - at) break;
      places.push_back({base + start, at - start, true});
      if (depth < 12) find_varints(text.substr(at, value), base + at, depth + 1, places);
      at += value;
    } else if ((head & 7) == 5 || (head & 7) == 1) {
      const size_t width = (head & 7) == 5 ? 4 : 8;
      if (width > text.size() - at) break;
      at += width;
    } else {
      break;
    }
  }
  if (at >= text.size()) return true;
  places.resize(before);
  return false;
}

std::string varint_of(uint64_t value) {
  std::string text;
  for (; value > 127; value >>= 7) text += static_cast<char>(value | 128);
  return text += static_cast<char>(value);
}

class Driver {
 public:
  Driver(int copies, Progress& progress) : copies_(copies), progress_(progress) {}

  void run(const std::string& path) {
    const Bytes file = map_file(path);
    const std::string text(file.view());
    std::mt19937_64 random(1);
    const auto below = [&](size_t limit) { return limit ? random() % limit : 0; };
    allowed_ = most_seconds + attempt(text, "as it is");
    for (int i = 0; i < copies_; ++i) {
      const size_t size = below(text.size());
      attempt(text.substr(0, size), fmt::format("the first {} bytes", size));
    }
    for (int i = 0; i < copies_; ++i) {
      std::string copy = text;
      std::string what;
      for (size_t flips = 1 + below(4); flips > 0 && !copy.empty(); --flips) {
        const size_t bit = below(copy.size() * 8);
        copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << bit % 8));
        what += fmt::format(" {}.{}", bit / 8, bit % 8);
      }
      attempt(copy, "bits flipped at" + what);
    }
    std::vector<Place> places;
    if (!find_varints(text, 0, 0, places))
      // Offsets, sizes and indices of other formats are mostly numbers of 4 bytes.
      for (size_t at = 0; at + 4 <= text.size(); at += 4) places.push_back({at, 4, false, true});
    static constexpr uint64_t edges[] = {0,
                                         1,
                                         127,
                                         65'535,
                                         0x7fffffff,
                                         1u << 20,
                                         1u << 30,
                                         1ull << 40,
                                         1ull << 62,
                                         UINT64_MAX >> 1,
                                         1ull << 63,
                                         UINT64_MAX,
                                         UINT64_MAX - 1,
                                         0xffffffff,
                                         1'000'000'007};
    for (const bool length : {true, false}) {
      std::vector<Place> some;
      for (const Place& place : places)
        if (place.length == length) some.push_back(place);
      for (int i = 0; i < copies_ && !some.empty(); ++i) {
        const Place place = some[below(some.size())];
        const uint64_t value = edges[below(std::size(edges))];
        std::string copy = text;
        if (place.fixed)
          store_as(copy.data() + place.at, static_cast<uint32_t>(value));
        else
          copy.replace(place.at, place.size, varint_of(value));
        attempt(copy, fmt::format("{} at {} made {}", length ? "length" : "number", place.at, value));
      }
    }
  }

 private:
  // Gives the seconds that it took.
  double attempt(const std::string& text, const std::string& what) {
    std::snprintf(progress_.what, sizeof progress_.what, "%s", what.c_str());
    ++progress_.copies;
    const int64_t before = held;
    peak = before;
    const double start = cpu_time();
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    const double seconds = cpu_time() - start;
    const int64_t memory = peak - before;
    if (seconds > allowed_) fault(what, fmt::format("takes {:.1f} s", seconds));
    // The target takes a copy.
    if (memory > static_cast<int64_t>(2 * text.size()) + most_memory)
      fault(what, fmt::format("holds {} bytes", memory));
    return seconds;
  }
  void fault(const std::string& what, const std::string& fault) {
    ++progress_.failures;
    std::fprintf(stderr, "  %s: %s\n", what.c_str(), fault.c_str());
  }

  int copies_;
  double allowed_ = std::numeric_limits<double>::infinity();
  Progress& progress_;
};

void collect(const std::string& path, std::vector<std::string>& files) {
  if (!is_folder(path)) return files.push_back(path);
  for (const std::string& name : list_folder(path)) collect(path + "/" + name, files);
}

// Gives whether all went well.
bool run_file(const std::string& path, int copies, Progress& progress) {
  const int64_t failures = progress.failures;
  const pid_t child = ::fork();
  if (child == 0) {
    // The damaged copies of one file together; the limit for each is in Driver.
    const rlimit limit{static_cast<rlim_t>(60 + copies), RLIM_INFINITY};
    ::setrlimit(RLIMIT_CPU, &limit);
    Driver(copies, progress).run(path);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) {
    ++progress.failures;
    const std::string how =
        WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : "it ends the process";
    std::fprintf(stderr, "  %s: %s\n", progress.what, how.c_str());
  }
  if (progress.failures == failures) return true;
  std::fprintf(stderr, "FAILED %s\n", path.c_str());
  return false;
}

}  // namespace
}  // namespace remodel

#ifdef __SANITIZE_ADDRESS__

namespace {

void on_allocation(const volatile void*, size_t size) { remodel::count_allocation(size); }
void on_release(const volatile void* block) {
  if (block) remodel::count_release(__sanitizer_get_allocated_size(block));
}
void count_memory() { __sanitizer_install_malloc_and_free_hooks(on_allocation, on_release); }

}  // namespace

// A larger block is a fault with a stack. What is freed is not kept for long: its memory counts, too.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=256:quarantine_size_mb=4:detect_leaks=0";
}

#else

namespace {

void count_memory() {}

void* counted(void* block) {
  if (!block) throw std::bad_alloc();
  remodel::count_allocation(::malloc_usable_size(block));
  return block;
}
void release(void* block) {
  if (block) remodel::count_release(::malloc_usable_size(block));
  std::free(block);
}

}  // namespace

void* operator new(size_t size) { return counted(std::malloc(size)); }
void* operator new(size_t size, std::align_val_t to) {
  const size_t alignment = static_cast<size_t>(to);
  return counted(std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
}
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { release(block); }

#endif

int main(int argc, char** argv) {
  using namespace remodel;
  int copies = 25;
  size_t shard = 0, shards = 1;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--copies" && i + 1 < argc)
      copies = std::atoi(argv[++i]);
    else if (word == "--shard" && i + 1 < argc)
      std::sscanf(argv[++i], "%zu/%zu", &shard, &shards);
    else
      collect(word, files);
  }
  count_memory();
  void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Progress& progress = *new (shared) Progress{};
  size_t ran = 0, failed = 0;
  for (size_t i = shard; i < files.size(); i += shards) {
    ++ran;
    failed += !run_file(files[i], copies, progress);
  }
  std::printf("%zu files, %lld copies: %zu files with faults\n", ran, static_cast<long long>(progress.copies),
              failed);
  return failed > 0 || ran == 0;
}
