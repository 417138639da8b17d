#include "controller/webhook/routes.h"

#include <functional>
#include <string>
#include <utility>

#include "controller/webhook/review.h"

namespace vdcu::controller {

namespace {

// An API server takes objects of 3 MiB. A review has the one that is stored beside it, and a few
// lines more.
constexpr size_t kMostObject = size_t{3} << 20;
constexpr size_t kMostRest = size_t{64} << 10;

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

base::HttpRoute Route(const std::string& path, const char* webhook, size_t objects,
                      Metrics& metrics, Judge judge) {
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
      objects * kMostObject + kMostRest};
}

Verdict Mutate(const Review& review, const PodRules& rules) {
  const nlohmann::json patch = PatchOf(review.object, rules);
  return {Allow(review.uid, patch), patch.empty() ? "allowed" : "changed"};
}

Verdict ToVerdict(const Review& review, const base::Status& status) {
  if (status) return {Allow(review.uid), "allowed"};
  return {Deny(review.uid, status.error()), "denied"};
}

}  // namespace

std::vector<base::HttpRoute> WebhookRoutes(const PodRules& rules, Metrics& metrics) {
  return {Route("/pods/mutate", "mutate", 1, metrics,
                [rules](const Review& review) { return Mutate(review, rules); }),
          Route("/pods/validate", "validate", 1, metrics, [rules](const Review& review) {
            return ToVerdict(review, CheckPod(review.object, rules));
          })};
}

base::HttpRoute FenceRoute(const FenceUsers& users, const FindNode& find_node, Metrics& metrics) {
  return Route("/fence", "fence", 2, metrics, [users, find_node](const Review& review) {
    return ToVerdict(review, CheckWrite(review, users, find_node));
  });
}

}  // namespace vdcu::controller
