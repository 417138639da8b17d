#include "kclient/core/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace vdcu::kclient {

namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

struct Suffix {
  std::string_view text;
  int decimal;  // times ten to this
  int binary;   // times 1024 to this
};
constexpr std::array<Suffix, 16> kSuffixes{{
    {"", 0, 0},
    {"n", -9, 0},
    {"u", -6, 0},
    {"m", -3, 0},
    {"k", 3, 0},
    {"M", 6, 0},
    {"G", 9, 0},
    {"T", 12, 0},
    {"P", 15, 0},
    {"E", 18, 0},
    {"Ki", 0, 1},
    {"Mi", 0, 2},
    {"Gi", 0, 3},
    {"Ti", 0, 4},
    {"Pi", 0, 5},
    {"Ei", 0, 6},
}};

// ± digits x 10^exponent x 1024^kibis, exactly as written.
struct Number {
  bool negative = false;
  std::string digits;  // without leading zeros: empty is zero
  int64_t exponent = 0;
  int kibis = 0;
};

std::string_view TakeDigits(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

// "e3", "E-3", "e+3".
std::optional<int64_t> ParseExponent(std::string_view text) {
  if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with("+") && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return exponent;
}

bool ApplySuffix(std::string_view text, Number& number) {
  // A bound keeps the sums below within int64; all past it saturates or rounds to one anyway.
  constexpr int64_t kFar = 1'000'000'000'000;
  const auto* known = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                   [&](const Suffix& suffix) { return suffix.text == text; });
  if (known != kSuffixes.end()) {
    number.exponent += known->decimal;
    number.kibis = known->binary;
    return true;
  }
  const auto exponent = ParseExponent(text);
  if (exponent) number.exponent += std::clamp(*exponent, -kFar, kFar);
  return exponent.has_value();
}

std::optional<Number> ParseNumber(std::string_view text) {
  Number number;
  if (text.starts_with("+") || text.starts_with("-")) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::string_view whole = TakeDigits(text);
  std::string_view fraction;
  if (text.starts_with(".")) {
    text.remove_prefix(1);
    fraction = TakeDigits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  number.exponent = -static_cast<int64_t>(fraction.size());
  if (!ApplySuffix(text, number)) return std::nullopt;
  number.digits.append(whole).append(fraction);
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  return number;
}

void MultiplyBy1024(std::string& digits) {
  unsigned carry = 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    const unsigned product = static_cast<unsigned>(*digit - '0') * 1024 + carry;
    *digit = static_cast<char>('0' + product % 10);
    carry = product / 10;
  }
  if (carry != 0) digits.insert(0, std::to_string(carry));
}

// value * 10 + digit; kMost stays kMost.
int64_t AppendDigit(int64_t value, int digit) {
  return value > (kMost - digit) / 10 ? kMost : value * 10 + digit;
}

// digits x 10^exponent, rounded up.
int64_t RoundUp(const std::string& digits, int64_t exponent) {
  if (digits.empty()) return 0;
  const int64_t length = static_cast<int64_t>(digits.size());
  const auto cut = static_cast<size_t>(std::clamp<int64_t>(length + exponent, 0, length));
  int64_t value = 0;
  for (size_t i = 0; i < cut; ++i) value = AppendDigit(value, digits[i] - '0');
  for (int64_t i = 0; i < exponent && value < kMost; ++i) value = AppendDigit(value, 0);
  const bool rest = digits.find_first_not_of('0', cut) != std::string::npos;
  return rest && value < kMost ? value + 1 : value;
}

base::Result<int64_t> Parse(std::string_view text, int scale) {
  std::optional<Number> number = ParseNumber(text);
  if (!number) {
    return base::Invalid("quantity \"" + std::string(text) +
                         "\" is not a number followed by nothing or one of m, k, M, G, T, P, E, "
                         "Ki, Mi, Gi, Ti, Pi, Ei, such as \"500m\", \"2\" or \"1.5Gi\"");
  }
  for (int i = 0; i < number->kibis; ++i) MultiplyBy1024(number->digits);
  const int64_t value = RoundUp(number->digits, number->exponent + scale);
  return number->negative ? -value : value;
}

// Of a string its content, of a number its digits.
std::string QuantityText(JsonView value) {
  const auto text = value.String();
  return text ? std::string(*text) : value.Text();
}

int64_t AddSaturating(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? kMost : std::numeric_limits<int64_t>::min();
}

}  // namespace

base::Result<int64_t> ParseQuantity(std::string_view text) { return Parse(text, 0); }

base::Result<int64_t> ParseMilliQuantity(std::string_view text) { return Parse(text, 3); }

ResourceList ParseResourceList(JsonView object, std::string_view key) {
  ResourceList list;
  ForEachMember(object, key, [&](std::string_view name, JsonView value) {
    const std::string text = QuantityText(value);
    const auto amount = name == "cpu" ? ParseMilliQuantity(text) : ParseQuantity(text);
    if (amount) list.emplace(name, *amount);
  });
  return list;
}

void Add(ResourceList& sum, const ResourceList& more) {
  for (const auto& [name, amount] : more) {
    int64_t& value = sum[name];
    value = AddSaturating(value, amount);
  }
}

void TakeMax(ResourceList& most, const ResourceList& other) {
  for (const auto& [name, amount] : other) {
    const auto [found, added] = most.emplace(name, amount);
    if (!added) found->second = std::max(found->second, amount);
  }
}

}  // namespace vdcu::kclient
