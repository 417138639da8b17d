// A certificate that signs itself, and its key, made anew.
#pragma once

#include <openssl/types.h>

#include <string>

namespace vdcu::kclient {

struct CertificatePem {
  std::string certificate;
  std::string key;
};

CertificatePem MakeCertificate();
std::string ToPem(X509* certificate);

}  // namespace vdcu::kclient
