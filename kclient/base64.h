// Base64 with padding (RFC 4648, section 4), as objects of Kubernetes carry bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vdcu::kclient {

std::string EncodeBase64(std::string_view bytes);
// White space in `text` counts for nothing. Nothing: it is no base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace vdcu::kclient
