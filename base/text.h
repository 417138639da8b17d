// Texts from outside (what users write, what servers answer), bounded before they are shown on.
#pragma once

#include <string>
#include <string_view>

namespace vdcu::base {

// Bytes of a condition's message and of an event's note, which the API bounds so.
inline constexpr size_t kMostMessage = 1024;

// At most `most` bytes (4 or more), never half a UTF-8 character; ends in "..." where it was cut.
std::string Cut(std::string text, size_t most = kMostMessage);

// Without the white space of C at both ends.
std::string_view Trim(std::string_view text);

// In quotation marks, and so short that what is said of it still stands beside it.
std::string Quote(std::string_view text);

}  // namespace vdcu::base
