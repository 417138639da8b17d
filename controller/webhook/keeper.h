// Keeps the webhook's certificate: every replica takes the one that the Secret holds, and whoever
// leads makes and renews it, and tells the API server its CA (tls_plan.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/http/tls.h"
#include "base/loop.h"
#include "base/random.h"
#include "controller/metrics.h"
#include "controller/webhook/tls_plan.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/executor.h"
#include "kclient/informer.h"

namespace vdcu::controller {

class TlsKeeper : private kclient::Decider {
 public:
  // `may_write`: this process leads. `on_first`: there is a certificate, from now on in tls().
  struct Parts {
    base::Loop& loop;
    kclient::Client& client;
    kclient::EventRecorder& events;
    std::function<bool()> may_write;
    std::function<void()> on_first;
    Metrics& metrics;
  };

  // `ns`: of the Secret.
  TlsKeeper(Parts parts, const std::string& ns, TlsSettings settings, const base::Random& random);
  TlsKeeper(const TlsKeeper&) = delete;
  TlsKeeper& operator=(const TlsKeeper&) = delete;

  void Start();
  // This process leads from now on.
  void Lead();
  // Null until there is one.
  const std::shared_ptr<base::HeldTls>& tls() const { return tls_; }
  // Why no certificate is served, or may get too old, a sentence; empty: all is well.
  std::string NotReady() const;

 private:
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  bool MayWrite() const override { return parts_.may_write(); }
  void OnSecret();
  bool Synced() const;

  const Parts parts_;
  const TlsSettings settings_;
  kclient::Informer<TlsSecret> secret_;
  kclient::Informer<WebhookConfiguration> mutating_;
  kclient::Informer<WebhookConfiguration> validating_;
  kclient::Informer<WebhookConfiguration> gate_;
  std::shared_ptr<base::HeldTls> tls_;
  std::string problem_;  // of the certificate that the Secret holds; empty: none
  bool leads_ = false;
  kclient::Executor executor_;
};

}  // namespace vdcu::controller
