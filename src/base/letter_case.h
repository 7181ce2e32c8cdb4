// Upper and lower case of text, letter by letter, by Unicode and no locale. Letters whose other case is more
// than one letter stay.
#pragma once

#include <string>
#include <string_view>

namespace remodel {

// Bytes that are not UTF-8 stay as they are.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

}  // namespace remodel
