// The config that requests are made with, read again when a file changes that it came from: the
// kubeconfig, CA, client certificate and key, token.
//
// Promises: files are looked at (one stat each) every few seconds at most, and at once when a
// server has refused us or was refused. What cannot be used (absent, half written, garbage, a key
// of another certificate) is said once in the log, with its file; what was stays, and it is tried
// again at each look. So is a kubeconfig that names another server: what this process knows is of
// the one before.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "kclient/config.h"

namespace vdcu::kclient {

class Credentials {
 public:
  explicit Credentials(Config config);

  // Another object whenever it is another config.
  const std::shared_ptr<const Config>& config() const { return config_; }
  // Looks, unless it did a moment ago.
  void Refresh(base::TimePoint now);
  // Looks at once.
  void OnRefused() { Look(); }

 private:
  void Look();

  std::shared_ptr<const Config> config_;
  base::TimePoint looked_;
  std::string problem_;  // why the files cannot be used, as it was logged; empty: they can
};

}  // namespace vdcu::kclient
