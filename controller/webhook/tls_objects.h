// The objects that the webhook's certificate is in: a Secret with the keys, and the webhook
// configurations, by which the API server knows its CA: two of pods, and that of the gate.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kclient/core/json.h"
#include "kclient/core/meta.h"
#include "kclient/write.h"

namespace vdcu::controller {

inline constexpr kclient::Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr kclient::Resource kMutatingWebhooks{"admissionregistration.k8s.io", "v1",
                                                     "mutatingwebhookconfigurations",
                                                     "MutatingWebhookConfiguration"};
inline constexpr kclient::Resource kValidatingWebhooks{"admissionregistration.k8s.io", "v1",
                                                       "validatingwebhookconfigurations",
                                                       "ValidatingWebhookConfiguration"};
// Of the Secret, and of the configurations for pods.
inline constexpr char kWebhookName[] = "vdcu-webhook";
// Of that for bindings.
inline constexpr char kGateConfiguration[] = "vdcu-gate";

// Texts are PEM; one that is absent, or no base64, is empty.
struct TlsSecret {
  kclient::ObjectMeta meta;
  std::string ca;      // certificates, the one that signs first
  std::string ca_key;  // of the first
  std::string certificate;
  std::string key;

  static base::Result<TlsSecret> FromJson(kclient::JsonView object);
};

struct WebhookConfiguration {
  struct Webhook {
    std::string name;
    std::string ca;  // clientConfig.caBundle, PEM
  };

  kclient::ObjectMeta meta;
  std::vector<Webhook> webhooks;

  static base::Result<WebhookConfiguration> FromJson(kclient::JsonView object);
};

}  // namespace vdcu::controller
