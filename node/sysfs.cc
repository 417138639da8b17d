#include "node/sysfs.h"

#include <charconv>

namespace vdcu::node {

namespace {

constexpr size_t kMostBytes = 16 * 1024;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::optional<std::string> ReadText(const base::Root& root, const std::string& path) {
  const auto content = root.Read(path, kMostBytes);
  if (!content) return std::nullopt;
  return std::string(Trim(*content));
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

base::Result<Properties> Properties::Read(const base::Root& root, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string content, root.Read(path, kMostBytes));
  Properties properties;
  std::string_view rest = content;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = Trim(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    properties.values_.emplace(line.substr(0, space), Trim(line.substr(space)));
  }
  return properties;
}

base::Result<int64_t> Properties::Number(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return base::Corrupt(key + " is missing");
  const auto number = ParseNumber(found->second);
  if (!number || *number < 0) {
    return base::Corrupt(key + " \"" + found->second.substr(0, 40) + "\": want a number");
  }
  return *number;
}

int64_t Properties::NumberOr(const std::string& key, int64_t fallback) const {
  return Number(key).value_or(fallback);
}

}  // namespace vdcu::node
