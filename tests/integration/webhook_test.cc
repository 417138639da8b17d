// The webhook as a real API server calls it, with the certificate that the controller makes.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/objects.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using world::kPods;
using world::Until;

constexpr char kSecrets[] = "/api/v1/namespaces/vdcu-system/secrets";
constexpr char kAdmission[] = "/apis/admissionregistration.k8s.io/v1/";
constexpr char kRbac[] = "/apis/rbac.authorization.k8s.io/v1/";

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

void Require(const world::Api::Answer& answer) {
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
}

struct World : world::ControlPlane {
  World() : ControlPlane({.config = "plain"}) {
    Allow();
    MakeSecret();
    Configure("Fail");
  }

  // What the chart allows the controller where it serves the webhook.
  void Allow() const {
    const json account{
        {{"kind", "ServiceAccount"}, {"name", "vdcu-controller"}, {"namespace", "vdcu-system"}}};
    const auto grant = [&](const std::string& ns, const std::string& kind, const json& rules) {
      const std::string path = kRbac + (ns.empty() ? "" : "namespaces/" + ns + "/");
      const std::string plural = ns.empty() ? "clusterrole" : "role";
      const json meta{{"name", "webhook"}};
      Require(api.Call("POST", path + plural + "s", {{"metadata", meta}, {"rules", rules}}));
      Require(api.Call(
          "POST", path + plural + "bindings",
          {{"metadata", meta},
           {"subjects", account},
           {"roleRef",
            {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", "webhook"}}}}));
    };
    const auto rule = [](const std::string& group, const json& resources, const json& verbs) {
      return json{{"apiGroups", {group}},
                  {"resources", resources},
                  {"resourceNames", {"vdcu-webhook"}},
                  {"verbs", verbs}};
    };
    grant("vdcu-system", "Role", json::array({rule("", {"secrets"}, {"list", "watch", "patch"})}));
    grant("", "ClusterRole",
          json::array({rule("admissionregistration.k8s.io",
                            {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"},
                            {"list", "watch", "patch"})}));
  }
  // As the chart does.
  void MakeSecret() const {
    Require(api.Call("POST", kSecrets, {{"metadata", {{"name", "vdcu-webhook"}}}}));
  }
  std::string plural(bool mutating) const {
    return std::string(kAdmission) + (mutating ? "mutating" : "validating") +
           "webhookconfigurations";
  }
  // Both are new and of this policy, with no CA yet.
  void Configure(const std::string& failure_policy) const {
    for (const bool mutating : {true, false}) {
      const json pods{{"apiGroups", {""}},
                      {"apiVersions", {"v1"}},
                      {"operations", {"CREATE"}},
                      {"resources", {"pods"}}};
      const json webhook{
          {"name", "pods.vdcu.io"},
          {"clientConfig", {{"url", url + (mutating ? "/pods/mutate" : "/pods/validate")}}},
          {"rules", json::array({pods})},
          {"failurePolicy", failure_policy},
          {"sideEffects", "None"},
          {"timeoutSeconds", 5},
          {"admissionReviewVersions", {"v1"}}};
      api.Call("DELETE", plural(mutating) + "/vdcu-webhook");
      Require(api.Call(
          "POST", plural(mutating),
          {{"metadata", {{"name", "vdcu-webhook"}}}, {"webhooks", json::array({webhook})}}));
    }
  }
  void Start() {
    controller = MakeController("controller",
                                {"--webhook", "127.0.0.1:" + std::to_string(port), "--webhook-host",
                                 "127.0.0.1", "--webhook-schedulers", "volcano"});
  }

  const int port = FreePort();
  const std::string url = "https://127.0.0.1:" + std::to_string(port);
};

class WebhookServedTest : public testing::Test {
 protected:
  static World& world() {
    static World one;
    return one;
  }
  void SetUp() override {
    if (!world().controller) world().Start();
    ASSERT_TRUE(Until([] { return !Certificate().empty(); }, std::chrono::seconds(20)))
        << world().LogOf();
    ASSERT_TRUE(Until([&] { return Try(world::Pod("probe", {})).code == 201; }))
        << Try(world::Pod("probe", {})).body << world().LogOf();
  }
  // A dry run; as a user would write it, without a scheduler.
  static world::Api::Answer Try(json pod) {
    pod["spec"].erase("schedulerName");
    return world().api.CallOnce("POST", std::string(kPods) + "?dryRun=All", pod);
  }
  // Or why it was refused. The API server takes up a configuration a moment after it has stored it.
  static std::string SchedulerOf(const json& pod) {
    const auto answer = Try(pod);
    return answer.code == 201 ? answer.body["spec"]["schedulerName"].get<std::string>()
                              : answer.body.dump();
  }
  static bool SoonRefused(const std::string& why) {
    return Until([&] {
      const auto answer = Try(world::Pod("x", {{"dcunum", "1"}, {"dcucores", "101"}}));
      return answer.body.value("message", "").find(why) != std::string::npos;
    });
  }
  static bool SoonHasScheduler(const std::string& scheduler) {
    return Until([&] { return SchedulerOf(world::Pod("x", {{"dcunum", "1"}})) == scheduler; });
  }
  static json Secret() { return world().api.Find(kSecrets, "vdcu-webhook"); }
  static std::string Certificate() {
    const json secret = Secret();
    return secret.contains("data") ? secret["data"].value("tls.crt", "") : "";
  }
  // Asks all the time, until it is destroyed, and notes what fails.
  class Load {
   public:
    Load() : thread_([this] { Run(); }) {}
    ~Load() { Stop(); }
    std::vector<std::string> Stop() {
      stop_ = true;
      if (thread_.joinable()) thread_.join();
      return failures_;
    }
    int asked() const { return asked_; }

   private:
    void Run() {
      while (!stop_) {
        const auto answer = Try(world::Pod("load", {{"dcunum", "1"}}));
        ++asked_;
        if (answer.code != 201) failures_.push_back(answer.body.dump());
      }
    }

    std::atomic<bool> stop_ = false;
    std::atomic<int> asked_ = 0;
    std::vector<std::string> failures_;
    std::thread thread_;
  };
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
