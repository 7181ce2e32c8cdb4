// Where the program's words go: results to one stream, progress and problems to the other.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace remodel {

enum class LogLevel { error, warning, info, debug };

class Console {
 public:
  using Write = std::function<void(std::string_view)>;
  struct Stream {
    Write write;
    bool terminal = false;
    int width = 80;
  };
  Console(Stream out, Stream err) : out_(std::move(out)), err_(std::move(err)) {}

  LogLevel level = LogLevel::warning;

  void print(std::string_view text);  // a result
  void error(std::string_view text) { log(LogLevel::error, text); }
  void log(LogLevel level, std::string_view text);  // "warning: text"
  void say(std::string_view text);                  // a line of progress, wherever progress goes
  // What is being done now: one line that is written over, on a terminal only.
  void status(std::string_view text);

  // Results go where progress goes from now on: standard output is a file that is being written.
  void leave_output_alone() { out_ = err_; }

  // Marks for a terminal that understands them, otherwise the text as it is.
  enum class Style { bold, good, bad, dim };
  std::string styled(Style style, std::string_view text) const;
  bool quiet() const { return level == LogLevel::error; }
  int width() const { return out_.width; }

 private:
  void clear_status();

  Stream out_, err_;
  std::mutex mutex_;
  bool status_shown_ = false;
};

// Standard output and error. What cannot be written to standard output is an Error.
Console standard_console();

}  // namespace remodel
