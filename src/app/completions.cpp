#include "app/completions.h"

#include "app/options.h"
#include "base/error.h"

namespace remodel {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

std::string all_names(const CommandInfo& command) {
  std::vector<std::string> names;
  for (const OptionInfo& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return joined(names, " ");
}

std::string command_names(const std::vector<CommandInfo>& commands) {
  std::vector<std::string> names;
  for (const CommandInfo& command : commands)
    if (!command.name.empty()) names.push_back(command.name);
  return joined(names, " ");
}

// In single quotes of any of the shells.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string bash(const std::vector<CommandInfo>& commands) {
  std::string text =
      "_remodel() {\n  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options\n";
  text += "  case ${COMP_WORDS[1]} in\n";
  for (const CommandInfo& command : commands)
    if (!command.name.empty())
      text += fmt::format("    {}) options={} ;;\n", command.name, quoted(all_names(command)));
  text += fmt::format("    *) options={} ;;\n  esac\n", quoted(all_names(commands.front())));
  text += "  case $before in\n";
  for (const OptionInfo& option : commands.front().options)
    if (!option.values.empty())
      text += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n",
                          joined(option.names, "|"), quoted(joined(option.values, " ")));
  text += fmt::format(
      "    completions) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")); return ;;\n  esac\n"
      "  if [[ $word == -* ]]; then\n    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n  else\n"
      "    local IFS=$'\\n'\n    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "    if [[ $COMP_CWORD -eq 1 ]]; then\n      IFS=$' \\n'\n"
      "      COMPREPLY+=($(compgen -W {} -- \"$word\"))\n    fi\n  fi\n}}\n"
      "complete -o filenames -F _remodel remodel\n",
      quoted(command_names(commands)));
  return text;
}

// In a specification of zsh's _arguments, brackets and colons are marks.
std::string zsh_help(std::string_view help) {
  std::string text;
  for (char c : help)
    text += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return text;
}

std::string zsh(const std::vector<CommandInfo>& commands) {
  std::string text = "#compdef remodel\n_remodel() {\n  local -a options\n  case ${words[2]} in\n";
  const auto options_of = [](const CommandInfo& command) {
    std::string lines;
    for (const OptionInfo& option : command.options)
      for (const std::string& name : option.names) {
        std::string action;
        if (option.takes_value)
          action = option.values.empty() ? ":value:_files" : ":value:(" + joined(option.values, " ") + ")";
        lines += "        " + quoted(fmt::format("*{}[{}]{}", name, zsh_help(option.help), action)) + "\n";
      }
    return lines;
  };
  for (const CommandInfo& command : commands)
    if (!command.name.empty())
      text += fmt::format("    {})\n      options=(\n{}      ) ;;\n", command.name, options_of(command));
  text += fmt::format("    *)\n      options=(\n{}      ) ;;\n  esac\n", options_of(commands.front()));
  text += "  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CommandInfo& command : commands)
    if (!command.name.empty()) text += "      " + quoted(command.name + ":" + zsh_help(command.help)) + "\n";
  text +=
      "    )\n    _describe command commands\n  fi\n  _arguments $options '*:file:_files'\n}\n"
      "compdef _remodel remodel\n";
  return text;
}

std::string fish(const std::vector<CommandInfo>& commands) {
  std::string text;
  const std::string names = command_names(commands);
  for (const CommandInfo& command : commands) {
    const std::string where = command.name.empty() ? "not __fish_seen_subcommand_from " + names
                                                   : "__fish_seen_subcommand_from " + command.name;
    if (!command.name.empty())
      text += fmt::format("complete -c remodel -n '__fish_use_subcommand' -a {} -d {}\n", command.name,
                          quoted(command.help));
    for (const OptionInfo& option : command.options) {
      text += fmt::format("complete -c remodel -n {}", quoted(where));
      for (const std::string& name : option.names)
        text += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value) text += " -r";
      if (!option.values.empty()) text += " -f -a " + quoted(joined(option.values, " "));
      text += " -d " + quoted(option.help) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completions(const std::string& shell, const std::vector<CommandInfo>& commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  if (shell == "fish") return fish(commands);
  throw Error(fmt::format("'{}' is not one of bash, zsh and fish", shell), ErrorKind::usage);
}

}  // namespace remodel
