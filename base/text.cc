#include "base/text.h"

#include <utility>

namespace vdcu::base {

std::string Cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text += "...";
}

std::string Quote(std::string_view text) {
  constexpr size_t kMostQuoted = 100;
  return '"' + Cut(std::string(text.substr(0, kMostQuoted + 1)), kMostQuoted) + '"';
}

}  // namespace vdcu::base
