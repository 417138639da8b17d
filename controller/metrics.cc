#include "controller/metrics.h"

#include <chrono>
#include <utility>

namespace vdcu::controller {

namespace {

prometheus::Gauge& MakeGauge(prometheus::Registry& registry, const std::string& name,
                             const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& MakeCounter(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Metrics()
    : writes_(prometheus::BuildCounter()
                  .Name("vdcu_api_writes_total")
                  .Help("Writes to the API that have ended, by verb, resource and result")
                  .Register(*registry_)),
      write_seconds_(
          prometheus::BuildHistogram()
              .Name("vdcu_api_write_duration_seconds")
              .Help("From the start of a write to its answer")
              .Register(*registry_)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                               0.05, 0.1, 0.25, 1, 5})),
      in_flight_(
          MakeGauge(*registry_, "vdcu_api_writes_in_flight", "Writes without an answer yet")),
      waiting_(MakeGauge(*registry_, "vdcu_requests_waiting",
                         "Pods and partitions that wait for cards")),
      nodes_(prometheus::BuildGauge()
                 .Name("vdcu_nodes")
                 .Help("DCUNodes by the status of their condition Ready: unknown where nothing is "
                       "heard of the node's daemon, none where it has not published yet")
                 .Register(*registry_)),
      placements_(
          MakeCounter(*registry_, "vdcu_placements_total",
                      "Requests that were given cards, also those that were given up later")),
      bindings_(MakeCounter(*registry_, "vdcu_bindings_total", "Pods that were bound")),
      leading_(MakeGauge(*registry_, "vdcu_leading", "1 while this process acts, 0 on standby")),
      watch_failing_(prometheus::BuildGauge()
                         .Name("vdcu_watch_failing_seconds")
                         .Help("For how long lists and watches have failed, by kind; 0: they do "
                               "not")
                         .Register(*registry_)),
      reviews_(prometheus::BuildCounter()
                   .Name("vdcu_admission_reviews_total")
                   .Help("Reviews of new pods that the webhook has answered, by webhook and result")
                   .Register(*registry_)),
      certificate_end_(
          prometheus::BuildGauge()
              .Name("vdcu_webhook_certificate_expiry_timestamp_seconds")
              .Help("When the certificate that the controller made for the webhook expires; absent "
                    "where it makes none")
              .Register(*registry_)),
      missing_(prometheus::BuildGauge()
                   .Name("vdcu_guarantee_missing")
                   .Help("1 where this API server is too old for the guarantee, else 0")
                   .Register(*registry_)) {}

void Metrics::SetMissing(std::string_view guarantee, bool missing) {
  missing_.Add({{"guarantee", std::string(guarantee)}}).Set(missing ? 1 : 0);
}

void Metrics::SetCertificateEnd(base::WallTime end) {
  certificate_end_.Add({}).Set(std::chrono::duration<double>(end.time_since_epoch()).count());
}

void Metrics::CountReview(std::string_view webhook, std::string_view result) {
  reviews_.Add({{"webhook", std::string(webhook)}, {"result", std::string(result)}}).Increment();
}

void Metrics::SetWatchFailing(std::string_view kind, base::Duration length) {
  watch_failing_.Add({{"kind", std::string(kind)}})
      .Set(static_cast<double>(length.count()) / 1000.0);
}

void Metrics::SetNodes(const std::map<std::string, size_t, std::less<>>& by_ready) {
  for (const auto& [status, label] :
       {std::pair("True", "true"), {"False", "false"}, {"Unknown", "unknown"}, {"", "none"}}) {
    const auto found = by_ready.find(status);
    const size_t count = found == by_ready.end() ? 0 : found->second;
    nodes_.Add({{"ready", label}}).Set(static_cast<double>(count));
  }
}

void Metrics::CountWrite(std::string_view verb, std::string_view resource, std::string_view result,
                         base::Duration took) {
  writes_
      .Add({{"verb", std::string(verb)},
            {"resource", std::string(resource)},
            {"result", std::string(result)}})
      .Increment();
  write_seconds_.Observe(static_cast<double>(took.count()) / 1000.0);
}

}  // namespace vdcu::controller
