#include "node/plugin/plugin_front.h"

#include <algorithm>
#include <set>
#include <utility>

#include "node/plugin/tokens.h"

namespace vdcu::node {

namespace {

bool IsHealthy(const dcu::Device& device) { return device.healthy; }

PodSearch::Sources SearchIn(const Lent& lent) {
  return {lent.loop, lent.client, lent.pod_resources, lent.state.pods};
}

std::function<bool(const std::string&)> HasProcesses(const Lent& lent) {
  return [&cgroups = lent.cgroups](const std::string& uid) { return cgroups.HasProcesses(uid); };
}

}  // namespace

PluginFront::PluginFront(base::UvLoop& loop, const Lent& lent, const PluginOptions& options)
    : holdings_(lent.state.holdings),
      pod_resources_(lent.pod_resources),
      cgroups_(lent.cgroups),
      checkpoint_(options.folder),
      allocatable_(
          lent.loop, lent.pod_resources.socket(), [this] { return checkpoint_.Resources(); },
          [&changes = lent.state.changes] { changes.NoteServing(); }),
      tokens_({.pods = SearchIn(lent),
               .slices = lent.state.holdings.slices(),
               .changes = lent.state.changes,
               .resources = {options.resource_names.begin(), options.resource_names.end()},
               .has_processes = HasProcesses(lent),
               .tell = lent.tell}),
      admission_({.node = lent.state.node,
                  .dtk_dir = options.dtk_dir,
                  .search = SearchIn(lent),
                  .host = lent.host,
                  .holdings = lent.state.holdings,
                  .tokens = tokens_,
                  .metrics = lent.metrics,
                  .stages = lent.stages,
                  .has_processes = HasProcesses(lent),
                  .tell = lent.tell}) {
  for (const std::string& resource : options.resource_names) {
    plugins_.push_back(std::make_unique<kubelet::Plugin>(
        loop,
        kubelet::Plugin::Options{.folder = options.folder,
                                 .resource = resource,
                                 .may_register = [this] { return MayRegister(); },
                                 .on_registering = [this, resource] { checkpoint_.Note(resource); },
                                 .on_registered = [this] { OnRegistered(); },
                                 .on_watched = [this] { OnWatched(); }},
        admission_));
  }
}

base::Status PluginFront::MayRegister() const {
  RETURN_IF_ERROR(cgroups_.Check());
  return pod_resources_.Check();
}

void PluginFront::Begin() {
  begun_ = true;
  Check();
}

void PluginFront::Check() {
  if (!begun_) return;
  SetDevices();
  for (const auto& plugin : plugins_) plugin->Check();
  if (std::all_of(plugins_.begin(), plugins_.end(),
                  [](const auto& plugin) { return plugin->registered(); })) {
    tokens_.RefreshRest();
  }
}

// Which ids are free matters only where some are to be unhealthy.
void PluginFront::Update(const Noted& noted) {
  if (!begun_) return;
  const auto& devices = holdings_.devices();
  const bool healthy = std::all_of(devices.begin(), devices.end(), IsHealthy);
  if (!noted.released.empty() && !healthy) tokens_.Refresh();
  SetDevices();
  admission_.Look();
}

void PluginFront::SetDevices() {
  for (const auto& plugin : plugins_) {
    plugin->SetDevices(
        Tokens(holdings_.devices(), holdings_.slices(), tokens_.InUse(plugin->resource())));
  }
}

void PluginFront::OnRegistered() {
  admission_.ForgetAnswers();
  tokens_.Refresh();
}

void PluginFront::OnWatched() {
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

std::optional<Refusal> PluginFront::DeviceLost(const crds::PodRef& container) const {
  if (!tokens_.IsLost(container)) return std::nullopt;
  return DeviceLostOf(container.container);
}

std::vector<std::string> PluginFront::NotReady() const {
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
