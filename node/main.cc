// vdcu-node: see daemon.h.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/program/endpoints.h"
#include "base/program/program.h"
#include "base/random.h"
#include "base/uv_loop.h"
#include "crds/guarantees.h"
#include "crds/keys.h"
#include "kclient/api.h"
#include "kclient/config.h"
#include "kclient/counted_transport.h"
#include "kclient/curl_transport.h"
#include "kclient/server_look.h"
#include "node/daemon.h"
#include "node/metrics.h"
#include "node/options.h"
#include "node/plugin/plugin_front.h"

namespace vdcu::node {
namespace {

// Two would take the kubelet's calls from each other.
constexpr char kLockedFolder[] = "/var/lib/vdcu";
// One that was told to stop may need its time.
constexpr base::Duration kLockTime{3'000};

base::Result<std::optional<base::FolderLock>> LockHost(const base::Root& host) {
  auto lock = host.Lock(kLockedFolder, kLockTime);
  if (lock) return std::optional(std::move(*lock));
  if (lock.error().code == base::ErrorCode::kAlreadyExists) {
    return base::WithContext(lock.error(), "another vdcu-node runs on this host: want one");
  }
  // The disk may be full: slices then say so, and it is tried again.
  base::Log(base::Level::kError, "cannot keep a second vdcu-node from this host",
            {{"error", lock.error().message}});
  return std::optional<base::FolderLock>();
}

std::vector<base::HttpRoute> Endpoints(const base::Clock& clock,
                                       const kclient::CurlTransport& transport,
                                       const Daemon& daemon, const Metrics& metrics) {
  const auto not_ready = [&transport, &daemon] {
    auto reasons = daemon.NotReady();
    const auto refused = transport.NotReady();
    reasons.insert(reasons.end(), refused.begin(), refused.end());
    return reasons;
  };
  return base::MakeEndpoints(clock, {.not_ready = not_ready,
                                     .metrics = metrics.registry(),
                                     .before_metrics = [&daemon] { daemon.UpdateMetrics(); },
                                     .families = [&daemon] { return daemon.CardMetrics(); }});
}

base::Status JudgeServer(const kclient::ServerFacts& facts, Metrics& metrics) {
  return crds::JudgeServer(facts, [&metrics](std::string_view guarantee, bool missing) {
    metrics.api().SetMissing(guarantee, missing);
  });
}

KubeletOptions ToKubeletOptions(const Options& options, base::UvLoop& loop) {
  const bool moved = !options.kubelet_root_dir.empty();
  const PluginOptions plugin{.folder = options.kubelet_dir + "/device-plugins",
                             .dtk_dir = options.dtk_dir,
                             .resource_names = options.resource_names};
  return {.plugin_folder = plugin.folder,
          .root_dir = moved ? options.kubelet_root_dir : options.kubelet_dir,
          .cgroup_root = options.cgroup_root,
          .resource_names = options.resource_names,
          .fronts = {[plugin, &loop](const Lent& lent) -> std::unique_ptr<Frontend> {
            return std::make_unique<PluginFront>(loop, lent, plugin);
          }}};
}

Advertised AdvertisedBy(const Options& options) {
  Advertised advertised{.memory_unit = options.memory_unit};
  if (options.advertise) advertised.counts = options.resource_names;
  for (const crds::ResourceNames& names : crds::kResourceNames) {
    const bool named = std::find(options.resource_names.begin(), options.resource_names.end(),
                                 names.count) != options.resource_names.end();
    if (options.advertise_parts && named) advertised.parts.push_back(names);
  }
  return advertised;
}

DaemonOptions ToDaemonOptions(const Options& options, const kclient::Config& config,
                              base::UvLoop& loop) {
  DaemonOptions daemon{.node_name = options.node_name,
                       .lease_namespace = crds::LeaseNamespace(config.namespace_name),
                       .take_over = options.take_over,
                       .pod_metrics = options.pod_metrics,
                       .metric_names = options.metric_names,
                       .hami = options.hami};
  daemon.advertise = AdvertisedBy(options);
  if (!options.kubelet_dir.empty()) daemon.kubelet = ToKubeletOptions(options, loop);
  return daemon;
}

base::Result<int> Run(const Options& options) {
  base::UvLoop loop;
  ASSIGN_OR_RETURN(const kclient::Config config, kclient::LoadConfigAndWarn(options.common));
  Metrics metrics;
  kclient::CurlTransport transport(loop, config, "vdcu-node");
  kclient::CountedTransport counted(transport, [&metrics](std::string_view verb, int code) {
    metrics.api().CountRequest(verb, code);
  });
  kclient::Client client(counted);
  const base::Root host(options.host_root);
  ASSIGN_OR_RETURN(const auto lock, LockHost(host));
  int code = 0;
  DaemonOptions daemon_options = ToDaemonOptions(options, config, loop);
  daemon_options.on_fatal = [&](const base::Error& error) {
    code = base::CannotStart(error);
    loop.Stop();
  };
  const auto on_fatal = daemon_options.on_fatal;
  Daemon daemon(loop, client, host, metrics, std::move(daemon_options), base::SystemRandom());
  ASSIGN_OR_RETURN(
      const auto server,
      base::Serve(loop, options.common, Endpoints(loop.clock(), transport, daemon, metrics)));
  kclient::ServerLook look(
      loop, client, base::SystemRandom(),
      [&](const kclient::ServerFacts& facts) {
        const auto judged = JudgeServer(facts, metrics);
        if (!judged) on_fatal(judged.error());
      },
      crds::kFenceWebhook);
  look.Start();
  RETURN_IF_ERROR(daemon.Start());
  base::RunLoop(loop, [&] { daemon.Stop([&loop] { loop.Stop(); }); });
  return code;
}

}  // namespace
}  // namespace vdcu::node

int main(int argc, char** argv) {
  return vdcu::base::Main(argc, argv, &vdcu::node::ParseOptions, &vdcu::node::Run);
}
