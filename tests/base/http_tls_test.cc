// The HTTP server with TLS: versions, certificates that change, clients that stall.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/http/server.h"
#include "tests/base/http_client.h"
#include "tests/fakes/simulated_clock.h"
#include "tests/kclient/certificate.h"

namespace vdcu::base {
namespace {

using kclient::CertificatePem;
using kclient::MakeCertificate;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// TLS over a client's connection; it verifies nothing, and says what it was shown.
class TlsClient {
 public:
  explicit TlsClient(uint16_t port, int version = 0)
      : client_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    SSL_CTX_set_security_level(context_.get(), 0);
    if (version != 0) {
      SSL_CTX_set_min_proto_version(context_.get(), version);
      SSL_CTX_set_max_proto_version(context_.get(), version);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client_.fd());
  }

  void Use(const CertificatePem& pair) {
    const auto read = [](const std::string& text) {
      return std::unique_ptr<BIO, decltype(&BIO_free)>(
          BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
    };
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(read(pair.certificate).get(), nullptr, nullptr, nullptr), &X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(read(pair.key).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    EXPECT_EQ(SSL_use_certificate(ssl_.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_use_PrivateKey(ssl_.get(), key.get()), 1);
  }
  bool Connect() { return SSL_connect(ssl_.get()) == 1; }
  // The certificate that the server has shown, in PEM.
  std::string Certificate() const {
    const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(ssl_.get()),
                                                            &X509_free);
    return shown == nullptr ? "" : kclient::ToPem(shown.get());
  }
  std::string Exchange(const std::string& request) {
    SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
    std::string answer;
    char buffer[4096];
    for (;;) {
      const int size = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (size <= 0) return answer;
      answer.append(buffer, static_cast<size_t>(size));
    }
  }

 private:
  HttpClient client_;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
};

class HttpTlsTest : public ::testing::Test {
 protected:
  HttpTlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to what the server has closed
    std::string path = std::filesystem::temp_directory_path() / "vdcu-tls-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    Write(first_);
  }
  ~HttpTlsTest() override { std::filesystem::remove_all(folder_); }

  TlsFiles Files() const { return {.certificate = folder_ / "crt", .key = folder_ / "key"}; }
  void Write(const CertificatePem& pair) const {
    Replace("crt", pair.certificate);
    Replace("key", pair.key);
  }
  void Replace(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / "new") << text;
    std::filesystem::rename(folder_ / "new", folder_ / name);
  }
  void Listen(HttpOptions options = {}) {
    if (!options.tls) {
      auto tls = ReloadedTls::Load(Files());
      ASSERT_TRUE(tls.has_value()) << tls.error().message;
      options.tls = std::move(*tls);
    }
    const auto echo = [](const HttpRequest& request, const HttpResponder& responder) {
      responder.Answer({.body = "got " + request.body});
    };
    auto server = HttpServer::Listen(loop_, "127.0.0.1:0",
                                     {{"GET", "/", echo}, {"POST", "/", echo, size_t{1} << 20}},
                                     std::move(options));
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  std::string Probe() {
    TlsClient client(server_->port());
    return client.Connect() ? client.Exchange(LastRequest("GET /")) : "no handshake";
  }
  std::string Shown() {
    TlsClient client(server_->port());
    EXPECT_TRUE(client.Connect());
    EXPECT_THAT(client.Exchange(LastRequest("GET /")), StartsWith("HTTP/1.1 200"));
    return client.Certificate();
  }
  bool IsShown(const CertificatePem& pair) {
    const TimePoint end = SystemClock().Now() + seconds(20);
    while (SystemClock().Now() < end) {
      if (Shown() == pair.certificate) return true;
    }
    return false;
  }

  std::filesystem::path folder_;
  const CertificatePem first_ = MakeCertificate();
  const CertificatePem second_ = MakeCertificate();
  UvLoop loop_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTlsTest, AnswersOverTls12AndTls13Only) {
  Listen();
  RunWhile(loop_, [this] {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsClient client(server_->port(), version);
      EXPECT_TRUE(client.Connect()) << version;
      EXPECT_EQ(client.Certificate(), first_.certificate);
      const std::string body(200'000, 'x');
      EXPECT_THAT(client.Exchange(LastRequest("POST /", "Content-Length: 200000\r\n\r\n" + body)),
                  EndsWith("\r\n\r\ngot " + body));
    }
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
      EXPECT_FALSE(TlsClient(server_->port(), version).Connect()) << version;
    }
    const std::string plain = HttpClient(server_->port()).Exchange(LastRequest("GET /"));
    EXPECT_EQ(plain.find("HTTP/1.1 200"), std::string::npos) << plain;
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  });
}

TEST_F(HttpTlsTest, ANewCertificateIsShownToNewConnections) {
  Listen();
  RunWhile(loop_, [this] {
    TlsClient open(server_->port());
    ASSERT_TRUE(open.Connect());
    EXPECT_EQ(Shown(), first_.certificate);
    Write(second_);
    EXPECT_TRUE(IsShown(second_));
    EXPECT_THAT(open.Exchange(LastRequest("GET /")), StartsWith("HTTP/1.1 200"));
  });
}

// As cert-manager's Secrets reach a pod.
TEST_F(HttpTlsTest, AProjectedVolumeIsReadAgainWhenItsLinkChanges) {
  namespace fs = std::filesystem;
  for (const auto& [name, pair] : {std::pair("a", &first_), std::pair("b", &second_)}) {
    fs::create_directory(folder_ / name);
    std::ofstream(folder_ / name / "crt") << pair->certificate;
    std::ofstream(folder_ / name / "key") << pair->key;
  }
  fs::create_symlink("a", folder_ / "data");
  for (const char* name : {"crt", "key"}) {
    fs::remove(folder_ / name);
    fs::create_symlink(fs::path("data") / name, folder_ / name);
  }
  Listen();
  RunWhile(loop_, [this] {
    EXPECT_EQ(Shown(), first_.certificate);
    fs::create_symlink("b", folder_ / "data2");
    fs::rename(folder_ / "data2", folder_ / "data");
    EXPECT_TRUE(IsShown(second_));
  });
}

TEST_F(HttpTlsTest, CertificatesMayChangeUnderLoad) {
  Listen({.connections_of_one_address = 64});
  std::atomic<bool> over = false;
  std::atomic<int> answered = 0;
  RunWhile(loop_, [&] {
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        while (!over) {
          EXPECT_THAT(Probe(), EndsWith("got "));
          ++answered;
        }
      });
    }
    for (int i = 0; i < 3; ++i) {
      Write(second_);
      EXPECT_TRUE(IsShown(second_));
      Write(first_);
      EXPECT_TRUE(IsShown(first_));
    }
    over = true;
    for (std::thread& client : clients) client.join();
  });
  EXPECT_GT(answered, 0);
}

