// The webhook with a certificate of files, as from cert-manager or an administrator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/integration/webhook_world.h"
#include "tests/world/http.h"
#include "tests/world/process.h"

namespace vdcu::integration {
namespace {

using testing::HasSubstr;
using testing::Not;
using world::RunProgram;
using world::Until;

// A certificate that signs itself, for 127.0.0.1, and its key.
struct Pair {
  Pair(const std::string& folder, const std::string& name)
      : certificate(folder + "/" + name + ".crt"), key(folder + "/" + name + ".key") {
    const auto made = RunProgram({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                  "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                                  certificate, "-subj", "/CN=webhook", "-addext",
                                  "subjectAltName=IP:127.0.0.1", "-days", "2"});
    EXPECT_EQ(made.exit_code, 0) << made.text;
  }
  std::string Pem() const {
    std::ifstream file(certificate);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string certificate;
  const std::string key;
};

class WebhookGivenTest : public WebhookTest {
 protected:
  void SetUp() override {
    // It would have the API server trust a CA of its own.
    world().controller.reset();
    std::filesystem::create_directories(folder_);
    first_ = std::make_unique<Pair>(folder_, "first");
    Give(*first_);
    controller_ = world().MakeController(
        "given", {"--webhook", "127.0.0.1:" + std::to_string(port_), "--webhook-cert", certificate_,
                  "--webhook-key", key_, "--listen", "127.0.0.1:" + std::to_string(listen_)});
    world().Configure("Fail", {{"url", url_}});
  }
  void TearDown() override { world().Configure("Fail"); }

  // As a volume of a Secret is updated: at once, but one after the other.
  void Give(const Pair& pair) const {
    for (const auto& [from, to] : {std::pair(pair.key, key_), {pair.certificate, certificate_}}) {
      std::filesystem::copy_file(from, to + ".new",
                                 std::filesystem::copy_options::overwrite_existing);
      std::filesystem::rename(to + ".new", to);
    }
  }
  // Whether who trusts this one alone can speak with the webhook.
  bool Serves(const Pair& pair) const {
    return RunProgram({"curl", "--silent", "--output", "/dev/null", "--cacert", pair.certificate,
                       url_ + "/"})
               .exit_code == 0;
  }
  world::HttpAnswer Get(const std::string& path) const {
    return world::Fetch({.url = "http://127.0.0.1:" + std::to_string(listen_) + path});
  }

  const std::string folder_ = world().cluster.folder() + "/given";
  const std::string certificate_ = folder_ + "/tls.crt";
  const std::string key_ = folder_ + "/tls.key";
  const int port_ = world::FreePort();
  const int listen_ = world::FreePort();
  const std::string url_ = "https://127.0.0.1:" + std::to_string(port_);
  std::unique_ptr<Pair> first_;
  std::unique_ptr<world::Background> controller_;
};

TEST_F(WebhookGivenTest, IsServedAndReadAgainWhenItsFilesChange) {
  world().Trust(first_->Pem());
  ASSERT_TRUE(SoonHasScheduler("vdcu-scheduler")) << world().LogOf("given");
  const Pair second(folder_, "second");
  EXPECT_FALSE(Serves(second));
  Give(second);
  ASSERT_TRUE(Until([&] { return Serves(second); })) << world().LogOf("given");
  EXPECT_FALSE(Serves(*first_));
  world().Trust(second.Pem());
  EXPECT_TRUE(SoonHasScheduler("vdcu-scheduler"));
  EXPECT_TRUE(SoonRefused("must be from 1 to 100"));
}

TEST_F(WebhookGivenTest, WhatCannotBeUsedChangesNothing) {
  ASSERT_TRUE(Until([&] { return Serves(*first_); })) << world().LogOf("given");
  std::ofstream(certificate_) << "half a certif";
  ASSERT_TRUE(Until([&] {
    return Serves(*first_) && world().LogOf("given").find(certificate_) != std::string::npos;
  })) << world().LogOf("given");
  EXPECT_TRUE(Serves(*first_));
}

// Nor does it need the Secret, or tell when a certificate expires that is another's to renew.
TEST_F(WebhookGivenTest, TheControllerMakesNone) {
  ASSERT_TRUE(Until([&] { return Get("/readyz").code == 200; })) << Get("/readyz").text;
  EXPECT_THAT(Get("/metrics").text, Not(HasSubstr("vdcu_webhook_certificate_expiry")));
  EXPECT_THAT(Get("/metrics").text, HasSubstr("vdcu_leading 1"));
}

}  // namespace
}  // namespace vdcu::integration
