#include "controller/webhook/tls_objects.h"

#include "kclient/base64.h"

namespace vdcu::controller {

using kclient::JsonView;

namespace {

std::string Bytes(JsonView object, std::string_view key) {
  return kclient::DecodeBase64(kclient::GetStringOr(object, key)).value_or("");
}

}  // namespace

base::Result<TlsSecret> TlsSecret::FromJson(JsonView object) {
  TlsSecret secret;
  ASSIGN_OR_RETURN(secret.meta, kclient::ParseMeta(object, {}));
  const auto data = kclient::Get(object, "data");
  if (!data) return secret;
  secret.ca = Bytes(*data, "ca.crt");
  secret.ca_key = Bytes(*data, "ca.key");
  secret.certificate = Bytes(*data, "tls.crt");
  secret.key = Bytes(*data, "tls.key");
  return secret;
}

base::Result<WebhookConfiguration> WebhookConfiguration::FromJson(JsonView object) {
  WebhookConfiguration configuration;
  ASSIGN_OR_RETURN(configuration.meta, kclient::ParseMeta(object, {}));
  kclient::ForEach(object, "webhooks", [&](JsonView webhook) {
    const auto client = kclient::Get(webhook, "clientConfig");
    configuration.webhooks.push_back({.name = kclient::GetStringOr(webhook, "name"),
                                      .ca = client ? Bytes(*client, "caBundle") : ""});
  });
  return configuration;
}

}  // namespace vdcu::controller
