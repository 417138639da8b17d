// The HTTPS paths of the webhook, which the API server calls for each new pod that its
// configuration selects (charts/vdcu-operator/templates/admission/webhook.yaml).
#pragma once

#include <vector>

#include "base/http/route.h"
#include "controller/metrics.h"
#include "controller/webhook/pod_rules.h"

namespace vdcu::controller {

// POST /pods/mutate and /pods/validate, an AdmissionReview each. A body that is none is answered
// with 400. `metrics` outlives the routes.
std::vector<base::HttpRoute> WebhookRoutes(const PodRules& rules, Metrics& metrics);

}  // namespace vdcu::controller
