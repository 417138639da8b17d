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

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

std::string Quote(std::string_view text) {
  constexpr size_t kMostQuoted = 100;
  return '"' + Cut(std::string(text.substr(0, kMostQuoted + 1)), kMostQuoted) + '"';
}

}  // namespace vdcu::base
