#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace remodel {
namespace {

constexpr size_t buffer_size = 256 << 10;
// Linux moves at most a little under 2 GiB in one call.
constexpr size_t largest_transfer = 1 << 30;

[[noreturn]] void fail_os(const char* action, const std::string& path, int code) {
  throw Error(fmt::format("cannot {} '{}': {}", action, path, std::generic_category().message(code)),
              ErrorKind::io);
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

struct stat status_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) fail_os("read", path, errno);
  return status;
}

std::string read_to_end(int descriptor, const std::string& path) {
  std::string text;
  char block[1 << 16];
  for (;;) {
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (count == 0) return text;
    if (count > 0) {
      text.append(block, static_cast<size_t>(count));
    } else if (errno != EINTR) {
      fail_os("read", path, errno);
    }
  }
}

// Files of /proc and /sys, which have no size. Empty if there is none.
std::string read_system_file(const char* path) {
  const Descriptor descriptor(::open(path, O_RDONLY | O_CLOEXEC));
  return descriptor.get() < 0 ? std::string() : read_to_end(descriptor.get(), path);
}

// Blames `named` if there is no such path.
std::string real_path(const std::string& path, const char* action, const std::string& named) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
  if (!real) fail_os(action, named, errno);
  return real.get();
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The temporary files that a signal handler removes. Whoever takes a name out of its place owns it, so a
// handler in one thread and a destructor in another never use the same memory.
std::atomic<char*> temporaries[64];
static_assert(std::atomic<char*>::is_always_lock_free);

// Its place, or -1 if all are taken: then a signal leaves the file.
int remember_temporary(const std::string& path) {
  char* name = ::strdup(path.c_str());
  for (size_t place = 0; place < std::size(temporaries); ++place) {
    char* nothing = nullptr;
    if (temporaries[place].compare_exchange_strong(nothing, name)) return static_cast<int>(place);
  }
  ::free(name);
  return -1;
}

void forget_temporary(int place) {
  if (place >= 0) ::free(temporaries[place].exchange(nullptr));
}

extern "C" void remove_temporaries(int signal) {
  for (auto& place : temporaries) {
    if (const char* name = place.exchange(nullptr)) ::unlink(name);
  }
  ::raise(signal);
}

std::string temporary_name(const std::string& folder) {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    fail_os("name a temporary file in", folder, errno);
  }
  return fmt::format("{}/.remodel-{:016x}.tmp", folder == "/" ? "" : folder, number);
}

}  // namespace

Bytes map_file(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail_os("open", path, errno);
  struct stat status;
  if (::fstat(descriptor.get(), &status) != 0) fail_os("read", path, errno);
  if (S_ISFIFO(status.st_mode)) return Bytes::own(read_to_end(descriptor.get(), path));
  if (S_ISDIR(status.st_mode)) fail_os("read", path, EISDIR);
  if (!S_ISREG(status.st_mode)) throw Error(fmt::format("'{}' is not a file", path), ErrorKind::io);
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return Bytes();
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (memory == MAP_FAILED) fail_os("map", path, errno);
  std::shared_ptr<const void> owner(memory, [size](void* start) { ::munmap(start, size); });
  return Bytes(memory, size, std::move(owner));
}

bool path_exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_device(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

uint64_t file_size(const std::string& path) { return static_cast<uint64_t>(status_of(path).st_size); }

int64_t modified_time(const std::string& path) {
  const struct stat status = status_of(path);
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

std::vector<std::string> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) fail_os("list", path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) fail_os("list", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

void make_folder(const std::string& path) {
  for (size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) == 0) continue;
    const int code = errno;
    if (!is_folder(part)) fail_os("make the folder", part, code);
  }
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_os("remove", path, errno);
}

std::string canonical_path(const std::string& path) {
  constexpr int most_links = 40;  // as the system follows
  std::string there = path, rest;
  for (int links = 0;;) {
    const std::unique_ptr<char, decltype(&::free)> real(
        ::realpath(there.empty() ? "." : there.c_str(), nullptr), ::free);
    if (real) return rest.empty() ? real.get() : std::string(real.get()) + (real.get()[1] ? "/" : "") + rest;
    while (there.size() > 1 && there.back() == '/') there.pop_back();
    const size_t slash = there.rfind('/');
    const std::string name = slash == std::string::npos ? there : there.substr(slash + 1);
    if (name.empty()) return path;
    char end[PATH_MAX];
    const ssize_t length = links < most_links ? ::readlink(there.c_str(), end, sizeof end) : -1;
    if (length > 0) {
      ++links;
      const std::string target(end, static_cast<size_t>(length));
      there = target[0] == '/' || slash == std::string::npos ? target : there.substr(0, slash + 1) + target;
      continue;
    }
    rest = rest.empty() ? name : name + "/" + rest;
    there = slash == std::string::npos ? "" : slash == 0 ? "/" : there.substr(0, slash);
  }
}

