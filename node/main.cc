// vdcu-node: see daemon.h.

#include <csignal>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/http/server.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/program/endpoints.h"
#include "base/random.h"
#include "base/uv_loop.h"
#include "crds/keys.h"
#include "kclient/api.h"
#include "kclient/config.h"
#include "kclient/curl_transport.h"
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

int Fail(const std::string& what, const base::Error& error) {
  base::Log(base::Level::kError, what, {{"error", error.message}});
  return base::kExitFailure;
}

base::Result<std::unique_ptr<base::HttpServer>> Serve(base::UvLoop& loop, const Options& options,
                                                      const kclient::CurlTransport& transport,
                                                      const Daemon& daemon,
                                                      const Metrics& metrics) {
  if (options.common.listen.empty()) return std::unique_ptr<base::HttpServer>();
  auto endpoints = base::MakeEndpoints(
      loop.clock(), {.not_ready =
                         [&transport, &daemon] {
                           auto reasons = daemon.NotReady();
                           const auto refused = transport.NotReady();
                           reasons.insert(reasons.end(), refused.begin(), refused.end());
                           return reasons;
                         },
                     .metrics = metrics.registry(),
                     .before_metrics = [&daemon] { daemon.UpdateMetrics(); }});
  auto server = base::HttpServer::Listen(loop, options.common.listen, std::move(endpoints));
  if (server) {
    base::Log(base::Level::kInfo, "serving", {{"port", std::to_string((*server)->port())}});
  }
  return server;
}

KubeletOptions ToKubeletOptions(const Options& options) {
  const bool moved = !options.kubelet_root_dir.empty();
  const PluginOptions plugin{.folder = options.kubelet_dir + "/device-plugins",
                             .dtk_dir = options.dtk_dir,
                             .resource_names = options.resource_names};
  return {.plugin_folder = plugin.folder,
          .root_dir = moved ? options.kubelet_root_dir : options.kubelet_dir,
          .cgroup_root = options.cgroup_root,
          .resource_names = options.resource_names,
          .fronts = {[plugin](const Lent& lent) -> std::unique_ptr<Frontend> {
            return std::make_unique<PluginFront>(lent, plugin);
          }}};
}

DaemonOptions ToDaemonOptions(const Options& options, const kclient::Config& config) {
  DaemonOptions daemon{.node_name = options.node_name,
                       .lease_namespace = crds::LeaseNamespace(config.namespace_name),
                       .take_over = options.take_over};
  if (options.advertise) daemon.advertise = options.resource_names;
  if (!options.kubelet_dir.empty()) daemon.kubelet = ToKubeletOptions(options);
  return daemon;
}

int Run(const Options& options) {
  base::UvLoop loop;
  const auto config = kclient::LoadConfig(options.common.kubeconfig);
  if (!config) return Fail("cannot reach an API server", config.error());
  for (const std::string& warning : kclient::WarningsOf(*config)) {
    base::Log(base::Level::kWarning, "credentials are not safe", {{"why", warning}});
  }
  kclient::CurlTransport transport(loop, *config, "vdcu-node");
  kclient::Client client(transport);
  const base::Root host(options.host_root);
  const auto lock = host.Lock(kLockedFolder, kLockTime);
  if (!lock && lock.error().code == base::ErrorCode::kAlreadyExists) {
    return Fail("another vdcu-node runs on this host: want one", lock.error());
  }
  // The disk may be full: slices then say so, and it is tried again.
  if (!lock) Fail("cannot keep a second vdcu-node from this host", lock.error());
  Metrics metrics;
  int code = 0;
  DaemonOptions daemon_options = ToDaemonOptions(options, *config);
  daemon_options.on_fatal = [&](const base::Error& error) {
    code = Fail("cannot start", error);
    loop.Stop();
  };
  Daemon daemon(loop, client, host, metrics, std::move(daemon_options), base::SystemRandom());
  const auto server = Serve(loop, options, transport, daemon, metrics);
  if (!server) return Fail("cannot listen", server.error());
  if (const base::Status started = daemon.Start(); !started) {
    return Fail("cannot start", started.error());
  }
  const auto stop = [&] { daemon.Stop([&loop] { loop.Stop(); }); };
  const auto on_term = loop.OnSignal(SIGTERM, stop);
  const auto on_int = loop.OnSignal(SIGINT, stop);
  loop.Run();
  return code;
}

int Main(int argc, char** argv) {
  Options options;
  if (const auto code = ParseOptions(argc, argv, options)) return *code;
  base::SetUpHeap();
  base::SetUpLogging(options.common.log_level, options.common.log_format);
  return Run(options);
}

}  // namespace
}  // namespace vdcu::node

int main(int argc, char** argv) { return vdcu::node::Main(argc, argv); }
