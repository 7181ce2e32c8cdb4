#include <string>
#include <vector>

#include "app/commands.h"
#include "app/console.h"
#include "base/file.h"

int main(int argc, char** argv) {
  remodel::keep_freed_memory();
  remodel::remove_temporaries_on_signals();
  remodel::Console console = remodel::standard_console();
  return remodel::run_command(std::vector<std::string>(argv + 1, argv + argc), console);
}
