// What config.cc and kubeconfig_file.cc share: reading a kubeconfig's text, and its checks.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kclient/config.h"

namespace vdcu::kclient {

// At most 1 MiB; `path` is absolute. What it was is noted in `files`.
base::Result<std::string> ReadSmallFile(const std::string& path, SourceFiles& files);
// A token file's content without the white space around it.
base::Result<std::string> ReadToken(const std::string& path, SourceFiles& files);

// `what` (a file, or a file and field) begins the message. Errors: kInvalid.
base::Status CheckToken(const std::string& what, std::string_view token);
// A name that becomes part of a path: a-z, 0-9 and -, 63 characters at most (RFC 1123).
base::Status CheckNamespace(const std::string& what, std::string_view name);

}  // namespace vdcu::kclient
