// Scripts with which shells complete this program's command lines.
#pragma once

#include <string>
#include <vector>

namespace remodel {

struct CommandInfo;

// For bash, zsh or fish; other shells are refused as a usage error.
std::string completions(const std::string& shell, const std::vector<CommandInfo>& commands);

}  // namespace remodel
