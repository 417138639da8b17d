#include "dcu/cu_mask.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/check.h"

namespace vdcu::dcu {
namespace {

base::Result<uint64_t> ParseWord(std::string_view text) {
  constexpr size_t kDigits = 16;
  const bool shape = text.size() == 2 + kDigits && text.starts_with("0x") &&
                     text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  if (!shape) {
    return base::Invalid("cu_mask \"" + std::string(text) +
                         "\": want 0x and 16 lower-case hex digits");
  }
  uint64_t word = 0;
  std::from_chars(text.data() + 2, text.data() + text.size(), word, 16);
  return word;
}

uint64_t LowBits(int count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

// Run by run: what is free of a card is a few of them.
uint64_t LowestOf(uint64_t word, int count) {
  uint64_t taken = 0;
  while (count > 0 && word != 0) {
    const int start = std::countr_zero(word);
    const int length = std::min(count, std::countr_one(word >> start));
    const uint64_t run = LowBits(length) << start;
    taken |= run;
    word &= ~run;
    count -= length;
  }
  return taken;
}

std::string Line(uint64_t word) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(word));
  return text;
}

}  // namespace

CuMask CuMask::FirstUnits(int count) {
  CHECK(count >= 0 && count <= 128, "compute units out of 0..128");
  return {LowBits(count), count > 64 ? LowBits(count - 64) : 0};
}

base::Result<CuMask> CuMask::Parse(std::string_view low, std::string_view high) {
  ASSIGN_OR_RETURN(const uint64_t low_word, ParseWord(low));
  ASSIGN_OR_RETURN(const uint64_t high_word, ParseWord(high));
  return CuMask(low_word, high_word);
}

CuMask CuMask::Lowest(int count) const {
  CHECK(count >= 0 && count <= Count(), "more units than the set has");
  const uint64_t low_word = LowestOf(low(), count);
  return {low_word, LowestOf(high(), count - std::popcount(low_word))};
}

std::array<std::string, 2> CuMask::Lines() const { return {Line(low()), Line(high())}; }

}  // namespace vdcu::dcu
