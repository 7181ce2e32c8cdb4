// The whole text of the Error that an action throws, or "accepted".
#pragma once

#include <string>

#include "base/error.h"

namespace remodel {

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace remodel
