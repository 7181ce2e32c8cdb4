#include "formats/rows.h"

namespace remodel {

Slot make_slot(Slot::Kind kind, std::string_view wire, size_t field, int position, const Default& value,
               std::vector<ChoiceName> choices) {
  return {kind, wire, field, position, value, std::move(choices)};
}

}  // namespace remodel
