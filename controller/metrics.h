// What /metrics of vdcu-controller tells. Names carry their units.
#pragma once

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

namespace vdcu::controller {

class Metrics {
 public:
  Metrics();

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

  // result: "ok" or the name of an ErrorCode.
  void CountWrite(std::string_view verb, std::string_view resource, std::string_view result,
                  base::Duration took);
  void SetWritesInFlight(size_t count) { in_flight_.Set(static_cast<double>(count)); }
  void SetWaiting(size_t count) { waiting_.Set(static_cast<double>(count)); }
  void CountPlacement() { placements_.Increment(); }
  void CountBinding() { bindings_.Increment(); }
  // How long lists and watches of the kind have failed; 0: they do not.
  void SetWatchFailing(std::string_view kind, base::Duration length);
  // DCUNodes by the status of their condition Ready.
  void SetNodes(const std::map<std::string, size_t, std::less<>>& by_ready);
  // webhook: "mutate" or "validate"; result: "allowed", "changed", "denied" or "malformed".
  void CountReview(std::string_view webhook, std::string_view result);
  // Whether this API server lacks what the guarantee rests on.
  void SetMissing(std::string_view guarantee, bool missing);
  void SetCertificateEnd(base::WallTime end);
  void SetLeading(bool leading) { leading_.Set(leading ? 1 : 0); }

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  prometheus::Family<prometheus::Counter>& writes_;
  prometheus::Histogram& write_seconds_;
  prometheus::Gauge& in_flight_;
  prometheus::Gauge& waiting_;
  prometheus::Family<prometheus::Gauge>& nodes_;
  prometheus::Counter& placements_;
  prometheus::Counter& bindings_;
  prometheus::Gauge& leading_;
  prometheus::Family<prometheus::Gauge>& watch_failing_;
  prometheus::Family<prometheus::Counter>& reviews_;
  prometheus::Family<prometheus::Gauge>& certificate_end_;
  prometheus::Family<prometheus::Gauge>& missing_;
};

}  // namespace vdcu::controller
