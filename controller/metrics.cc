#include "controller/metrics.h"

#include <algorithm>
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

double Seconds(std::chrono::duration<double> duration) { return duration.count(); }

// From the API server and back, or to a daemon and back.
const prometheus::Histogram::BucketBoundaries kSteps{0.002, 0.005, 0.01, 0.02, 0.05,
                                                     0.1,   0.25,  1,    5,    30};

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
      waiting_(prometheus::BuildGauge()
                   .Name("vdcu_requests_waiting")
                   .Help("Pods and partitions that wait for cards, by why: new (not tried yet), "
                         "cards (none has room), nodes (those with room are not fit), quota, "
                         "volumes (not known yet), partition (the reserved one is not free), "
                         "refused (by the API server), group (not all of its pods exist), invalid "
                         "(never placed as it is)")
                   .Register(*registry_)),
      waiting_oldest_(
          prometheus::BuildGauge()
              .Name("vdcu_requests_waiting_oldest_seconds")
              .Help("For how long the first of them has waited, since it was created or was last "
                    "refused; 0: none does")
              .Register(*registry_)),
      queue_keys_(MakeGauge(*registry_, "vdcu_queue_keys",
                            "Objects that have changed and were not looked at yet")),
      queue_oldest_(MakeGauge(*registry_, "vdcu_queue_oldest_seconds",
                              "For how long the first of them has waited for its turn")),
      decision_seconds_(
          prometheus::BuildHistogram()
              .Name("vdcu_decision_seconds")
              .Help("The time that it takes to find cards for a request, or to find none")
              .Register(*registry_)
              .Add({},
                   prometheus::Histogram::BucketBoundaries{0.00002, 0.00005, 0.0001, 0.0002, 0.0005,
                                                           0.001, 0.002, 0.005, 0.01, 0.05})),
      prepared_seconds_(prometheus::BuildHistogram()
                            .Name("vdcu_created_to_prepared_seconds")
                            .Help("Of pods: from the create of the first slice until all are "
                                  "seen to be prepared")
                            .Register(*registry_)
                            .Add({}, kSteps)),
      bound_seconds_(prometheus::BuildHistogram()
                         .Name("vdcu_prepared_to_bound_seconds")
                         .Help("Of pods: from then until the API server has bound the pod")
                         .Register(*registry_)
                         .Add({}, kSteps)),
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
      reviews_(
          prometheus::BuildCounter()
              .Name("vdcu_admission_reviews_total")
              .Help(
                  "Reviews that the webhook has answered, of new pods, of bindings and (fence) of "
                  "writes of the operator's objects, by webhook and result")
              .Register(*registry_)),
      certificate_end_(
          prometheus::BuildGauge()
              .Name("vdcu_webhook_certificate_expiry_timestamp_seconds")
              .Help("When the certificate that the controller made for the webhook expires; absent "
                    "where it makes none")
              .Register(*registry_)),
      extender_calls_(prometheus::BuildCounter()
                          .Name("vdcu_extender_calls_total")
                          .Help("Calls of other schedulers that were answered, by verb and result")
                          .Register(*registry_)),
      holds_(MakeGauge(*registry_, "vdcu_holds",
                       "Pods of other schedulers for which a slice is kept for a while")) {}

void Metrics::CountExtenderCall(std::string_view verb, std::string_view result) {
  extender_calls_.Add({{"verb", std::string(verb)}, {"result", std::string(result)}}).Increment();
}

void Metrics::SetCertificateEnd(base::WallTime end) {
  certificate_end_.Add({}).Set(Seconds(end.time_since_epoch()));
}

void Metrics::CountReview(std::string_view webhook, std::string_view result) {
  reviews_.Add({{"webhook", std::string(webhook)}, {"result", std::string(result)}}).Increment();
}

void Metrics::SetWaiting(const reconcilers::WaitCounts& waits, base::WallTime now) {
  for (const auto& [reason, name] : reconcilers::kWaitReasons) {
    const auto found = waits.find(reason);
    const auto waiters = found == waits.end() ? reconcilers::Waiters() : found->second;
    const base::WallTime since = base::ParseTime(waiters.oldest).value_or(now);
    waiting_.Add({{"reason", std::string(name)}}).Set(static_cast<double>(waiters.count));
    waiting_oldest_.Add({{"reason", std::string(name)}}).Set(std::max(0.0, Seconds(now - since)));
  }
}

void Metrics::SetQueue(size_t keys, base::Duration oldest) {
  queue_keys_.Set(static_cast<double>(keys));
  queue_oldest_.Set(Seconds(oldest));
}

void Metrics::OnDecision(std::chrono::microseconds took) {
  decision_seconds_.Observe(Seconds(took));
}

void Metrics::OnPrepared(base::Duration since_create) {
  prepared_seconds_.Observe(Seconds(since_create));
}

void Metrics::OnBound(base::Duration since_prepared) {
  bound_seconds_.Observe(Seconds(since_prepared));
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
  write_seconds_.Observe(Seconds(took));
}

}  // namespace vdcu::controller
