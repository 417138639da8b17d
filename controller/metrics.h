// What /metrics of vdcu-controller tells. Names carry their units.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/clock.h"
#include "kclient/api_metrics.h"
#include "reconcilers/waits.h"

namespace vdcu::controller {

class Metrics {
 public:
  Metrics();

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }
  kclient::ApiMetrics& api() { return api_; }

  // result: "ok" or the name of an ErrorCode.
  void CountWrite(std::string_view verb, std::string_view resource, std::string_view result,
                  base::Duration took);
  void SetWritesInFlight(size_t count) { in_flight_.Set(static_cast<double>(count)); }
  void SetWaiting(const reconcilers::WaitCounts& waits, base::WallTime now);
  void SetQueue(size_t keys, base::Duration oldest);
  // One try to give a request its cards, also in vain.
  void OnDecision(std::chrono::microseconds took);
  // Of a pod: from the create of its slices, and from when all were prepared.
  void OnPrepared(base::Duration since_create);
  void OnBound(base::Duration since_prepared);
  void CountPlacements(int count) { placements_.Increment(count); }
  void CountBinding() { bindings_.Increment(); }
  // DCUNodes by the status of their condition Ready.
  void SetNodes(const std::map<std::string, size_t, std::less<>>& by_ready);
  // webhook: "mutate", "validate", "fence" or "bind"; result: "allowed", "changed", "denied" or
  // "malformed"; of bind also "passed" (no card is asked for) and "unknown" (no watch has shown the
  // pod).
  void CountReview(std::string_view webhook, std::string_view result);
  // verb: "filter", "preempt" or "bind"; result: "offered", "refused", "bound", "failed", "unknown"
  // or "malformed".
  void CountExtenderCall(std::string_view verb, std::string_view result);
  void SetHolds(size_t count) { holds_.Set(static_cast<double>(count)); }
  void SetCertificateEnd(base::WallTime end);
  void SetLeading(bool leading) { leading_.Set(leading ? 1 : 0); }

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kclient::ApiMetrics api_{*registry_};
  prometheus::Family<prometheus::Counter>& writes_;
  prometheus::Histogram& write_seconds_;
  prometheus::Gauge& in_flight_;
  prometheus::Family<prometheus::Gauge>& waiting_;
  prometheus::Family<prometheus::Gauge>& waiting_oldest_;
  prometheus::Gauge& queue_keys_;
  prometheus::Gauge& queue_oldest_;
  prometheus::Histogram& decision_seconds_;
  prometheus::Histogram& prepared_seconds_;
  prometheus::Histogram& bound_seconds_;
  prometheus::Family<prometheus::Gauge>& nodes_;
  prometheus::Counter& placements_;
  prometheus::Counter& bindings_;
  prometheus::Gauge& leading_;
  prometheus::Family<prometheus::Counter>& reviews_;
  prometheus::Family<prometheus::Gauge>& certificate_end_;
  prometheus::Family<prometheus::Counter>& extender_calls_;
  prometheus::Gauge& holds_;
};

}  // namespace vdcu::controller