TEST_F(HttpTlsTest, APairThatCannotBeUsedIsSaidOnceAndTheOldStays) {
  const struct {
    const char* description;
    const char* file;
    std::string bad;
    const char* want_message;
  } kCases[] = {
      {"half a certificate", "crt", first_.certificate.substr(0, 200), "crt: holds a certificate"},
      {"a chain that is half written", "crt",
       second_.certificate + first_.certificate.substr(0, 200), "crt: holds a certificate"},
      {"no certificate", "crt", "", "crt: no "},
      {"half a key", "key", first_.key.substr(0, 60), "key: holds no private key"},
      {"the certificate of another key", "crt", second_.certificate, "is not the key of"},
      {"the key of another certificate", "key", second_.key, "is not the key of"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    Write(first_);
    ReloadedTls pair = std::move(*ReloadedTls::Load(Files()).value());
    fakes::SimulatedClock clock;
    const auto before = pair.Current(clock.Now());
    Replace(test.file, test.bad);
    testing::internal::CaptureStdout();
    for (int i = 0; i < 3; ++i) {
      clock.Advance(seconds(2));
      EXPECT_EQ(pair.Current(clock.Now()), before);
    }
    const std::string log = testing::internal::GetCapturedStdout();
    EXPECT_THAT(log, HasSubstr(test.want_message));
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
    Write(second_);
    clock.Advance(seconds(2));
    EXPECT_EQ(pair.Current(clock.Now())->certificate(), second_.certificate) << "once it is whole";
  }
}

TEST_F(HttpTlsTest, APairThatIsGivenIsServedUntilTheNext) {
  const TlsFiles names{.certificate = "the certificate", .key = "the key"};
  const auto make = [&](const CertificatePem& pem) {
    return *TlsPair::Make(pem.certificate, pem.key, names);
  };
  const auto held = std::make_shared<HeldTls>(make(first_));
  Listen({.tls = held});
  RunWhile(loop_, [&] { EXPECT_EQ(Shown(), first_.certificate); });
  held->Set(make(second_));
  RunWhile(loop_, [&] { EXPECT_EQ(Shown(), second_.certificate); });
  const auto wrong = TlsPair::Make(first_.certificate, second_.key, names);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().message,
            "the key: is not the key of the first certificate in the "
            "certificate");
}

