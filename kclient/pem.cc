#include "kclient/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace vdcu::kclient {

namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using InfosPtr = std::unique_ptr<STACK_OF(X509_INFO), void (*)(STACK_OF(X509_INFO)*)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPtr Bytes(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

// OpenSSL would ask at the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) { return -1; }

// What libcurl meets later must not be an error of ours.
base::Error Refusal(std::string message) {
  ERR_clear_error();
  return base::Invalid(std::move(message));
}

bool HasBlock(std::string_view pem, std::string_view kind) {
  return pem.find("-----BEGIN " + std::string(kind)) != std::string_view::npos;
}

}  // namespace

base::Status CheckCertificates(const std::string& what, const std::string& pem) {
  if (!HasBlock(pem, "CERTIFICATE-----")) {
    return Refusal(what + ": is not PEM, no \"-----BEGIN CERTIFICATE-----\" in it");
  }
  const InfosPtr infos(
      PEM_X509_INFO_read_bio(Bytes(pem).get(), nullptr, &NoPassword, nullptr),
      [](STACK_OF(X509_INFO) * all) { sk_X509_INFO_pop_free(all, &X509_INFO_free); });
  if (infos == nullptr) return Refusal(what + ": holds a certificate that cannot be read");
  for (int i = 0; i < sk_X509_INFO_num(infos.get()); ++i) {
    if (sk_X509_INFO_value(infos.get(), i)->x509 != nullptr) {
      ERR_clear_error();
      return base::Ok();
    }
  }
  return Refusal(what + ": holds no certificate");
}

base::Status CheckKey(const std::string& what, const std::string& key_pem,
                      const std::string& certificate_pem) {
  if (!HasBlock(key_pem, "")) return Refusal(what + ": is not PEM, no \"-----BEGIN \" in it");
  const KeyPtr key(PEM_read_bio_PrivateKey(Bytes(key_pem).get(), nullptr, &NoPassword, nullptr),
                   &EVP_PKEY_free);
  if (key == nullptr) {
    return Refusal(what + ": holds no private key that can be read without a password");
  }
  const X509Ptr certificate(
      PEM_read_bio_X509(Bytes(certificate_pem).get(), nullptr, &NoPassword, nullptr), &X509_free);
  if (certificate == nullptr || X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Refusal(what + ": is not the key of the client certificate");
  }
  return base::Ok();
}

}  // namespace vdcu::kclient
