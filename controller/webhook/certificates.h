// X.509 certificates that the controller makes for its webhook, and looks at: a CA of its own, and
// the server's, both with keys of P-256. All texts are PEM.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace vdcu::controller {

struct CertifiedKey {
  std::string certificate;
  std::string key;
};

struct Validity {
  base::WallTime from;
  base::WallTime until;
};

CertifiedKey MakeCa(const Validity& validity);
// `hosts`: DNS names and IP addresses.
CertifiedKey MakeServerCertificate(const CertifiedKey& ca, const std::vector<std::string>& hosts,
                                   const Validity& validity);

// The certificates one by one; what cannot be read is left out.
std::vector<std::string> SplitCertificates(std::string_view pem);
// Of the first certificate. Nothing: there is none that can be read.
std::optional<Validity> ValidityOf(const std::string& certificate);
bool IsKeyOf(const std::string& key, const std::string& certificate);
bool IsSignedBy(const std::string& certificate, const std::string& ca);
bool IsFor(const std::string& certificate, const std::string& host);

}  // namespace vdcu::controller
