// UTF-8, as the formats here store text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace remodel {

// The length of the well-formed sequence at `at` (1 to 4), 0 if there is none: no overlong forms, no
// surrogates.
size_t utf8_length(std::string_view text, size_t at);
bool is_utf8(std::string_view text);
// Well-formed and without control characters but line ends and tabs.
bool is_text(std::string_view text);
// Surrogates and numbers beyond Unicode become U+FFFD.
void append_utf8(std::string& text, uint32_t code);
// The code point of the well-formed sequence at `at`.
uint32_t utf8_code(std::string_view text, size_t at);
// Text from a file, fit to be shown: control characters and bytes that are no UTF-8 become \xNN, and
// characters that turn the direction of writing \uNNNN.
std::string printable(std::string_view text);

}  // namespace remodel
