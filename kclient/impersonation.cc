#include "kclient/impersonation.h"

#include <algorithm>
#include <string_view>

namespace vdcu::kclient {

namespace {

base::Status CheckValue(const std::string& what, std::string_view value) {
  const bool has_control = std::any_of(value.begin(), value.end(),
                                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!has_control) return base::Ok();
  return base::Invalid(what + ": want text without control characters");
}

bool MayStandInName(char c) {
  constexpr std::string_view kMarks = "!#$&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

// As client-go does it (transport.headerKeyEscape): what cannot stand in a header's name is %XX.
std::string Escaped(std::string_view key) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : key) {
    if (MayStandInName(c)) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

}  // namespace

base::Status CheckImpersonation(const std::string& where, const Impersonation& who) {
  if (who.user.empty() && !(who == Impersonation())) {
    return base::Invalid(where + "as: is missing; as-uid, as-groups and as-user-extra go with it");
  }
  RETURN_IF_ERROR(CheckValue(where + "as", who.user));
  RETURN_IF_ERROR(CheckValue(where + "as-uid", who.uid));
  for (const std::string& group : who.groups) {
    RETURN_IF_ERROR(CheckValue(where + "as-groups", group));
  }
  for (const auto& [key, values] : who.extra) {
    for (const std::string& value : values) {
      RETURN_IF_ERROR(CheckValue(where + "as-user-extra[" + key + "]", value));
    }
  }
  return base::Ok();
}

std::vector<std::string> HeadersOf(const Impersonation& who) {
  std::vector<std::string> lines;
  if (who.user.empty()) return lines;
  lines.push_back("Impersonate-User: " + who.user);
  if (!who.uid.empty()) lines.push_back("Impersonate-Uid: " + who.uid);
  for (const std::string& group : who.groups) lines.push_back("Impersonate-Group: " + group);
  for (const auto& [key, values] : who.extra) {
    for (const std::string& value : values) {
      lines.push_back("Impersonate-Extra-" + Escaped(key) + ": " + value);
    }
  }
  return lines;
}

}  // namespace vdcu::kclient
