#include "kclient/api_metrics.h"

#include <string>

namespace vdcu::kclient {

ApiMetrics::ApiMetrics(prometheus::Registry& registry)
    : watch_failing_(prometheus::BuildGauge()
                         .Name("vdcu_watch_failing_seconds")
                         .Help("For how long lists and watches have failed, by kind; 0: they do "
                               "not")
                         .Register(registry)),
      watch_restarts_(prometheus::BuildCounter()
                          .Name("vdcu_watch_restarts_total")
                          .Help("Watches that were begun anew, by kind; each ends after 5 to 10 "
                                "minutes, and when it fails")
                          .Register(registry)),
      requests_(prometheus::BuildCounter()
                    .Name("vdcu_api_requests_total")
                    .Help("Requests to the API server that have ended, by verb and code of HTTP; "
                          "code 0: no answer came")
                    .Register(registry)),
      missing_(prometheus::BuildGauge()
                   .Name("vdcu_guarantee_missing")
                   .Help("1 where this API server is too old for the guarantee, else 0")
                   .Register(registry)) {}

void ApiMetrics::SetWatch(std::string_view kind, base::Duration failing, size_t restarts) {
  const std::chrono::duration<double> seconds = failing;
  watch_failing_.Add({{"kind", std::string(kind)}}).Set(seconds.count());
  prometheus::Counter& restarted = watch_restarts_.Add({{"kind", std::string(kind)}});
  restarted.Increment(static_cast<double>(restarts) - restarted.Value());
}

void ApiMetrics::CountRequest(std::string_view verb, int code) {
  requests_.Add({{"verb", std::string(verb)}, {"code", std::to_string(code)}}).Increment();
}

void ApiMetrics::SetMissing(std::string_view guarantee, bool missing) {
  missing_.Add({{"guarantee", std::string(guarantee)}}).Set(missing ? 1 : 0);
}

}  // namespace vdcu::kclient
