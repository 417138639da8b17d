// The webhook as clusters have it: called by its Service, served by two replicas of the controller,
// which are killed in turn while pods are made. The API server asks the endpoints itself.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/webhook_world.h"
#include "tests/world/http.h"
#include "tests/world/objects.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using world::kPods;
using world::Until;

constexpr char kService[] = "vdcu-webhook";
constexpr char kServices[] = "/api/v1/namespaces/vdcu-system/services";
constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/vdcu-system/endpointslices";

// Of this machine; endpoints may not have a loopback one. Empty: it has no other.
std::string OwnAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(all, &freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0) continue;
    char text[INET_ADDRSTRLEN] = "";
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    if (!std::string(text).starts_with("169.254.")) return text;
  }
  return "";
}

struct Replica {
  std::string name;
  int port = world::FreePort();
  int listen = world::FreePort();
  std::unique_ptr<world::Background> process = nullptr;

  bool ready() const {
    return world::Fetch({.url = "http://127.0.0.1:" + std::to_string(listen) + "/readyz"}).code ==
           200;
  }
};

class WebhookServiceTest : public WebhookTest {
 protected:
  void SetUp() override {
    address_ = OwnAddress();
    if (address_.empty()) GTEST_SKIP() << "no address but loopback, which endpoints may not have";
    world().controller.reset();
    // Without what was made for another host name.
    world().api.Call("DELETE", std::string(kSecrets) + "/" + kService);
    world().MakeSecret();
    Create(kServices, {{"metadata", {{"name", kService}}},
                       {"spec", {{"ports", json::array({{{"name", "webhook"}, {"port", 443}}})}}}});
    for (Replica& replica : replicas_) {
      MakeSlice(replica);
      Start(replica);
    }
  }
  void TearDown() override {
    if (address_.empty()) return;
    for (Replica& replica : replicas_) {
      replica.process.reset();
      world().api.Call("DELETE", std::string(kSlices) + "/" + replica.name);
    }
    world().api.Call("DELETE", std::string(kServices) + "/" + kService);
    world::DeleteAll(world().api, kPods);
    world().Configure("Fail");
    // It was made for the Service's name.
    world().api.Call("DELETE", std::string(kSecrets) + "/" + kService);
    world().MakeSecret();
  }

  void Create(const std::string& path, const json& object) const {
    const auto answer = world().api.Call("POST", path, object);
    ASSERT_EQ(answer.code, 201) << answer.body.dump();
  }
  // As the controller of EndpointSlices would, were the replica a pod; it stays ready when it is
  // killed, as it does for the seconds until a probe has failed.
  void MakeSlice(const Replica& replica) const {
    Create(kSlices,
           {{"metadata",
             {{"name", replica.name}, {"labels", {{"kubernetes.io/service-name", kService}}}}},
            {"addressType", "IPv4"},
            {"ports", json::array({{{"name", "webhook"}, {"port", replica.port}}})},
            {"endpoints",
             json::array({{{"addresses", {address_}}, {"conditions", {{"ready", true}}}}})}});
  }
  void Start(Replica& replica) const {
    replica.process = world().MakeController(
        replica.name, {"--leader-elect", "--webhook", ":" + std::to_string(replica.port),
                       "--listen", "127.0.0.1:" + std::to_string(replica.listen)});
    ASSERT_TRUE(Until([&] { return replica.ready(); })) << world().LogOf(replica.name);
  }
  void Configure(const std::string& failure_policy) const {
    world().Configure(failure_policy,
                      {{"service", {{"namespace", "vdcu-system"}, {"name", kService}}}});
    ASSERT_TRUE(SoonHasScheduler("vdcu-scheduler"))
        << SchedulerOf(world::Pod("x", {{"dcunum", "1"}})) << world().LogOf("one");
  }

  // Makes pods one after the other, each again until it is made, until it is destroyed.
  class Burst {
   public:
    Burst() : thread_([this] { Run(); }) {}
    ~Burst() { Stop(); }
    void Stop() {
      stop_ = true;
      if (thread_.joinable()) thread_.join();
    }
    int made() const { return made_; }
    // After Stop.
    const std::vector<std::string>& refused() const { return refused_; }
    const std::vector<std::string>& unseen() const { return unseen_; }

   private:
    void Run() {
      while (!stop_) {
        json pod = world::Pod("burst-" + std::to_string(made_), {{"dcunum", "1"}});
        pod["spec"].erase("schedulerName");
        const auto answer = world().api.CallOnce("POST", kPods, pod);
        if (answer.code != 201) {
          refused_.push_back(answer.body.dump());
          continue;
        }
        if (answer.body["spec"]["schedulerName"] != "vdcu-scheduler") {
          unseen_.push_back(answer.body["metadata"]["name"]);
        }
        ++made_;
      }
    }

    std::atomic<bool> stop_ = false;
    std::atomic<int> made_ = 0;
    std::vector<std::string> refused_;  // what the server said
    std::vector<std::string> unseen_;   // names of pods
    std::thread thread_;
  };

  // Each is away while twenty more pods are made, twice.
  void KillInTurn(const Burst& burst) {
    for (int round = 0; round < 2; ++round) {
      for (Replica& replica : replicas_) {
        const int before = burst.made();
        replica.process->Signal(SIGKILL);
        ASSERT_NE(replica.process->Wait(std::chrono::seconds(10)), -1);
        ASSERT_TRUE(Until([&] { return burst.made() >= before + 20; }))
            << world().LogOf(replicas_[0].name) << world().LogOf(replicas_[1].name);
        Start(replica);
      }
    }
  }

  std::string address_;
  Replica replicas_[2] = {{.name = "one"}, {.name = "two"}};
};

TEST_F(WebhookServiceTest, WithFailNoPodIsMadeUnseenAndASecondTrySucceeds) {
  Configure("Fail");
  Burst burst;
  KillInTurn(burst);
  burst.Stop();
  EXPECT_THAT(burst.unseen(), IsEmpty());
  for (const std::string& why : burst.refused()) {
    EXPECT_NE(why.find("failed calling webhook"), std::string::npos) << why;
  }
  for (const json& pod : world().api.List(kPods)) {
    EXPECT_EQ(pod["spec"]["schedulerName"], "vdcu-scheduler") << pod["metadata"]["name"];
  }
}

// One that nobody gave the scheduler may meet a replica that checks it: it is refused, as it would
// fail on its node without end, and the next try is given one.
TEST_F(WebhookServiceTest, WithIgnoreNoneFailsButForWantOfTheScheduler) {
  Configure("Ignore");
  Burst burst;
  KillInTurn(burst);
  burst.Stop();
  for (const std::string& why : burst.refused()) {
    EXPECT_NE(why.find("unless they are placed by vdcu-scheduler"), std::string::npos) << why;
  }
  EXPECT_TRUE(SoonHasScheduler("vdcu-scheduler")) << "both are back";
}

}  // namespace
}  // namespace vdcu::integration
