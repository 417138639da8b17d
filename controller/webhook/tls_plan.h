// What is written next so that the API server trusts the webhook's certificate, and goes on to
// trust it while it is replaced: a pure function of the objects, one step at a time.
//
// Promises: a certificate is written only when all configurations that there are trust the CA that
// signed it, and a CA that signed what may still be served stays among those that are trusted until
// it has expired. Whatever is lost or broken (what is in the Secret, a key, a configuration that
// was applied anew) is made again. What is replaced is replaced when two thirds of its time are
// over. The Secret itself is the administrator's: who may create Secrets may have any account's
// token.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "controller/webhook/tls_objects.h"
#include "kclient/engine/plan.h"

namespace vdcu::controller {

struct TlsSettings {
  std::vector<std::string> hosts;  // as the API server calls it
  base::Duration ca_lifetime = std::chrono::hours(24 * 3650);
  base::Duration lifetime = std::chrono::hours(24 * 90);
};

struct TlsObjects {
  std::shared_ptr<const TlsSecret> secret;                                 // null: there is none
  std::shared_ptr<const WebhookConfiguration> mutating, validating, gate;  // the same
};

// Keys come from OpenSSL's random generator. Without a Secret there is nothing to do.
kclient::WorkPlan PlanTls(const TlsObjects& objects, const TlsSettings& settings,
                          base::WallTime now);

}  // namespace vdcu::controller
