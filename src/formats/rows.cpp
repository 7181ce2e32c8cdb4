#include "formats/rows.h"

namespace remodel::rows_detail {

Slot slot(Slot::Kind kind, std::string_view wire, size_t field, int position, const Default& value,
          const std::vector<ChoiceName>& choices) {
  return {kind, wire, field, position, value, choices};
}

}  // namespace remodel::rows_detail
