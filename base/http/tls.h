// A server's certificate and key: of files, which are read again when they change, or given by
// whoever makes them.
//
// Promises: the files are looked at (one stat each) once a second at most. A pair that cannot be
// used (absent, half written, garbage, a key of another certificate) is said once in the log; the
// one before stays, and it is tried again at each look.
// Errors: kNotFound where a file is absent, kInvalid where it is wrong; both name the file. Keys
// never stand in messages.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/file_stamp.h"

struct gnutls_certificate_credentials_st;

namespace vdcu::base {

struct TlsFiles {
  std::string certificate;  // PEM, the server's own first, then those that lead to its CA
  std::string key;          // PEM, without a password
  // PEM: clients must have a certificate of one of these CAs; empty: they need none.
  std::string client_ca = {};
};

// A certificate with its key, as GnuTLS uses it. It outlives the sessions that it was given to.
class TlsPair {
 public:
  static Result<std::shared_ptr<const TlsPair>> Load(const TlsFiles& files);
  // Of PEM texts; errors call them by the names in `names`. It asks clients for nothing.
  static Result<std::shared_ptr<const TlsPair>> Make(std::string certificate, std::string key,
                                                     const TlsFiles& names);
  ~TlsPair();
  TlsPair(const TlsPair&) = delete;
  TlsPair& operator=(const TlsPair&) = delete;

  gnutls_certificate_credentials_st* credentials() const { return credentials_; }
  const std::string& certificate() const { return certificate_; }
  const std::string& key() const { return key_; }
  // Whether a client needs a certificate, which GnuTLS verifies then.
  bool asks_clients() const { return asks_clients_; }

 private:
  static Result<std::shared_ptr<TlsPair>> MakePlain(std::string certificate, std::string key,
                                                    const TlsFiles& names);
  Status Trust(const std::string& file, const std::string& client_ca);

  TlsPair(std::string certificate, std::string key);

  const std::string certificate_;  // PEM
  const std::string key_;          // PEM
  gnutls_certificate_credentials_st* credentials_ = nullptr;
  bool asks_clients_ = false;
};

class TlsSource {
 public:
  virtual ~TlsSource() = default;
  // For a session that begins now; never null.
  virtual const std::shared_ptr<const TlsPair>& Current(TimePoint now) = 0;
};

class HeldTls : public TlsSource {
 public:
  explicit HeldTls(std::shared_ptr<const TlsPair> pair) : pair_(std::move(pair)) {}
  void Set(std::shared_ptr<const TlsPair> pair) { pair_ = std::move(pair); }
  const std::shared_ptr<const TlsPair>& Current(TimePoint /*now*/) override { return pair_; }

 private:
  std::shared_ptr<const TlsPair> pair_;
};

class ReloadedTls : public TlsSource {
 public:
  static Result<std::unique_ptr<ReloadedTls>> Load(TlsFiles files);

  // Looks at the files, unless it did a moment ago.
  const std::shared_ptr<const TlsPair>& Current(TimePoint now) override;

 private:
  struct Stamps {
    FileStamp certificate;
    FileStamp key;
    FileStamp client_ca;
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
