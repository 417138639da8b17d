// The HTTPS paths of the webhook, which the API server calls for each new pod, and each write of
// our objects, that its configuration selects (charts/vdcu-operator/templates/admission/).
#pragma once

#include <vector>

#include "base/http/route.h"
#include "controller/metrics.h"
#include "controller/webhook/fence_rules.h"
#include "controller/webhook/pod_rules.h"

namespace vdcu::controller {

// POST /pods/mutate and /pods/validate, an AdmissionReview each. A body that is none is answered
// with 400. `metrics` outlives the routes.
std::vector<base::HttpRoute> WebhookRoutes(const PodRules& rules, Metrics& metrics);
// POST /fence, likewise.
base::HttpRoute FenceRoute(const FenceUsers& users, const FindNode& find_node, Metrics& metrics);

}  // namespace vdcu::controller
