// The daemon's figures for /metrics.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/clock.h"
#include "base/error.h"
#include "kclient/api_metrics.h"

namespace vdcu::node {

class Metrics {
 public:
  Metrics();

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }
  kclient::ApiMetrics& api() { return api_; }

  // `seconds` since the partition was created.
  void OnPrepared(double seconds);
  void OnRefused(const std::string& reason);
  // The daemon's own share of one Allocate.
  void OnAllocated(std::chrono::microseconds taken);
  void OnAdmissionRefused(const std::string& reason);
  // From the stage before to this one: Prepared -> bound -> Allocate -> PreStart.
  void OnStage(const std::string& stage, base::Duration since_last);
  // Of a write, or of a key.
  void OnError(const base::Error& error);
  void OnHamiRequest() { hami_requests_.Increment(); }
  void SetHeld(size_t slices) { held_.Set(static_cast<double>(slices)); }
  void SetCards(size_t healthy, size_t unhealthy);

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kclient::ApiMetrics api_{*registry_};
  prometheus::Counter& prepared_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Counter>& errors_;
  prometheus::Gauge& held_;
  prometheus::Family<prometheus::Gauge>& cards_;
  prometheus::Histogram& prepare_seconds_;
  prometheus::Histogram& allocate_seconds_;
  prometheus::Family<prometheus::Counter>& admissions_refused_;
  prometheus::Family<prometheus::Histogram>& stage_seconds_;
  prometheus::Counter& hami_requests_;
};

}  // namespace vdcu::node
