#include "kclient/core/server_facts.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace vdcu::kclient {

namespace {

// What follows the digits is the vendor's.
std::optional<int> NumberOf(JsonView answer, std::string_view key) {
  const std::string text = GetStringOr(answer, key);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

base::Status ReadVersion(JsonView answer, ServerFacts& facts) {
  const auto major = NumberOf(answer, "major");
  const auto minor = NumberOf(answer, "minor");
  if (!major || !minor) {
    return base::Corrupt("/version: major \"" + GetStringOr(answer, "major") + "\", minor \"" +
                         GetStringOr(answer, "minor") + "\": want numbers");
  }
  facts.major = *major;
  facts.minor = *minor;
  return base::Ok();
}

void ReadAdmission(JsonView answer, ServerFacts& facts) {
  ForEach(answer, "resources", [&facts](JsonView resource) {
    facts.validating_policies =
        facts.validating_policies || GetStringOr(resource, "name") == "validatingadmissionpolicies";
  });
}

void ReadFlowControl(JsonView answer, ServerFacts& facts) {
  ForEach(answer, "versions", [&facts](JsonView version) {
    const std::string name = GetStringOr(version, "version");
    facts.own_seats = true;
    facts.kept_seats = facts.kept_seats || (name != "v1beta1" && name != "v1beta2");
  });
}

void ReadWebhooks(JsonView answer, const WebhookName& name, ServerFacts& facts) {
  ForEach(answer, "webhooks", [&](JsonView webhook) {
    facts.webhook = facts.webhook || (GetStringOr(webhook, "name") == name.webhook &&
                                      GetStringOr(webhook, "failurePolicy") == "Fail");
  });
}

}  // namespace vdcu::kclient
