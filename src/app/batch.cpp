#include "app/batch.h"

#include "app/commands.h"
#include "app/console.h"
#include "app/failure.h"
#include "base/error.h"
#include "base/file.h"
#include "wire/json.h"

namespace remodel {

std::vector<std::string> split_command_line(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool more = i + 1 < line.size();
    if (quote) {
      if (c == quote)
        quote = 0;
      else if (c == '\\' && quote == '"' && more &&
               std::string_view("\"\\$`").find(line[i + 1]) != std::string_view::npos)
        word += line[++i];
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c, inside = true;
    } else if (c == '\\' && more) {
      word += line[++i], inside = true;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (inside) words.push_back(std::move(word));
      word.clear(), inside = false;
    } else {
      word += c, inside = true;
    }
  }
  if (quote) throw Error(fmt::format("a quotation mark {} is not closed", quote), ErrorKind::usage);
  if (inside) words.push_back(std::move(word));
  return words;
}

int run_batch(const std::string& path, Console& console) {
  const Bytes file = map_file(path);
  std::string_view rest = file.view();
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    std::string said;
    Console inner({[](std::string_view) {}}, {[&](std::string_view text) {
                    if (said.empty() && text.starts_with("error: ")) said = text.substr(7);
                  }});
    std::vector<std::string> messages;
    const int code = guarded(messages, [&] {
      const std::vector<std::string> words = split_command_line(line);
      if (!words.empty() && words[0] == "batch") throw Error("a batch within a batch", ErrorKind::usage);
      return run_command(words, inner);
    });
    if (!messages.empty()) said = messages.front();
    while (!said.empty() && said.back() == '\n') said.pop_back();
    std::string text = code == exit_done ? "\"ok\"" : write_json(Json(said), JsonStyle::compact);
    console.print(fmt::format("{}\t{}\n", code, text.substr(1, text.size() - 2)));
  }
  return exit_done;
}

}  // namespace remodel
