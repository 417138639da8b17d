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

namespace vdcu::node {

class Metrics {
 public:
  Metrics();

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

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
  // Whether this API server lacks what the guarantee rests on.
  void SetMissing(std::string_view guarantee, bool missing);
  // Of lists and watches of the kind: for how long they have failed (0: they do not), and how often
  // a watch was begun anew.
  void SetWatch(std::string_view kind, base::Duration failing, size_t restarts);
  // code: of HTTP; 0: no answer came.
  void CountRequest(std::string_view verb, int code);
  void SetHeld(size_t slices) { held_.Set(static_cast<double>(slices)); }
  void SetCards(size_t healthy, size_t unhealthy);

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& prepared_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Counter>& errors_;
  prometheus::Gauge& held_;
  prometheus::Family<prometheus::Gauge>& cards_;
  prometheus::Histogram& prepare_seconds_;
  prometheus::Histogram& allocate_seconds_;
  prometheus::Family<prometheus::Counter>& admissions_refused_;
  prometheus::Family<prometheus::Histogram>& stage_seconds_;
  prometheus::Family<prometheus::Gauge>& watch_failing_;
  prometheus::Family<prometheus::Gauge>& missing_;
  prometheus::Family<prometheus::Counter>& watch_restarts_;
  prometheus::Family<prometheus::Counter>& requests_;
};

}  // namespace vdcu::node
