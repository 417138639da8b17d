// The controller that serves the webhook to a real API server, and pods as users write them.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/control_plane.h"
#include "tests/world/free_port.h"

namespace vdcu::integration {

// One for all tests of a binary. The API server asks the endpoints of a Service itself, as no
// kube-proxy runs.
struct WebhookWorld : world::ControlPlane {
  WebhookWorld();

  static WebhookWorld& One();

  // As the chart does: empty.
  void MakeSecret() const;
  // Makes both configurations anew, with this `clientConfig` but for its path.
  void Configure(const std::string& failure_policy, const nlohmann::json& client) const;
  void Configure(const std::string& failure_policy) const { Configure(failure_policy, ByUrl()); }
  nlohmann::json ByUrl() const { return {{"url", url}}; }
  // The CAs that the API server trusts for both.
  void Trust(const std::string& pem) const;
  // Serves at `url`.
  void Start();

  const int port = world::FreePort();
  const int listen = world::FreePort();  // of health and metrics
  const std::string url = "https://127.0.0.1:" + std::to_string(port);

 private:
  void Allow() const;
};

inline constexpr char kSecrets[] = "/api/v1/namespaces/vdcu-system/secrets";

class WebhookTest : public testing::Test {
 protected:
  static WebhookWorld& world() { return WebhookWorld::One(); }

  // A dry run; as a user would write it, without a scheduler.
  static world::Api::Answer Try(nlohmann::json pod);
  // Or why it was refused. The API server takes up a configuration a moment after it has stored it.
  static std::string SchedulerOf(const nlohmann::json& pod);
  static bool SoonRefused(const std::string& why);
  static bool SoonHasScheduler(const std::string& scheduler);
  // The certificate that the Secret holds, in base64; empty: none.
  static std::string Certificate();

  // Tries all the time, until it is destroyed, and notes what fails.
  class Load {
   public:
    Load() : thread_([this] { Run(); }) {}
    ~Load() { Stop(); }
    std::vector<std::string> Stop();
    int asked() const { return asked_; }

   private:
    void Run();

    std::atomic<bool> stop_ = false;
    std::atomic<int> asked_ = 0;
    std::vector<std::string> failures_;
    std::thread thread_;
  };
};

}  // namespace vdcu::integration
