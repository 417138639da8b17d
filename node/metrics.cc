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

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      prepared_(
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
                                                               60, 300})) {}

void Metrics::OnPrepared(double seconds) {
  prepared_.Increment();
  prepare_seconds_.Observe(seconds);
}

void Metrics::OnRefused(const std::string& reason) {
  refused_.Add({{"reason", reason}}).Increment();
}

void Metrics::OnError(const std::string& code) { errors_.Add({{"code", code}}).Increment(); }

void Metrics::SetCards(size_t healthy, size_t unhealthy) {
  cards_.Add({{"health", "healthy"}}).Set(static_cast<double>(healthy));
  cards_.Add({{"health", "unhealthy"}}).Set(static_cast<double>(unhealthy));
}

}  // namespace vdcu::node
