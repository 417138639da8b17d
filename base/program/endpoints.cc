#include "base/program/endpoints.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <iterator>
#include <utility>

#include "base/program/process_metrics.h"

namespace vdcu::base {

namespace {

constexpr Duration kMetricsAge{1'000};
constexpr const char* kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

HttpAnswer Readiness(const std::vector<std::string>& reasons) {
  if (reasons.empty()) return {.body = "ok\n"};
  HttpAnswer answer{.status = 503};
  for (const std::string& reason : reasons) (answer.body += reason) += '\n';
  return answer;
}

class MetricsPage {
 public:
  MetricsPage(const Clock& clock, EndpointSources sources)
      : clock_(clock), sources_(std::move(sources)) {}

  const std::string& Text() {
    const TimePoint now = clock_.Now();
    if (text_.empty() || now - rendered_at_ >= kMetricsAge) {
      text_ = Render();
      rendered_at_ = now;
    }
    return text_;
  }

 private:
  std::string Render() const {
    if (sources_.before_metrics) sources_.before_metrics();
    std::vector<prometheus::MetricFamily> families = sources_.metrics->Collect();
    std::vector<prometheus::MetricFamily> process = CollectProcessMetrics();
    families.insert(families.end(), std::make_move_iterator(process.begin()),
                    std::make_move_iterator(process.end()));
    if (sources_.families) {
      std::vector<prometheus::MetricFamily> more = sources_.families();
      families.insert(families.end(), std::make_move_iterator(more.begin()),
                      std::make_move_iterator(more.end()));
    }
    return prometheus::TextSerializer().Serialize(families);
  }

  const Clock& clock_;
  const EndpointSources sources_;
  std::string text_;  // as rendered at rendered_at_; empty: never
  TimePoint rendered_at_;
};

void Live(const HttpRequest& /*request*/, const HttpResponder& responder) {
  responder.Answer({.body = "ok\n"});
}

}  // namespace

std::vector<HttpRoute> MakeEndpoints(const Clock& clock, EndpointSources sources) {
  const auto ready = [not_ready = sources.not_ready](const HttpRequest& /*request*/,
                                                     const HttpResponder& responder) {
    responder.Answer(Readiness(not_ready()));
  };
  const auto page = std::make_shared<MetricsPage>(clock, std::move(sources));
  const auto metrics = [page](const HttpRequest& /*request*/, const HttpResponder& responder) {
    responder.Answer({.body = page->Text(), .content_type = kPrometheusText});
  };
  return {{.method = "GET", .path = "/livez", .handler = &Live},
          {.method = "GET", .path = "/healthz", .handler = &Live},
          {.method = "GET", .path = "/readyz", .handler = ready},
          {.method = "GET", .path = "/metrics", .handler = metrics}};
}

}  // namespace vdcu::base
