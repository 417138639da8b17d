#include "kclient/core/uid.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

namespace vdcu::kclient {

namespace {

constexpr uint64_t kAside = ~uint64_t{0};

// Texts that are no UUIDs, by number and back.
struct Aside {
  std::map<std::string, uint64_t, std::less<>> numbers;
  std::vector<std::string> texts;
};

Aside& TheAside() {
  static auto* const aside = new Aside;
  return *aside;
}

std::optional<uint64_t> DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

bool IsDash(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

// Both halves of a UUID.
std::optional<std::pair<uint64_t, uint64_t>> ParseUuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  uint64_t halves[2] = {0, 0};
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDash(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const auto digit = DigitOf(text[i]);
    if (!digit) return std::nullopt;
    uint64_t& half = halves[i < 18 ? 0 : 1];
    half = half << 4 | *digit;
  }
  return std::pair(halves[0], halves[1]);
}

}  // namespace

bool IsUid(std::string_view text) {
  constexpr size_t kMaxLength = 64;
  return !text.empty() && text.size() <= kMaxLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-';
         });
}

Uid::Uid(std::string_view text) {
  if (text.empty()) return;
  const auto uuid = ParseUuid(text);
  if (uuid && uuid->first != 0 && uuid->first != kAside) {
    high_ = uuid->first;
    low_ = uuid->second;
    return;
  }
  Aside& aside = TheAside();
  const auto [found, is_new] = aside.numbers.try_emplace(std::string(text), aside.texts.size());
  if (is_new) aside.texts.emplace_back(text);
  high_ = kAside;
  low_ = found->second;
}

std::string Uid::text() const {
  if (empty()) return "";
  if (high_ == kAside) return TheAside().texts[low_];
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(36, '-');
  int digit = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDash(i)) continue;
    const uint64_t half = digit < 16 ? high_ : low_;
    text[i] = kDigits[half >> (60 - 4 * (digit % 16)) & 15];
    ++digit;
  }
  return text;
}

}  // namespace vdcu::kclient
