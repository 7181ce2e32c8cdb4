#include "base/error.h"

namespace remodel {

const char* Error::what() const noexcept {
  if (whole_.empty()) {
    for (auto place = places_.rbegin(); place != places_.rend(); ++place) whole_ += *place + ": ";
    whole_ += text_;
    if (!hint_.empty()) whole_ += " (" + hint_ + ")";
  }
  return whole_.c_str();
}

}  // namespace remodel