std::string inside_folder(const std::string& folder, const std::string& relative) {
  if (relative.empty()) fail("an empty file name");
  if (relative.find('\0') != std::string::npos)
    fail("the file name '{}' holds a zero byte", relative.c_str());
  if (relative[0] == '/') fail("the file name '{}' must be relative to the model's folder", relative);
  int depth = 0;
  for (size_t start = 0; start <= relative.size();) {
    const size_t end = std::min(relative.find('/', start), relative.size());
    const std::string_view part = std::string_view(relative).substr(start, end - start);
    if (part == "..") --depth;
    if (part != ".." && part != "." && !part.empty()) ++depth;
    if (depth < 0) fail("the file name '{}' leaves the model's folder", relative);
    start = end + 1;
  }
  const std::string base = real_path(folder.empty() ? "." : folder, "open", folder);
  const bool named = !folder.empty() && folder != ".";
  const std::string asked = !named                 ? relative
                            : folder.back() == '/' ? folder + relative
                                                   : folder + "/" + relative;
  const std::string whole = real_path(base + "/" + relative, "open", asked);
  const std::string prefix = base == "/" ? base : base + "/";
  if (whole.compare(0, prefix.size(), prefix) != 0) {
    fail("the file name '{}' leaves the model's folder through a symbolic link", relative);
  }
  if (!S_ISREG(status_of(whole).st_mode)) fail("'{}' is not a file", relative);
  return whole;
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), target_(path_) {
  struct stat status;
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail_os("write", path_, errno);
  if (path_.empty()) fail_os("write", path_, ENOENT);
  if (path_.back() == '/' || (exists && S_ISDIR(status.st_mode))) fail_os("write", path_, EISDIR);
  buffer_.reserve(buffer_size);
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail_os("write", path_, errno);
    return;
  }
  if (exists && ::access(path_.c_str(), W_OK) != 0) fail_os("write", path_, errno);
  target_ = exists ? real_path(path_, "write", path_) : canonical_path(path_);
  const std::string folder = real_path(folder_of(target_), "write", path_);
  int code = EEXIST;
  for (int attempt = 0; attempt < 8 && code == EEXIST; ++attempt) {
    temporary_ = temporary_name(folder);
    place_ = remember_temporary(temporary_);
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) break;
    code = errno;
    forget_temporary(place_);
  }
  if (descriptor_ < 0) fail_os("write", path_, code);
  if (exists) ::fchmod(descriptor_, status.st_mode & 0777);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget_temporary(place_);
}

void OutputFile::write_through(const void* data, size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::write(descriptor_, from, std::min(size, largest_transfer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_os("write", path_, errno);
    from += count;
    size -= static_cast<size_t>(count);
    flushed_ += static_cast<uint64_t>(count);
  }
}

void OutputFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void OutputFile::write(const void* data, size_t size) {
  // Mapped weights take the way through the buffer too: the system is slow at copying from pages that it has
  // to map meanwhile, and fast at whole buffers.
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const size_t count = std::min(size, buffer_size - buffer_.size());
    buffer_.append(from, count);
    from += count;
    size -= count;
    if (buffer_.size() == buffer_size) flush();
  }
}

void OutputFile::reserve(uint64_t size) {
  if (temporary_.empty() || size <= buffer_size) return;
  // Not every file system can, and none must: what it says of room is all that counts.
  if (::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0 && errno == ENOSPC) {
    fail_os("write", path_, errno);
  }
}

void OutputFile::patch(uint64_t offset, const void* data, size_t size) {
  if (offset > position() || size > position() - offset) {
    throw Error("a patch beyond what has been written", ErrorKind::internal);
  }
  if (offset >= flushed_) {
    std::memcpy(buffer_.data() + (offset - flushed_), data, size);
    return;
  }
  flush();
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count =
        ::pwrite(descriptor_, from, std::min(size, largest_transfer), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_os("write", path_, errno);
    from += count;
    size -= static_cast<size_t>(count);
    offset += static_cast<uint64_t>(count);
  }
}

std::string OutputFile::readable_path() {
  if (!temporary_.empty()) flush();
  return temporary_;
}

