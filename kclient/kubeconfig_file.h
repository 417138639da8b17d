// What config.cc and kubeconfig_file.cc share: reading a kubeconfig's text, and its checks.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kclient/config.h"

namespace vdcu::kclient {

// At most 1 MiB; `path` may be relative to the working folder.
base::Result<std::string> ReadSmallFile(const std::string& path);

// `what` (a file, or a file and field) begins the message. Errors: kInvalid.
base::Status CheckToken(const std::string& what, std::string_view token);
// `kind` is what follows "-----BEGIN ": "CERTIFICATE-----".
base::Status CheckPem(const std::string& what, std::string_view text, std::string_view kind);

}  // namespace vdcu::kclient
