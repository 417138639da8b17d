#include "node/device_plugins.h"

#include <algorithm>
#include <utility>

#include "crds/pod_request.h"
#include "node/tokens.h"

namespace vdcu::node {

namespace {

constexpr char kPodResourcesSocket[] = "/pod-resources/kubelet.sock";

bool IsHealthy(const dcu::Device& device) { return device.healthy; }

}  // namespace

DevicePlugins::DevicePlugins(const Sources& sources, const KubeletOptions& options,
                             Holdings& holdings)
    : host_(sources.host),
      folder_(options.dir + "/device-plugins"),
      holdings_(holdings),
      pod_resources_(sources.loop, options.root_dir + kPodResourcesSocket),
      allocatable_(sources.loop, options.root_dir + kPodResourcesSocket, sources.on_admits),
      cgroups_(sources.loop, sources.host, options.cgroup_root, sources.on_pod_ended),
      admission_({.node = options.node,
                  .dtk_dir = options.dtk_dir,
                  .loop = sources.loop,
                  .client = sources.client,
                  .pod_resources = pod_resources_,
                  .host = sources.host,
                  .pods = sources.pods,
                  .metrics = sources.metrics,
                  .has_processes = [this](const auto& uid) { return cgroups_.HasProcesses(uid); },
                  .tell = sources.tell,
                  .on_tokens = [this] { Update(); },
                  .on_allocated = [&stages = sources.stages](
                                      const auto& uid) { stages.Reach(uid, Stage::kAllocated); },
                  .on_started = [&stages = sources.stages](
                                    const auto& uid) { stages.Reach(uid, Stage::kStarted); },
                  .on_lost = sources.on_lost,
                  .resources = {options.resource_names.begin(), options.resource_names.end()}},
                 holdings) {
  for (const std::string& resource : options.resource_names) {
    plugins_.push_back(std::make_unique<kubelet::Plugin>(
        sources.loop,
        kubelet::Plugin::Options{.folder = folder_,
                                 .resource = resource,
                                 .may_register = [this] { return MayRegister(); },
                                 .on_registered =
                                     [this] {
                                       admission_.ForgetAnswers();
                                       admission_.LearnTokens();
                                     },
                                 .on_watched = [this] { OnWatched(); }},
        admission_));
  }
}

std::vector<Trace> DevicePlugins::FindTraces() {
  std::set<std::string> own;
  for (const auto& plugin : plugins_) own.insert(plugin->Endpoint());
  std::set<std::string> former;
  for (const crds::ResourceFamily& family : crds::kResourceFamilies) {
    former.insert(kubelet::Plugin::EndpointOf(family.count));
  }
  const bool cgroups_found = cgroups_.Check().has_value();
  return node::FindTraces({.host = host_,
                           .plugin_folder = folder_,
                           .own = own,
                           .former = former,
                           .slices = holdings_.slices(),
                           .has_processes = [this, cgroups_found](const std::string& uid) {
                             return !cgroups_found || cgroups_.HasProcesses(uid);
                           }});
}

base::Status DevicePlugins::MayRegister() const {
  RETURN_IF_ERROR(cgroups_.Check());
  return pod_resources_.Check();
}

void DevicePlugins::Begin() {
  begun_ = true;
  Check();
}

void DevicePlugins::Check() {
  if (!begun_) return;
  Update();
  for (const auto& plugin : plugins_) plugin->Check();
  if (std::all_of(plugins_.begin(), plugins_.end(),
                  [](const auto& plugin) { return plugin->registered(); })) {
    admission_.LearnRest();
  }
}

void DevicePlugins::Update() {
  if (!begun_) return;
  for (const auto& plugin : plugins_) {
    plugin->SetDevices(Tokens(holdings_.devices(), holdings_.slices(),
                              admission_.TokensInUse(plugin->resource())));
  }
}

void DevicePlugins::OnWatched() {
  if (!std::all_of(plugins_.begin(), plugins_.end(),
                   [](const auto& plugin) { return plugin->watched(); })) {
    admission_.ForgetAnswers();
    return allocatable_.Forget();
  }
  std::set<std::string> resources;
  for (const auto& plugin : plugins_) resources.insert(plugin->resource());
  const auto& devices = holdings_.devices();
  const bool any = std::any_of(devices.begin(), devices.end(), IsHealthy);
  allocatable_.Ask(any ? resources : std::set<std::string>());
}

// Which ids are free matters only where some are to be unhealthy.
void DevicePlugins::OnReleased() {
  const auto& devices = holdings_.devices();
  const bool sick = !std::all_of(devices.begin(), devices.end(), IsHealthy);
  if (begun_ && sick) admission_.LearnTokens();
}

std::vector<std::string> DevicePlugins::NotReady() const {
  std::vector<std::string> reasons;
  for (const auto& plugin : plugins_) {
    if (plugin->registered()) continue;
    reasons.push_back(plugin->resource() +
                      " is not registered with the kubelet: " + plugin->problem());
  }
  if (reasons.empty() && !Admits()) reasons.push_back(allocatable_.problem());
  return reasons;
}

}  // namespace vdcu::node
