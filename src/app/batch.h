// Many command lines in one process: for tests, which would otherwise start thousands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace remodel {

class Console;

// Runs each line of the file as a command line, in order, and prints for each
//   <exit code> TAB <first error message as in a JSON string, or ok>
// What the commands themselves say is dropped. Gives 0 however they end.
int run_batch(const std::string& path, Console& console);

// The words of a line as a shell takes them: blanks between, single and double quotes, backslashes.
std::vector<std::string> split_command_line(std::string_view line);

}  // namespace remodel
