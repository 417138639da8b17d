// Whether PEM holds what it is for, before libcurl is given it.
//
// `what` (a file, or a file and field) begins the message. Errors: kInvalid. Keys never stand in
// messages.
#pragma once

#include <string>

#include "base/result.h"

namespace vdcu::kclient {

// One certificate at least, and none that cannot be read: a file that is half written is refused.
base::Status CheckCertificates(const std::string& what, const std::string& pem);
// A private key without a password that belongs to the first of the certificates.
base::Status CheckKey(const std::string& what, const std::string& key_pem,
                      const std::string& certificate_pem);

}  // namespace vdcu::kclient
