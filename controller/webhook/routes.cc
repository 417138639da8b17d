#include "controller/webhook/routes.h"

#include <functional>
#include <string>
#include <utility>

#include "base/text.h"
#include "controller/webhook/review.h"

namespace vdcu::controller {

namespace {

// An API server takes objects of 3 MiB, and a review has two more lines than its object.
constexpr size_t kMostBody = (size_t{3} << 20) + (size_t{64} << 10);

struct Verdict {
  std::string body;
  const char* result = "";
};

using Judge = std::function<Verdict(const Review& review)>;

base::Result<Verdict> JudgeBody(const std::string& body, const Judge& judge) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const kclient::JsonView text, parser.Parse(body));
  ASSIGN_OR_RETURN(const Review review, ReadReview(text));
  return judge(review);
}

base::HttpRoute Route(const std::string& path, const char* webhook, Metrics& metrics, Judge judge) {
  return {
      "POST", path,
      [&metrics, webhook, judge = std::move(judge)](const base::HttpRequest& request,
                                                    const base::HttpResponder& responder) {
        auto verdict = JudgeBody(request.body, judge);
        metrics.CountReview(webhook, verdict ? verdict->result : "malformed");
        if (verdict) {
          responder.Answer({.body = std::move(verdict->body), .content_type = "application/json"});
        } else {
          responder.Answer({.status = 400, .body = verdict.error().message + "\n"});
        }
      },
      kMostBody};
}

Verdict Mutate(const Review& review, const PodRules& rules) {
  const nlohmann::json patch = PatchOf(review.object, rules);
  return {Allow(review.uid, patch), patch.empty() ? "allowed" : "changed"};
}

Verdict Validate(const Review& review, const PodRules& rules) {
  const base::Status status = CheckPod(review.object, rules);
  if (status) return {Allow(review.uid), "allowed"};
  return {Deny(review.uid, base::Cut(status.error().message)), "denied"};
}

}  // namespace

std::vector<base::HttpRoute> WebhookRoutes(const PodRules& rules, Metrics& metrics) {
  return {Route("/pods/mutate", "mutate", metrics,
                [rules](const Review& review) { return Mutate(review, rules); }),
          Route("/pods/validate", "validate", metrics,
                [rules](const Review& review) { return Validate(review, rules); })};
}

}  // namespace vdcu::controller
