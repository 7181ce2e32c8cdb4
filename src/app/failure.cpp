#include "app/failure.h"

#include <new>

#include "app/load.h"
#include "base/error.h"

namespace remodel {
namespace {

int code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::refused:
      return exit_refused;
    case ErrorKind::usage:
      return exit_usage;
    case ErrorKind::io:
      return exit_io;
    case ErrorKind::internal:
      break;
  }
  return exit_internal;
}

}  // namespace

int guarded(std::vector<std::string>& messages, const std::function<int()>& action) {
  try {
    return action();
  } catch (const Problems& problems) {
    int code = 0;
    for (const Error& problem : problems.all) {
      messages.push_back(problem.what());
      code = std::max(code, code_of(problem.kind()));
    }
    return code;
  } catch (const Error& error) {
    messages.push_back(error.kind() == ErrorKind::internal ? std::string("internal error: ") + error.what()
                                                           : error.what());
    return code_of(error.kind());
  } catch (const std::bad_alloc&) {
    messages.push_back("there is not enough memory");
    return exit_io;
  } catch (const std::exception& error) {
    messages.push_back(std::string("internal error: ") + error.what());
    return exit_internal;
  }
}

}  // namespace remodel
