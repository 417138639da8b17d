// The paths that each of our processes serves: how it is, for the kubelet, and its figures, for
// Prometheus.
//
// Promises: GET /livez and /healthz answer 200 as long as the loop turns; /readyz 200, or 503 with
// one reason a line; /metrics the registry and the process's own figures as Prometheus text, made
// at most once a second.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http/route.h"

namespace prometheus {
struct MetricFamily;
class Registry;
}  // namespace prometheus

namespace vdcu::base {

struct EndpointSources {
  // Why the process is not ready, a sentence each; empty: it is ready.
  std::function<std::vector<std::string>()> not_ready;
  std::shared_ptr<prometheus::Registry> metrics;
  // Sets those that are not kept up to date, before they are read; may be empty.
  std::function<void()> before_metrics = nullptr;
  // Further families, made anew each time; may be empty.
  std::function<std::vector<prometheus::MetricFamily>()> families = nullptr;
};

// `clock` outlives the routes.
std::vector<HttpRoute> MakeEndpoints(const Clock& clock, EndpointSources sources);

}  // namespace vdcu::base
