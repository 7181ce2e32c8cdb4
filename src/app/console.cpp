#include "app/console.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace remodel {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

bool wants_colour() {
  const char* no = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (!no || !*no) && (!terminal || std::string_view(terminal) != "dumb");
}

// The text for a terminal: lines and our own styles stay, other control characters that names may hold do
// not.
std::string harmless(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\n\x1b"), text.size());
    shown += printable(text.substr(0, end));
    text.remove_prefix(end);
    const size_t behind = text.find_first_not_of("0123456789;", 2);
    const bool style = text.starts_with("\x1b[") && behind != text.npos && text[behind] == 'm';
    const size_t kept = text.empty() ? 0 : style ? behind + 1 : 1;
    shown +=
        style || text.starts_with('\n') ? std::string(text.substr(0, kept)) : printable(text.substr(0, kept));
    text.remove_prefix(kept);
  }
  return shown;
}

}  // namespace

void Console::clear_status() {
  if (status_shown_) err_.write(erase_line);
  status_shown_ = false;
}

void Console::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  clear_status();
  if (out_.terminal)
    out_.write(harmless(text));
  else
    out_.write(text);
}

void Console::log(LogLevel level, std::string_view text) {
  static constexpr std::string_view words[] = {"error", "warning", "info", "debug"};
  const std::lock_guard lock(mutex_);
  if (level > this->level) return;
  clear_status();
  err_.write(fmt::format("{}: {}\n", words[static_cast<int>(level)], printable(text)));
}

void Console::say(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (quiet()) return;
  clear_status();
  err_.write(fmt::format("{}\n", printable(text)));
}

void Console::status(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!err_.terminal || quiet()) return;
  clear_status();
  const std::string shown = printable(text);
  err_.write(std::string_view(shown).substr(0, static_cast<size_t>(err_.width > 1 ? err_.width - 1 : 1)));
  status_shown_ = true;
}

std::string Console::styled(Style style, std::string_view text) const {
  if (!out_.terminal || !wants_colour()) return std::string(text);
  static constexpr std::string_view codes[] = {"1", "32", "1;31", "2"};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<int>(style)], text);
}

Console standard_console() {
  const auto out = [](std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      throw Error(fmt::format("cannot write to standard output: {}", std::strerror(errno)), ErrorKind::io);
  };
  const auto err = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  return Console({out, is_terminal(1), terminal_width(1)}, {err, is_terminal(2), terminal_width(2)});
}

}  // namespace remodel
