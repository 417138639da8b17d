#include "node/metrics.h"

namespace vdcu::node {

namespace {

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry,
                                                  const std::string& name,
                                                  const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry,
                                              const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

const prometheus::Histogram::BucketBoundaries kAllocate{0.0002, 0.0005, 0.001, 0.002, 0.005,
                                                        0.01,   0.05,   0.2,   1,     5};
const prometheus::Histogram::BucketBoundaries kStage{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                                     0.2,   0.5,   1,     2,    5,    10};

double Seconds(std::chrono::duration<double> duration) { return duration.count(); }

}  // namespace

Metrics::Metrics()
    : prepared_(
          Counters(*registry_, "vdcu_node_prepared_total", "Slices reported as prepared").Add({})),
      refused_(Counters(*registry_, "vdcu_node_refused_total", "Slices refused, by reason")),
      errors_(Counters(*registry_, "vdcu_node_errors_total",
                       "Passes that failed, by error; conflicts are normal")),
      held_(Gauges(*registry_, "vdcu_node_held_slices", "Slices and whole cards held").Add({})),
      cards_(Gauges(*registry_, "vdcu_node_cards", "Cards by health")),
      prepare_seconds_(
          prometheus::BuildHistogram()
              .Name("vdcu_node_prepare_seconds")
              .Help("From a partition's creationTimestamp, which has whole seconds, to Prepared")
              .Register(*registry_)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30,
                                                               60, 300})),
      allocate_seconds_(prometheus::BuildHistogram()
                            .Name("vdcu_node_allocate_seconds")
                            .Help("The daemon's own share of answering the kubelet's Allocate")
                            .Register(*registry_)
                            .Add({}, kAllocate)),
      admissions_refused_(Counters(*registry_, "vdcu_node_admissions_refused_total",
                                   "Containers refused to the kubelet, by reason")),
      stage_seconds_(prometheus::BuildHistogram()
                         .Name("vdcu_node_stage_seconds")
                         .Help("From the stage before to this one: prepared, bound (as this "
                               "node's watch shows it), allocated, started")
                         .Register(*registry_)),
      hami_requests_(prometheus::BuildCounter()
                         .Name("vdcu_node_hami_requests_total")
                         .Help("How often a HAMi scheduler has asked for this node's cards, as its "
                               "own, since --hami shows them")
                         .Register(*registry_)
                         .Add({})) {}

void Metrics::OnPrepared(double seconds) {
  prepared_.Increment();
  prepare_seconds_.Observe(seconds);
}

void Metrics::OnRefused(const std::string& reason) {
  refused_.Add({{"reason", reason}}).Increment();
}

void Metrics::OnAllocated(std::chrono::microseconds taken) {
  allocate_seconds_.Observe(Seconds(taken));
}

void Metrics::OnAdmissionRefused(const std::string& reason) {
  admissions_refused_.Add({{"reason", reason}}).Increment();
}

void Metrics::OnStage(const std::string& stage, base::Duration since_last) {
  stage_seconds_.Add({{"stage", stage}}, kStage).Observe(Seconds(since_last));
}

void Metrics::OnError(const base::Error& error) {
  errors_.Add({{"code", std::string(base::ToString(error.code))}}).Increment();
}

void Metrics::SetCards(size_t healthy, size_t unhealthy) {
  cards_.Add({{"health", "healthy"}}).Set(static_cast<double>(healthy));
  cards_.Add({{"health", "unhealthy"}}).Set(static_cast<double>(unhealthy));
}

}  // namespace vdcu::node
