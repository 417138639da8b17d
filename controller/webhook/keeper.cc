#include "controller/webhook/keeper.h"

#include <utility>

#include "base/log.h"
#include "controller/webhook/certificates.h"

namespace vdcu::controller {

namespace {

constexpr size_t kMostInFlight = 2;
const kclient::Key kWebhookKey{.kind = "webhook", .name = kWebhookName};

kclient::ReflectorOptions One(const kclient::Resource& resource, const std::string& ns,
                              const char* name = kWebhookName) {
  return {.resource = resource,
          .ns = ns,
          .field_selector = std::string("metadata.name=") + name,
          .label_selector = ""};
}

template <class T>
std::shared_ptr<const T> First(const kclient::Informer<T>& informer) {
  const auto& objects = informer.store().objects();
  return objects.empty() ? nullptr : objects.begin()->second;
}

}  // namespace

TlsKeeper::TlsKeeper(Parts parts, const std::string& ns, TlsSettings settings,
                     const base::Random& random)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      secret_(parts_.client, parts_.loop, One(kSecrets, ns), random),
      mutating_(parts_.client, parts_.loop, One(kMutatingWebhooks, ""), random),
      validating_(parts_.client, parts_.loop, One(kValidatingWebhooks, ""), random),
      gate_(parts_.client, parts_.loop, One(kValidatingWebhooks, "", kGateConfiguration), random),
      executor_({parts_.loop, parts_.client, parts_.events, *this}, kMostInFlight, random) {
  secret_.AddHandler(
      [this](const auto& /*old_object*/, const auto& /*new_object*/) { OnSecret(); });
  const auto look = [this](const auto&... /*changed*/) { executor_.Add(kWebhookKey); };
  secret_.OnSynced(look);
  mutating_.OnSynced(look);
  mutating_.AddHandler(look);
  validating_.OnSynced(look);
  validating_.AddHandler(look);
  gate_.OnSynced(look);
  gate_.AddHandler(look);
}

void TlsKeeper::Start() {
  secret_.Start();
  mutating_.Start();
  validating_.Start();
  gate_.Start();
  executor_.Start();
}

void TlsKeeper::Lead() {
  leads_ = true;
  executor_.Add(kWebhookKey);
}

bool TlsKeeper::Synced() const {
  return secret_.synced() && mutating_.synced() && validating_.synced() && gate_.synced();
}

kclient::WorkPlan TlsKeeper::Reconcile(const kclient::Key& /*key*/) {
  if (!leads_ || !Synced()) return {};
  return PlanTls({First(secret_), First(mutating_), First(validating_), First(gate_)}, settings_,
                 parts_.loop.clock().Wall());
}

void TlsKeeper::OnSecret() {
  executor_.Add(kWebhookKey);
  const auto secret = First(secret_);
  if (!secret || secret->certificate.empty()) return;
  const std::string name = std::string("Secret ") + kWebhookName;
  auto pair = base::TlsPair::Make(secret->certificate, secret->key,
                                  {.certificate = name + ": tls.crt", .key = name + ": tls.key"});
  problem_ = pair ? "" : pair.error().message;
  if (!pair) {
    return base::Log(base::Level::kWarning, "the webhook's certificate cannot be used",
                     {{"error", problem_}});
  }
  parts_.metrics.SetCertificateEnd(ValidityOf(secret->certificate)->until);
  if (tls_) return tls_->Set(std::move(*pair));
  tls_ = std::make_shared<base::HeldTls>(std::move(*pair));
  parts_.on_first();
}

std::string TlsKeeper::NotReady() const {
  for (std::string why :
       {secret_.NotReady(), mutating_.NotReady(), validating_.NotReady(), gate_.NotReady()}) {
    if (!why.empty()) return why;
  }
  if (!problem_.empty()) return "the webhook's certificate cannot be used: " + problem_;
  if (tls_) return "";
  return First(secret_) ? "the webhook has no certificate yet"
                        : "the webhook has no certificate: there is no Secret " +
                              std::string(kWebhookName) + "; apply it, with no data in it";
}

}  // namespace vdcu::controller
