// A certificate that signs itself, and its key, made anew.
#pragma once

#include <string>

namespace vdcu::kclient {

struct CertificatePem {
  std::string certificate;
  std::string key;
};

CertificatePem MakeCertificate();

}  // namespace vdcu::kclient
