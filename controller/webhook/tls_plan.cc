#include "controller/webhook/tls_plan.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "controller/webhook/certificates.h"
#include "kclient/base64.h"

namespace vdcu::controller {

using nlohmann::json;

namespace {

// Clocks differ.
constexpr std::chrono::hours kBefore{1};
// The CAs that were before, in the configurations of all API servers' memory.
constexpr size_t kMostCas = 4;

Validity ValidFor(base::WallTime now, base::Duration lifetime) {
  return {now - kBefore, now + lifetime};
}

// When it is replaced.
base::WallTime DueAt(const Validity& validity) {
  return validity.until - (validity.until - validity.from) / 3;
}

bool IsFresh(const std::string& certificate, base::WallTime now) {
  const auto validity = ValidityOf(certificate);
  return validity && validity->from <= now && now < DueAt(*validity);
}

// Those that have not expired, each once.
void AddCas(const std::string& pem, base::WallTime now, std::vector<std::string>& cas) {
  for (std::string& ca : SplitCertificates(pem)) {
    const bool expired = ValidityOf(ca)->until <= now;
    const bool known = std::find(cas.begin(), cas.end(), ca) != cas.end();
    if (!expired && !known && cas.size() < kMostCas) cas.push_back(std::move(ca));
  }
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text;
  return all;
}

std::vector<std::pair<kclient::Resource, const WebhookConfiguration*>> Configurations(
    const TlsObjects& objects) {
  std::vector<std::pair<kclient::Resource, const WebhookConfiguration*>> all;
  if (objects.mutating) all.emplace_back(kMutatingWebhooks, objects.mutating.get());
  if (objects.validating) all.emplace_back(kValidatingWebhooks, objects.validating.get());
  if (objects.gate) all.emplace_back(kValidatingWebhooks, objects.gate.get());
  return all;
}

kclient::PlannedTask WriteSecret(const TlsSecret& secret,
                                 const std::vector<std::pair<const char*, std::string>>& texts) {
  json data = json::object();
  for (const auto& [key, text] : texts) data[key] = kclient::EncodeBase64(text);
  const kclient::ObjectMeta& meta = secret.meta;
  return {.write = kclient::MakePatch(kSecrets, meta.ns, meta.name, "", {{"data", data}}, meta.uid,
                                      meta.resource_version)};
}

// A CA whose key we have, first of all that are trusted.
bool HasCa(const TlsSecret& secret, base::WallTime now) {
  const auto cas = SplitCertificates(secret.ca);
  return !cas.empty() && IsFresh(cas.front(), now) && IsKeyOf(secret.ca_key, cas.front());
}

kclient::PlannedTask WriteCa(const TlsObjects& objects, const TlsSettings& settings,
                             base::WallTime now) {
  CertifiedKey ca = MakeCa(ValidFor(now, settings.ca_lifetime));
  std::vector<std::string> cas{ca.certificate};
  AddCas(objects.secret->ca, now, cas);
  for (const auto& [resource, configuration] : Configurations(objects)) {
    for (const auto& webhook : configuration->webhooks) AddCas(webhook.ca, now, cas);
  }
  return WriteSecret(*objects.secret, {{"ca.crt", Joined(cas)}, {"ca.key", ca.key}});
}

// The one that gives pods their scheduler first, and the one that refuses those without when that
// is stored: where the first is not trusted yet and let pass, the second refused pods that are
// right.
std::optional<kclient::PlannedTask> WriteTrust(const TlsObjects& objects) {
  const std::string& ca = objects.secret->ca;
  for (const auto& [resource, configuration] : Configurations(objects)) {
    json webhooks = json::array();
    for (const auto& webhook : configuration->webhooks) {
      if (webhook.ca == ca) continue;
      webhooks.push_back(
          {{"name", webhook.name}, {"clientConfig", {{"caBundle", kclient::EncodeBase64(ca)}}}});
    }
    if (webhooks.empty()) continue;
    const kclient::ObjectMeta& meta = configuration->meta;
    return kclient::PlannedTask{.write = kclient::MakeStrategicPatch(resource, "", meta.name, "",
                                                                     {{"webhooks", webhooks}},
                                                                     meta.uid)};
  }
  return std::nullopt;
}

bool HasCertificate(const TlsSecret& secret, const TlsSettings& settings, base::WallTime now) {
  return IsFresh(secret.certificate, now) && IsKeyOf(secret.key, secret.certificate) &&
         std::all_of(settings.hosts.begin(), settings.hosts.end(),
                     [&](const auto& host) { return IsFor(secret.certificate, host); }) &&
         IsSignedBy(secret.certificate, SplitCertificates(secret.ca).front());
}

kclient::PlannedTask WriteCertificate(const TlsSecret& secret, const TlsSettings& settings,
                                      base::WallTime now) {
  const CertifiedKey ca{SplitCertificates(secret.ca).front(), secret.ca_key};
  CertifiedKey made = MakeServerCertificate(ca, settings.hosts, ValidFor(now, settings.lifetime));
  return WriteSecret(secret, {{"tls.crt", made.certificate}, {"tls.key", made.key}});
}

}  // namespace

kclient::WorkPlan PlanTls(const TlsObjects& objects, const TlsSettings& settings,
                          base::WallTime now) {
  kclient::WorkPlan plan;
  if (!objects.secret) return plan;
  const TlsSecret& secret = *objects.secret;
  if (!HasCa(secret, now)) {
    plan.writes.push_back(WriteCa(objects, settings, now));
    return plan;
  }
  if (auto trust = WriteTrust(objects)) {
    plan.writes.push_back(std::move(*trust));
    return plan;
  }
  if (!HasCertificate(secret, settings, now)) {
    plan.writes.push_back(WriteCertificate(secret, settings, now));
    return plan;
  }
  const base::WallTime due =
      std::min(DueAt(*ValidityOf(secret.certificate)), DueAt(*ValidityOf(secret.ca)));
  plan.requeue_after = std::chrono::duration_cast<base::Duration>(due - now) + base::Duration(1);
  return plan;
}

}  // namespace vdcu::controller