TEST_F(HttpTlsTest, WhereClientsNeedACertificateOnlyThoseOfTheCaAreServed) {
  Replace("ca", second_.certificate);
  TlsFiles files = Files();
  files.client_ca = folder_ / "ca";
  auto tls = ReloadedTls::Load(files);
  ASSERT_TRUE(tls.has_value()) << tls.error().message;
  Listen({.tls = std::move(*tls)});
  const auto answer_to = [&](const CertificatePem* pair) {
    TlsClient client(server_->port());
    if (pair) client.Use(*pair);
    return client.Connect() ? client.Exchange(LastRequest("GET /")) : "";
  };
  RunWhile(loop_, [&] {
    EXPECT_THAT(answer_to(&second_), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(answer_to(nullptr), "");
    EXPECT_EQ(answer_to(&first_), "") << "of another CA";
  });
  Replace("ca", "garbage");
  files.client_ca = folder_ / "ca";
  const auto wrong = ReloadedTls::Load(files);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("ca: no \"-----BEGIN CERTIFICATE-----\""));
}

TEST_F(HttpTlsTest, AWrongPairIsNamedAtTheStart) {
  Replace("key", second_.key);
  const auto server = ReloadedTls::Load(Files());
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(server.error().message, (folder_ / "key").string() +
                                        ": is not the key of the first certificate in " +
                                        (folder_ / "crt").string());
  std::filesystem::remove(folder_ / "crt");
  const auto none = ReloadedTls::Load(Files());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr((folder_ / "crt").string()));
}

TEST_F(HttpTlsTest, StalledHandshakesAreClosedAndHoldNobodyUp) {
  // A ClientHello's first bytes, to be sent one at a time.
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  Listen({.connections_of_one_address = 64, .idle = seconds(2)});
  RunWhile(loop_, [&] {
    std::vector<std::unique_ptr<HttpClient>> stalled;
    for (int i = 0; i < 64; ++i) {
      stalled.push_back(std::make_unique<HttpClient>(server_->port(), "127.0.0.3"));
      stalled.back()->Send(hello.substr(0, static_cast<size_t>(i) % hello.size()));
    }
    for (int i = 0; i < 5; ++i) EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
    for (const auto& client : stalled) {
      client->Send("\x01");
      EXPECT_THAT(client->Read(), ::testing::Not(HasSubstr("time-out")));
    }
  });
}

TEST_F(HttpTlsTest, GarbageEndsItsOwnConnectionOnly) {
  Listen();
  RunWhile(loop_, [this] {
    for (const std::string bytes : {"\x16\x03\x01\xff\xff garbage", "\x80\x80", "GET / HTTP/1.1"}) {
      const HttpClient client(server_->port());
      client.Send(bytes);
      shutdown(client.fd(), SHUT_WR);
      EXPECT_THAT(client.Read(), ::testing::Not(HasSubstr("time-out")));
    }
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  });
}

}  // namespace
}  // namespace vdcu::base
