// Everything that is asked of the operating system. Paths are bytes: any encoding passes through unchanged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/sink.h"

namespace remodel {

// A private read-only map of a regular file; a pipe is read to its end into memory.
// A file that another process shortens while it is mapped kills this one: writers here replace files, never
// shorten them.
Bytes map_file(const std::string& path);

bool path_exists(const std::string& path);
bool is_folder(const std::string& path);
// A device, pipe or the like: there, but neither file nor folder.
bool is_device(const std::string& path);
uint64_t file_size(const std::string& path);
// Nanoseconds since 1970.
int64_t modified_time(const std::string& path);
// The names in a folder, without . and .., in byte order.
std::vector<std::string> list_folder(const std::string& path);
// Also makes missing parents; a folder that is there already is fine.
void make_folder(const std::string& path);

// One that is not there is fine.
void remove_file(const std::string& path);

// One spelling for all paths that lead to the same place: absolute, without symbolic links, `.` and `..`.
// What is not there is kept as it is written.
std::string canonical_path(const std::string& path);

// The real path of an existing regular file that a model names relative to its own folder. Refuses empty and
// absolute names, and any name that leaves the folder by `..` or through a symbolic link.
std::string inside_folder(const std::string& folder, const std::string& relative);

// Writes beside the target under a temporary name; commit() renames it over the target, so a failed run
// leaves what was there. A symbolic link is written through, an existing file's mode is kept. A device or
// pipe is written directly. All errors name the target.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* data, size_t size);
  // Takes the room for a file of this size, which is cheaper at once than while it grows; a full disk shows
  // here.
  void reserve(uint64_t size);
  // Overwrites bytes that have been written.
  void patch(uint64_t offset, const void* data, size_t size);
  uint64_t position() const { return flushed_ + buffer_.size(); }
  const std::string& path() const { return path_; }
  // A path under which all that has been written so far can be read; empty for a device or pipe.
  std::string readable_path();

  // Flushes, closes and renames. Does not wait for the disk.
  void commit();

 private:
  friend void commit_together(const std::vector<OutputFile*>& files);
  void flush();
  void close_file();
  void rename_file();
  void write_through(const void* data, size_t size);

  std::string path_;       // as the user wrote it
  std::string target_;     // where it leads
  std::string temporary_;  // empty: the target is written directly
  std::string buffer_;
  uint64_t flushed_ = 0;
  int descriptor_ = -1;
  int place_ = -1;  // among the files that a signal removes
};

// Flushes and closes all files, where a full disk shows, and only then renames them in the given order: put
// the file that refers to the others last. A rename that fails leaves those before it in place.
void commit_together(const std::vector<OutputFile*>& files);

class FileSink : public Sink {
 public:
  explicit FileSink(OutputFile& file) : file_(file) {}

  void expect(uint64_t size) override { file_.reserve(size); }

 private:
  void put(const void* data, size_t size) override { file_.write(data, size); }

  OutputFile& file_;
};

// For main(): a hang-up, interrupt, broken pipe or polite kill removes the temporary files before it ends the
// process, and a file size limit is an error of write() instead of a signal. Signals that the parent had
// ignored stay ignored.
void remove_temporaries_on_signals();

// For main(): freed memory of up to 64 MB stays with the process, for the next result of like size. Giving it
// back and taking it anew costs more than many a layer's arithmetic.
void keep_freed_memory();

struct MemoryUse {
  uint64_t anonymous = 0;  // heap, stacks and shared memory now, swapped out or not; file maps do not count
  uint64_t resident = 0;   // everything in memory now, file maps included
  uint64_t peak_resident = 0;  // the highest `resident` so far, exact
};
// Zeros where the system does not tell.
MemoryUse memory_use();

// Bytes that this process may still take without swapping, the container's limit included; 0 if not known.
uint64_t available_memory();

// The highest anonymous memory while this object lives. Linux keeps no such number, so a thread samples it: a
// peak shorter than the period may be missed, hence this is a lower bound, with MemoryUse::peak_resident as
// the upper one.
class MemoryWatch {
 public:
  explicit MemoryWatch(int period_ms = 5);
  ~MemoryWatch();
  uint64_t peak();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Seconds on a clock that only goes forward.
double wall_seconds();
// Seconds that all threads of this process have spent on a cpu.
double cpu_seconds();
// What affinity and the container's quota leave us, at least 1.
int usable_cpus();
bool is_terminal(int descriptor);
// Columns, 80 where unknown.
int terminal_width(int descriptor);
// "2026-01-31T23:59:59Z"
std::string utc_now();
// The same for nanoseconds since 1970.
std::string utc_text(int64_t nanoseconds);

}  // namespace remodel
