// A client of the test's API server, with a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/config.h"
#include "kclient/curl_transport.h"
#include "kclient/sync_client.h"
#include "tests/world/cluster.h"

namespace vdcu::integration {

using world::Cluster;
using world::Output;
using world::RunProgram;

inline Cluster& cluster() {
  static Cluster one;
  return one;
}

inline kclient::Config AdminConfig() {
  auto config = kclient::LoadKubeconfig({cluster().admin_kubeconfig()});
  EXPECT_TRUE(config) << config.error().message;
  return *config;
}

// Until() runs the loop, as do calls of sync().
class Session {
 public:
  explicit Session(const kclient::Config& config)
      : transport_(loop_, config, "vdcu-test"),
        client_(transport_),
        sync_(loop_, client_, std::chrono::seconds(120)) {}

  base::UvLoop& loop() { return loop_; }
  kclient::Client& client() { return client_; }
  kclient::CurlTransport& transport() { return transport_; }

  bool Until(const std::function<bool()>& done, base::Duration limit = std::chrono::seconds(60)) {
    return loop_.RunUntil(done, limit);
  }
  base::Result<nlohmann::json> Apply(const kclient::Write& write) { return sync_.Apply(write); }
  base::Result<nlohmann::json> Get(const kclient::Resource& resource, const std::string& ns,
                                   const std::string& name) {
    return sync_.Get(resource, ns, name);
  }

 private:
  base::UvLoop loop_;
  kclient::CurlTransport transport_;
  kclient::Client client_;
  kclient::SyncClient sync_;
};

}  // namespace vdcu::integration
