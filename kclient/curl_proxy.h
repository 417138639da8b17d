// Through which proxy an API server is reached, as Go's clients find it.
//
// Errors: kInvalid. A proxy's user and password never stand in messages.
#pragma once

#include <string>

#include "base/result.h"

namespace vdcu::kclient {

// For libcurl: "http://HOST:PORT", "https://…" or "socks5h://…", with user and password where `url`
// has them. `what` begins the message.
base::Result<std::string> ParseProxy(const std::string& what, const std::string& url);

// What HTTPS_PROXY and NO_PROXY (or their lower-case names) say for `server`, an https:// URL;
// empty: none. Never for localhost and loopback addresses. NO_PROXY is a list, with commas, of
// "*", IP addresses, CIDRs and domains; "a.b" means its subdomains too, ".a.b" and "*.a.b" only
// them; all but CIDRs may have ":PORT".
base::Result<std::string> ProxyFromEnvironment(const std::string& server);

}  // namespace vdcu::kclient
