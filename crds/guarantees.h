// What is promised by virtue of the API server, and what of it an older one lacks, with its price
// and cure. docs/compatibility.md has the same.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kclient/core/server_facts.h"

namespace vdcu::crds {

// Holds who writes what where the API server has no policies for it: of the chart.
inline constexpr kclient::WebhookName kFenceWebhook{"vdcu-webhook", "objects.fence.vdcu.io"};

struct Lack {
  std::string_view guarantee;  // its name in the metric
  std::string what;            // "ValidatingAdmissionPolicy (Kubernetes 1.30)"
  std::string price;
  std::string cure;
};

// Names of all guarantees.
std::vector<std::string_view> Guarantees();
// Those that are not there, in their order.
std::vector<Lack> LacksOf(const kclient::ServerFacts& facts);

// Logs a warning for each, and says of each guarantee whether it is missing. Errors: kInvalid,
// where the server is older than all that the operator can work with.
base::Status JudgeServer(const kclient::ServerFacts& facts,
                         const std::function<void(std::string_view guarantee, bool missing)>& set);

}  // namespace vdcu::crds
