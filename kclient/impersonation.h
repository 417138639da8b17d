// Who a request is made for instead of the one whose credentials it has (Impersonate-* headers).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace vdcu::kclient {

struct Impersonation {
  std::string user;  // empty: nobody is impersonated
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  friend bool operator==(const Impersonation&, const Impersonation&) = default;
};

// kInvalid where there is no user for the rest, or a value cannot stand in a header; `where` is
// before a field's name: "FILE: users[jane].user.".
base::Status CheckImpersonation(const std::string& where, const Impersonation& who);

// "Impersonate-User: jane" and so on; none where nobody is impersonated.
std::vector<std::string> HeadersOf(const Impersonation& who);

}  // namespace vdcu::kclient
