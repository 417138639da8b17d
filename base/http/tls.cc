#include "base/http/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"

namespace vdcu::base {

namespace {

constexpr std::chrono::seconds kLookEvery{1};
constexpr size_t kMostBytes = size_t{1} << 20;

gnutls_datum_t Datum(const std::string& text) {
  return {.data = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          .size = static_cast<unsigned>(text.size())};
}

// GnuTLS leaves out what it cannot read at the end of a list.
size_t CountCertificates(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  size_t count = 0;
  for (size_t at = pem.find(kBegin); at != std::string_view::npos;) {
    ++count;
    at = pem.find(kBegin, at + kBegin.size());
  }
  return count;
}

Status CheckCertificates(const std::string& file, const std::string& pem) {
  const size_t want = CountCertificates(pem);
  if (want == 0) return Invalid(file + ": no \"-----BEGIN CERTIFICATE-----\" in it: want PEM");
  gnutls_x509_crt_t* list = nullptr;
  unsigned count = 0;
  const gnutls_datum_t bytes = Datum(pem);
  const int code = gnutls_x509_crt_list_import2(&list, &count, &bytes, GNUTLS_X509_FMT_PEM, 0);
  if (code >= 0) {
    for (unsigned i = 0; i < count; ++i) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
  }
  if (code >= 0 && count == want) return Ok();
  return Invalid(file + ": holds a certificate that cannot be read");
}

Status CheckKey(const std::string& file, const std::string& pem) {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_privkey_init(&key);
  const gnutls_datum_t bytes = Datum(pem);
  const int code = gnutls_x509_privkey_import2(key, &bytes, GNUTLS_X509_FMT_PEM, nullptr, 0);
  gnutls_x509_privkey_deinit(key);
  if (code == 0) return Ok();
  return Invalid(file + ": holds no private key in PEM that can be read without a password");
}

}  // namespace

TlsPair::TlsPair(std::string certificate, std::string key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {
  const int code = gnutls_certificate_allocate_credentials(&credentials_);
  CHECK(code == 0, gnutls_strerror(code));
}

TlsPair::~TlsPair() { gnutls_certificate_free_credentials(credentials_); }

Result<std::shared_ptr<const TlsPair>> TlsPair::Load(const TlsFiles& files) {
  ASSIGN_OR_RETURN(std::string certificate, Root("/").Read(files.certificate, kMostBytes));
  ASSIGN_OR_RETURN(std::string key, Root("/").Read(files.key, kMostBytes));
  ASSIGN_OR_RETURN(auto pair, MakePlain(std::move(certificate), std::move(key), files));
  if (!files.client_ca.empty()) {
    ASSIGN_OR_RETURN(const std::string client_ca, Root("/").Read(files.client_ca, kMostBytes));
    RETURN_IF_ERROR(pair->Trust(files.client_ca, client_ca));
  }
  return std::shared_ptr<const TlsPair>(std::move(pair));
}

Status TlsPair::Trust(const std::string& file, const std::string& client_ca) {
  RETURN_IF_ERROR(CheckCertificates(file, client_ca));
  const gnutls_datum_t bytes = Datum(client_ca);
  const int count =
      gnutls_certificate_set_x509_trust_mem(credentials_, &bytes, GNUTLS_X509_FMT_PEM);
  if (count < 1) return Invalid(file + ": holds no certificate of a CA");
  asks_clients_ = true;
  return Ok();
}

Result<std::shared_ptr<const TlsPair>> TlsPair::Make(std::string certificate, std::string key,
                                                     const TlsFiles& files) {
  ASSIGN_OR_RETURN(auto pair, MakePlain(std::move(certificate), std::move(key), files));
  return std::shared_ptr<const TlsPair>(std::move(pair));
}

Result<std::shared_ptr<TlsPair>> TlsPair::MakePlain(std::string certificate, std::string key,
                                                    const TlsFiles& files) {
  RETURN_IF_ERROR(CheckCertificates(files.certificate, certificate));
  RETURN_IF_ERROR(CheckKey(files.key, key));
  std::shared_ptr<TlsPair> pair(new TlsPair(std::move(certificate), std::move(key)));
  const gnutls_datum_t certificate_bytes = Datum(pair->certificate_);
  const gnutls_datum_t key_bytes = Datum(pair->key_);
  const int code = gnutls_certificate_set_x509_key_mem2(
      pair->credentials_, &certificate_bytes, &key_bytes, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
    return Invalid(files.key + ": is not the key of the first certificate in " + files.certificate);
  }
  if (code < 0) return Invalid(files.certificate + ": " + gnutls_strerror(code));
  return pair;
}

ReloadedTls::ReloadedTls(TlsFiles files, const Stamps& stamps, std::shared_ptr<const TlsPair> pair)
    : files_(std::move(files)), stamps_(stamps), pair_(std::move(pair)) {}

ReloadedTls::Stamps ReloadedTls::StampsOf(const TlsFiles& files) {
  return {.certificate = StampOf(files.certificate),
          .key = StampOf(files.key),
          .client_ca = files.client_ca.empty() ? FileStamp() : StampOf(files.client_ca)};
}

Result<std::unique_ptr<ReloadedTls>> ReloadedTls::Load(TlsFiles files) {
  const Stamps stamps = StampsOf(files);
  ASSIGN_OR_RETURN(auto pair, TlsPair::Load(files));
  return std::unique_ptr<ReloadedTls>(new ReloadedTls(std::move(files), stamps, std::move(pair)));
}

const std::shared_ptr<const TlsPair>& ReloadedTls::Current(TimePoint now) {
  if (now - looked_ < kLookEvery) return pair_;
  looked_ = now;
  const Stamps stamps = StampsOf(files_);
  if (stamps == stamps_) return pair_;
  auto pair = TlsPair::Load(files_);
  if (!pair) {
    if (std::exchange(problem_, pair.error().message) != problem_) {
      Log(Level::kWarning, "the certificate cannot be read again, the old one stays",
          {{"error", problem_}});
    }
    return pair_;
  }
  problem_.clear();
  stamps_ = stamps;
  pair_ = std::move(*pair);
  Log(Level::kInfo, "the certificate was read again", {{"file", files_.certificate}});
  return pair_;
}

}  // namespace vdcu::base
