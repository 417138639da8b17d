#include "kclient/credentials.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace vdcu::kclient {

namespace {

constexpr std::chrono::seconds kLookEvery{3};

bool HaveChanged(const SourceFiles& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const auto& file) { return base::StampOf(file.first) != file.second; });
}

base::Result<Config> ReadAgain(const Config& old) {
  ASSIGN_OR_RETURN(Config config, old.kubeconfigs.empty()
                                      ? LoadInCluster(old.service_account)
                                      : LoadKubeconfig(old.kubeconfigs, old.context));
  if (config.server == old.server) return config;
  return base::Invalid(config.cluster_file + ": names another server, \"" + config.server +
                       "\" instead of \"" + old.server + "\": start again to go there");
}

std::string Difference(const Config& a, const Config& b) {
  std::string names;
  const auto add = [&names](bool differs, std::string_view name) {
    if (differs) (names += names.empty() ? "" : ", ") += name;
  };
  add(a.ca_data != b.ca_data, "certificate authority");
  add(a.cert_data != b.cert_data || a.key_data != b.key_data, "client certificate");
  add(a.token != b.token, "token");
  add(!(a.impersonate == b.impersonate), "impersonation");
  add(a.proxy != b.proxy, "proxy");
  return names;
}

}  // namespace

Credentials::Credentials(Config config)
    : config_(std::make_shared<const Config>(std::move(config))) {}

void Credentials::Refresh(base::TimePoint now) {
  if (now - looked_ < kLookEvery) return;
  looked_ = now;
  Look();
}

void Credentials::Look() {
  if (!HaveChanged(config_->files)) return;
  auto config = ReadAgain(*config_);
  if (!config) {
    if (std::exchange(problem_, config.error().message) == problem_) return;
    return base::Log(base::Level::kWarning, "credentials cannot be read again, the old ones stay",
                     {{"error", problem_}});
  }
  problem_.clear();
  if (const std::string changed = Difference(*config_, *config); !changed.empty()) {
    base::Log(base::Level::kInfo, "credentials were read again", {{"changed", changed}});
  }
  config_ = std::make_shared<const Config>(std::move(*config));
}

}  // namespace vdcu::kclient
