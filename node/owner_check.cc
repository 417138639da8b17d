#include "node/owner_check.h"

#include <set>
#include <utility>

#include "base/log.h"
#include "crds/pod_request.h"
#include "node/kubelet/plugin.h"

namespace vdcu::node {

namespace {
constexpr base::Duration kRetryDelay{5'000};
}  // namespace

OwnerCheck::OwnerCheck(const Sources& sources, Options options)
    : sources_(sources),
      options_(std::move(options)),
      retry_timer_(sources.loop.MakeTimer([this] { Read(); })) {}

void OwnerCheck::Run(std::function<void(const base::Status&)> done) {
  done_ = std::move(done);
  Read();
}

void OwnerCheck::Read() {
  call_ = sources_.client.Get(kclient::kNodes, "", options_.node,
                              [this](const auto& node) { OnNode(node); });
}

void OwnerCheck::OnNode(const base::Result<kclient::JsonView>& node) {
  if (!node && node.error().code != base::ErrorCode::kNotFound) {
    base::Log(base::Level::kWarning, "cannot read this Node, will try again",
              {{"error", node.error().message}});
    return retry_timer_->Start(kRetryDelay);
  }
  const auto ended = std::move(call_);  // it is what calls us
  const auto done = std::move(done_);
  done(Judge(node));
}

base::Status OwnerCheck::Judge(const base::Result<kclient::JsonView>& node) const {
  std::vector<Trace> traces = FindOnHost();
  if (node) {
    const std::vector<Trace> on_node = FindOnNode(*node);
    traces.insert(traces.end(), on_node.begin(), on_node.end());
  }
  RETURN_IF_ERROR(MayOwn(traces, options_.take_over));
  for (const Trace& trace : traces) {
    if (trace.kind == Trace::Kind::kAnnotation) continue;  // not ours to change
    base::Log(base::Level::kWarning, "removes what another plugin left behind",
              {{"name", trace.name}});
    RETURN_IF_ERROR(RemoveTrace(sources_.host, trace));
  }
  return base::Ok();
}

std::vector<Trace> OwnerCheck::FindOnHost() const {
  std::set<std::string> own;
  for (const std::string& resource : options_.resource_names) {
    own.insert(kubelet::Plugin::EndpointOf(resource));
  }
  std::set<std::string> former;
  for (const crds::ResourceNames& names : crds::kResourceNames) {
    former.insert(kubelet::Plugin::EndpointOf(names.count));
  }
  // What has no cgroups where they cannot be found may run all the same.
  const bool cgroups_found = sources_.cgroups.Check().has_value();
  return FindTraces({.host = sources_.host,
                     .plugin_folder = options_.plugin_folder,
                     .own = own,
                     .former = former,
                     .slices = sources_.slices,
                     .has_processes = [this, cgroups_found](const std::string& uid) {
                       return !cgroups_found || sources_.cgroups.HasProcesses(uid);
                     }});
}

std::vector<Trace> OwnerCheck::FindOnNode(kclient::JsonView node) const {
  const auto meta =
      kclient::ParseMeta(node, {.labels = false, .annotation_prefixes = {"hami.io/"}});
  if (!meta) return {};
  return FindTraces(meta->annotations, sources_.loop.clock().Wall());
}

}  // namespace vdcu::node
