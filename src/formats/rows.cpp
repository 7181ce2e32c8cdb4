#include "formats/rows.h"

namespace remodel {

Slot::Slot(Kind kind, std::string_view wire, size_t field, int position, Default value,
           std::vector<ChoiceName> choices)
    : kind(kind), wire(wire), field(field), position(position), value(value), choices(std::move(choices)) {}
Slot::Slot(const Slot&) = default;
Slot::~Slot() = default;

}  // namespace remodel
