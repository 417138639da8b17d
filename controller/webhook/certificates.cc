#include "controller/webhook/certificates.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>
#include <memory>

#include "base/check.h"

namespace vdcu::controller {

namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Freed<&BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<&X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<&X509_EXTENSION_free>>;

constexpr int kSerialBytes = 16;

std::string Text(const BioPtr& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

BioPtr Reader(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Pem(X509* certificate) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(text.get(), certificate);
  return Text(text);
}

std::string Pem(EVP_PKEY* key) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Text(text);
}

X509Ptr ReadCertificate(std::string_view pem) {
  return X509Ptr(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
}

// No password is asked for on the terminal.
KeyPtr ReadKey(std::string_view pem) {
  static char none[] = "";
  return KeyPtr(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, nullptr, none));
}

void SetTime(ASN1_TIME* field, base::WallTime time) {
  ASN1_TIME_set(field,
                std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

base::WallTime ToTime(const ASN1_TIME* field) {
  std::tm parts{};
  ASN1_TIME_to_tm(field, &parts);
  return base::WallTime(std::chrono::seconds(timegm(&parts)));
}

void AddName(X509_NAME* name, const char* text) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  CHECK(extension != nullptr, "certificate: " + value);
  X509_add_ext(certificate, extension.get(), -1);
}

// Any two differ.
void SetSerial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  CHECK(RAND_bytes(bytes, kSerialBytes) == 1, "RAND_bytes");
  bytes[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, Freed<&BN_free>> number(BN_bin2bn(bytes, kSerialBytes, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

X509Ptr Make(const char* name, EVP_PKEY* key, const Validity& validity) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  SetSerial(certificate.get());
  SetTime(X509_getm_notBefore(certificate.get()), validity.from);
  SetTime(X509_getm_notAfter(certificate.get()), validity.until);
  AddName(X509_get_subject_name(certificate.get()), name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

KeyPtr MakeKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  CHECK(key != nullptr, "EVP_EC_gen");
  return key;
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

CertifiedKey MakeCa(const Validity& validity) {
  const KeyPtr key = MakeKey();
  const X509Ptr ca = Make("vdcu-webhook-ca", key.get(), validity);
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign");
  AddExtension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  X509_sign(ca.get(), key.get(), EVP_sha256());
  return {Pem(ca.get()), Pem(key.get())};
}

CertifiedKey MakeServerCertificate(const CertifiedKey& ca, const std::vector<std::string>& hosts,
                                   const Validity& validity) {
  const X509Ptr issuer = ReadCertificate(ca.certificate);
  const KeyPtr issuer_key = ReadKey(ca.key);
  CHECK(issuer != nullptr && issuer_key != nullptr, "the CA can be read");
  const KeyPtr key = MakeKey();
  const X509Ptr made = Make("vdcu-webhook", key.get(), validity);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
  AddExtension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  std::string names;
  for (const std::string& host : hosts) {
    names += (names.empty() ? "" : ",") + std::string(IsAddress(host) ? "IP:" : "DNS:") + host;
  }
  AddExtension(made.get(), issuer.get(), NID_subject_alt_name, names);
  X509_sign(made.get(), issuer_key.get(), EVP_sha256());
  return {Pem(made.get()), Pem(key.get())};
}

std::vector<std::string> SplitCertificates(std::string_view pem) {
  std::vector<std::string> certificates;
  const BioPtr reader = Reader(pem);
  while (const X509Ptr next{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(Pem(next.get()));
  }
  return certificates;
}

std::optional<Validity> ValidityOf(const std::string& certificate) {
  const X509Ptr read = ReadCertificate(certificate);
  if (read == nullptr) return std::nullopt;
  return Validity{ToTime(X509_get0_notBefore(read.get())), ToTime(X509_get0_notAfter(read.get()))};
}

bool IsKeyOf(const std::string& key, const std::string& certificate) {
  const X509Ptr of = ReadCertificate(certificate);
  const KeyPtr read = ReadKey(key);
  return of && read && X509_check_private_key(of.get(), read.get()) == 1;
}

bool IsSignedBy(const std::string& certificate, const std::string& ca) {
  const X509Ptr read = ReadCertificate(certificate);
  const X509Ptr issuer = ReadCertificate(ca);
  return read && issuer && X509_check_issued(issuer.get(), read.get()) == X509_V_OK &&
         X509_verify(read.get(), X509_get0_pubkey(issuer.get())) == 1;
}

bool IsFor(const std::string& certificate, const std::string& host) {
  const X509Ptr read = ReadCertificate(certificate);
  if (read == nullptr) return false;
  if (IsAddress(host)) return X509_check_ip_asc(read.get(), host.c_str(), 0) == 1;
  return X509_check_host(read.get(), host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace vdcu::controller
