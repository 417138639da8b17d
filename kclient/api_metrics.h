// What each process tells of its API server in /metrics. Names carry their units.
#pragma once

#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "base/clock.h"

namespace vdcu::kclient {

class ApiMetrics {
 public:
  // Once a registry, which must outlive it.
  explicit ApiMetrics(prometheus::Registry& registry);

  // Of lists and watches of the kind: for how long they have failed (0: they do not), and how often
  // a watch was begun anew.
  void SetWatch(std::string_view kind, base::Duration failing, size_t restarts);
  // code: of HTTP; 0: no answer came.
  void CountRequest(std::string_view verb, int code);
  // Whether this API server lacks what the guarantee rests on.
  void SetMissing(std::string_view guarantee, bool missing);

 private:
  prometheus::Family<prometheus::Gauge>& watch_failing_;
  prometheus::Family<prometheus::Counter>& watch_restarts_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Gauge>& missing_;
};

}  // namespace vdcu::kclient
