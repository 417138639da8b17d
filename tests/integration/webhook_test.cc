// The webhook as a real API server calls it, with the certificate that the controller makes.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kclient/base64.h"
#include "tests/integration/webhook_world.h"
#include "tests/world/http.h"
#include "tests/world/objects.h"
#include "tests/world/process.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using world::kPods;
using world::Until;

class WebhookServedTest : public WebhookTest {
 protected:
  void SetUp() override {
    if (!world().controller) world().Start();
    ASSERT_TRUE(Until([] { return !Certificate().empty(); }, std::chrono::seconds(20)))
        << world().LogOf();
    ASSERT_TRUE(Until([&] { return Try(world::Pod("probe", {})).code == 201; }))
        << Try(world::Pod("probe", {})).body << world().LogOf();
  }
  // Of the controller's own port; without an answer, why.
  static world::HttpAnswer Get(const std::string& path) {
    return world::Fetch({.url = "http://127.0.0.1:" + std::to_string(world().listen) + path});
  }
};

TEST_F(WebhookServedTest, GivesTheSchedulerAndRefusesInTheControllersWords) {
  EXPECT_EQ(SchedulerOf(world::Pod("card", {{"dcunum", "1"}})), "vdcu-scheduler");
  EXPECT_EQ(SchedulerOf(world::Pod("none", {})), "default-scheduler");
  const auto wrong = Try(world::Pod("wrong", {{"dcunum", "1"}, {"dcucores", "101"}}));
  EXPECT_EQ(wrong.code, 422) << wrong.body;
  EXPECT_THAT(wrong.body.value("message", ""),
              HasSubstr("container main: hygon.com/dcucores 101: percent of a card: must be from 1 "
                        "to 100"));
  json named = world::Pod("named", {{"dcunum", "1"}});
  named["spec"]["schedulerName"] = "volcano";
  named["metadata"].erase("name");
  named["metadata"]["generateName"] = "named-";
  EXPECT_EQ(world().api.Call("POST", std::string(kPods) + "?dryRun=All", named).code, 201);
  named["spec"]["schedulerName"] = "other";
  const auto other = world().api.Call("POST", std::string(kPods) + "?dryRun=All", named);
  EXPECT_THAT(other.body.value("message", ""), HasSubstr("placed by vdcu-scheduler or volcano"));
}

// Of its certificate first, which the same CA signs anew, then of the CA as well.
TEST_F(WebhookServedTest, IsTrustedWhileItsCertificateIsReplaced) {
  Load load;
  const std::string first = Certificate();
  world().api.Call("PATCH", std::string(kSecrets) + "/vdcu-webhook", {{"data", {{"tls.crt", ""}}}});
  ASSERT_TRUE(Until([&] { return !Certificate().empty() && Certificate() != first; }));
  const std::string second = Certificate();
  const int asked = load.asked();
  ASSERT_TRUE(Until([&] { return load.asked() > asked + 10; }));
  world().api.Call("DELETE", std::string(kSecrets) + "/vdcu-webhook");
  world().MakeSecret();
  ASSERT_TRUE(Until([&] { return !Certificate().empty() && Certificate() != second; }));
  const int then = load.asked();
  ASSERT_TRUE(Until([&] { return load.asked() > then + 10; }));
  EXPECT_THAT(load.Stop(), IsEmpty());
}

// Of the one that the Secret holds now, to the minute.
TEST_F(WebhookServedTest, TellsWhenItsCertificateExpires) {
  const std::string name = "\nvdcu_webhook_certificate_expiry_timestamp_seconds ";
  const auto left = [&] {
    const std::string text = Get("/metrics").text;
    const size_t at = text.find(name);
    const double end = at == std::string::npos ? 0 : std::strtod(&text[at + name.size()], nullptr);
    return static_cast<int64_t>(end) - std::time(nullptr);
  };
  ASSERT_TRUE(Until([&] { return left() > 0; }));
  const std::string pem = *kclient::DecodeBase64(Certificate());
  const auto is_over_in = [&](int64_t seconds) {
    return world::RunProgram({"openssl", "x509", "-noout", "-checkend", std::to_string(seconds)},
                             pem)
               .exit_code == 1;
  };
  EXPECT_FALSE(is_over_in(left() - 60)) << left();
  EXPECT_TRUE(is_over_in(left() + 60)) << left();
}

TEST_F(WebhookServedTest, IsNotReadyWithoutTheSecretAndSaysSo) {
  world().controller.reset();
  world().api.Call("DELETE", std::string(kSecrets) + "/vdcu-webhook");
  world().Start();
  ASSERT_TRUE(Until([] { return Get("/readyz").code == 503; }));
  EXPECT_TRUE(Until([] {
    return Get("/readyz").text.find(
               "there is no Secret vdcu-webhook; apply it, with no data in it") !=
           std::string::npos;
  })) << Get("/readyz").text;
  EXPECT_EQ(Get("/livez").code, 200);
  world().MakeSecret();
  EXPECT_TRUE(Until([] { return Get("/readyz").code == 200; })) << Get("/readyz").text;
  EXPECT_TRUE(SoonHasScheduler("vdcu-scheduler"));
}

TEST_F(WebhookServedTest, WhereItIsAwayPodsAreMadeOrNotAsTheConfigurationSays) {
  world().controller.reset();
  world().Configure("Fail");
  ASSERT_TRUE(SoonRefused("failed calling webhook"));
  world().Configure("Ignore");
  ASSERT_TRUE(SoonHasScheduler("default-scheduler"));
  world().Start();
  ASSERT_TRUE(SoonHasScheduler("vdcu-scheduler")) << "the new configurations are given the CA";
  ASSERT_TRUE(SoonRefused("must be from 1 to 100"));
}

TEST_F(WebhookServedTest, TakesTheLargestPodThatTheApiServerTakes) {
  json pod = world::Pod("large", {{"dcunum", "1"}});
  pod["metadata"]["annotations"]["x"] = std::string(2'900'000, 'x');
  // Annotations have a bound of their own, which is looked at after the webhooks.
  EXPECT_THAT(Try(pod).body.value("message", ""), HasSubstr("annotations: Too long"));
}

TEST_F(WebhookServedTest, TwoHundredClientsThatSayNothingHoldNobodyUp) {
  std::vector<int> clients;
  for (int i = 0; i < 200; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(world().port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    (void)!send(fd, "\x16\x03\x01\x02", static_cast<size_t>(i % 5), MSG_NOSIGNAL);
    clients.push_back(fd);
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(SchedulerOf(world::Pod("card", {{"dcunum", "1"}})), "vdcu-scheduler");
  }
  for (const int fd : clients) close(fd);
}

}  // namespace
}  // namespace vdcu::integration
