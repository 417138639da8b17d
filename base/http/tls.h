// A server's certificate and key, read again when their files change.
//
// Promises: the files are looked at (one stat each) once a second at most. A pair that cannot be
// used (absent, half written, garbage, a key of another certificate) is said once in the log; the
// one before stays, and it is tried again at each look.
// Errors: kNotFound where a file is absent, kInvalid where it is wrong; both name the file. Keys
// never stand in messages.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_stamp.h"

struct gnutls_certificate_credentials_st;

namespace vdcu::base {

struct TlsFiles {
  std::string certificate;  // PEM, the server's own first, then those that lead to its CA
  std::string key;          // PEM, without a password
};

// A certificate with its key, as GnuTLS uses it. It outlives the sessions that it was given to.
class TlsPair {
 public:
  static Result<std::shared_ptr<const TlsPair>> Load(const TlsFiles& files);
  ~TlsPair();
  TlsPair(const TlsPair&) = delete;
  TlsPair& operator=(const TlsPair&) = delete;

  gnutls_certificate_credentials_st* credentials() const { return credentials_; }
  const std::string& certificate() const { return certificate_; }
  const std::string& key() const { return key_; }

 private:
  TlsPair(std::string certificate, std::string key);

  const std::string certificate_;  // PEM
  const std::string key_;          // PEM
  gnutls_certificate_credentials_st* credentials_ = nullptr;
};

class ReloadedTls {
 public:
  static Result<std::unique_ptr<ReloadedTls>> Load(TlsFiles files);

  // Looks at the files, unless it did a moment ago.
  const std::shared_ptr<const TlsPair>& Current(TimePoint now);

 private:
  struct Stamps {
    FileStamp certificate;
    FileStamp key;
    friend bool operator==(const Stamps&, const Stamps&) = default;
  };

  ReloadedTls(TlsFiles files, const Stamps& stamps, std::shared_ptr<const TlsPair> pair);
  static Stamps StampsOf(const TlsFiles& files);

  const TlsFiles files_;
  Stamps stamps_;  // before the files of pair_ were read
  std::shared_ptr<const TlsPair> pair_;
  TimePoint looked_;
  std::string problem_;  // as it was logged; empty: the files can be used
};

}  // namespace vdcu::base
