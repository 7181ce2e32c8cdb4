// Runs one command line.
#pragma once

#include <string>
#include <vector>

namespace remodel {

class Console;

// Gives the exit code; all that goes wrong is said on the console.
int run_command(const std::vector<std::string>& arguments, Console& console);

}  // namespace remodel
