// What an API server is and has, as far as that decides on more than an answer does.
#pragma once

#include <string>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::kclient {

struct ServerFacts {
  int major = 0;
  int minor = 0;
  bool validating_policies = false;  // ValidatingAdmissionPolicy
  bool own_seats = false;            // a priority level of API Priority and Fairness ...
  bool kept_seats = false;           // ... that need not lend its seats
  bool webhook = false;              // the webhook that was asked for, in place of policies

  std::string version() const { return std::to_string(major) + "." + std::to_string(minor); }
  friend bool operator==(const ServerFacts&, const ServerFacts&) = default;
};

// Of a ValidatingWebhookConfiguration.
struct WebhookName {
  const char* configuration;
  const char* webhook;
};

// Each reads one answer into the facts: of /version, also with a vendor's "28+" as minor; of
// /apis/admissionregistration.k8s.io/v1; of /apis/flowcontrol.apiserver.k8s.io; and of a
// ValidatingWebhookConfiguration, whose webhook counts where nothing gets past it (failurePolicy
// Fail). Errors: kCorrupt, where that is no version.
base::Status ReadVersion(JsonView answer, ServerFacts& facts);
void ReadAdmission(JsonView answer, ServerFacts& facts);
void ReadFlowControl(JsonView answer, ServerFacts& facts);
void ReadWebhooks(JsonView answer, const WebhookName& name, ServerFacts& facts);

}  // namespace vdcu::kclient