void OutputFile::close_file() {
  flush();
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) fail_os("write", path_, errno);
}

void OutputFile::rename_file() {
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_os("write", path_, errno);
  forget_temporary(place_);
  temporary_.clear();
}

void OutputFile::commit() { commit_together({this}); }

void commit_together(const std::vector<OutputFile*>& files) {
  for (OutputFile* file : files) file->close_file();
  for (OutputFile* file : files) file->rename_file();
}

void remove_temporaries_on_signals() {
  ::signal(SIGXFSZ, SIG_IGN);
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) {
    struct sigaction action = {};
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = remove_temporaries;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(number, &action, nullptr);
  }
}

namespace {

// "Key:   123 kB" in a file of /proc; 0 if it is not there.
uint64_t kibibytes_of(std::string_view text, std::string_view key) {
  size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  at = text.find_first_of("0123456789", at + key.size());
  uint64_t kibibytes = 0;
  if (at != std::string::npos) std::from_chars(text.data() + at, text.data() + text.size(), kibibytes);
  return kibibytes << 10;
}

// A file that holds one number; 0 if there is none, or "max".
uint64_t system_number(const char* path) {
  const std::string text = read_system_file(path);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

uint64_t available_memory() {
  uint64_t available = kibibytes_of("\n" + read_system_file("/proc/meminfo"), "\nMemAvailable:");
  const uint64_t limit = system_number("/sys/fs/cgroup/memory.max");
  const uint64_t used = system_number("/sys/fs/cgroup/memory.current");
  if (limit > 0) available = std::min(available, limit > used ? limit - used : 0);
  return available;
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

MemoryUse memory_use() {
  const std::string status = read_system_file("/proc/self/status");
  const auto bytes_of = [&status](std::string_view key) { return kibibytes_of(status, key); };
  return {bytes_of("\nRssAnon:") + bytes_of("\nRssShmem:") + bytes_of("\nVmSwap:"), bytes_of("\nVmRSS:"),
          bytes_of("\nVmHWM:")};
}

struct MemoryWatch::State {
  void sample() {
    const uint64_t now = memory_use().anonymous;
    const std::lock_guard lock(mutex);
    peak = std::max(peak, now);
  }

  std::mutex mutex;  // of the fields below
  std::condition_variable stop_signal;
  bool stop = false;
  uint64_t peak = 0;
  std::thread thread;
};

MemoryWatch::MemoryWatch(int period_ms) : state_(std::make_unique<State>()) {
  state_->sample();
  const auto watch = [state = state_.get(), period = std::chrono::milliseconds(period_ms)] {
    for (;;) {
      {
        std::unique_lock lock(state->mutex);
        if (state->stop_signal.wait_for(lock, period, [state] { return state->stop; })) return;
      }
      try {
        state->sample();
      } catch (const std::exception&) {
        // No memory for a sample: the next may have it.
      }
    }
  };
  try {
    state_->thread = std::thread(watch);
  } catch (const std::system_error&) {
    // No thread to be had: only peak() looks.
  }
}

MemoryWatch::~MemoryWatch() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->stop_signal.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

uint64_t MemoryWatch::peak() {
  state_->sample();
  const std::lock_guard lock(state_->mutex);
  return state_->peak;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  timespec spent = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = ::sched_getaffinity(0, sizeof set, &set) == 0
                 ? CPU_COUNT(&set)
                 : static_cast<int>(std::thread::hardware_concurrency());
  // "200000 100000": microseconds of cpu in a period; "max 100000": no quota.
  const std::string quota_text = read_system_file("/sys/fs/cgroup/cpu.max");
  const char* end = quota_text.data() + quota_text.size();
  int64_t quota = 0, period = 0;
  const auto first = std::from_chars(quota_text.data(), end, quota);
  if (first.ec == std::errc() && first.ptr < end &&
      std::from_chars(first.ptr + 1, end, period).ec == std::errc() && quota > 0 && period > 0) {
    cpus = static_cast<int>(std::min<int64_t>(cpus, quota / period + (quota % period != 0)));
  }
  return std::max(cpus, 1);
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

int terminal_width(int descriptor) {
  winsize size = {};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string utc_now() { return utc_text(int64_t{::time(nullptr)} * 1000000000); }

std::string utc_text(int64_t nanoseconds) {
  const time_t seconds = static_cast<time_t>(nanoseconds / 1000000000);
  tm parts = {};
  if (!::gmtime_r(&seconds, &parts)) return "";
  char text[32];
  const size_t length = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, length);
}

}  // namespace remodel
