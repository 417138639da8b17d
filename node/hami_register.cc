#include "node/hami_register.h"

#include <algorithm>
#include <utility>

namespace vdcu::node {

namespace {

constexpr std::string_view kAsks = "Requesting";

std::string_view ValueOf(const kclient::Labels& annotations, const std::string& key) {
  const auto found = annotations.find(key);
  return found == annotations.end() ? std::string_view() : found->second;
}

// "Reported 2026-01-28 11:25:27 +0000 UTC", as Go prints a time.
std::string Reported(base::WallTime now) {
  std::string time = base::FormatTime(now);
  std::replace(time.begin(), time.end(), 'T', ' ');
  return "Reported " + time.substr(0, time.find('Z')) + " +0000 UTC";
}

kclient::Event Warning(const AnnotatedNode& node, const std::string& key) {
  return {{"v1", "Node", "", node.meta.name, node.meta.uid},
          kclient::EventType::kWarning,
          "HamiSchedulerAsks",
          "Registering",
          "a HAMi scheduler takes this node's cards as its own (it asks in annotation " + key +
              "): take hygon out of its device-config, as it does not place what fits here"};
}

}  // namespace

base::Result<AnnotatedNode> AnnotatedNode::FromJson(kclient::JsonView object) {
  AnnotatedNode node;
  ASSIGN_OR_RETURN(
      node.meta,
      kclient::ParseMeta(
          object, {.labels = false, .annotation_prefixes = {std::string(crds::kHamiPrefix)}}));
  return node;
}

std::string HamiRequest(crds::Hami family, const kclient::Labels& annotations) {
  const std::string_view said = ValueOf(annotations, crds::HamiHandshakeKey(family));
  return std::string(said.starts_with(kAsks) ? said : std::string_view());
}

nlohmann::json HamiChanges(crds::Hami family, const kclient::Labels& annotations,
                           const std::vector<dcu::Device>& cards, base::WallTime now) {
  nlohmann::json changes = nlohmann::json::object();
  const crds::Hami other = family == crds::Hami::kDcu ? crds::Hami::kHcu : crds::Hami::kDcu;
  if (crds::IsOurHamiRegister(ValueOf(annotations, crds::HamiRegisterKey(other)))) {
    changes[crds::HamiRegisterKey(other)] = nullptr;
    changes[crds::HamiHandshakeKey(other)] = nullptr;
  }
  const std::string key = crds::HamiRegisterKey(family);
  const std::string wanted = crds::HamiRegister(family, cards);
  if (wanted != ValueOf(annotations, key)) {
    changes[key] = wanted.empty() ? nlohmann::json() : nlohmann::json(wanted);
  }
  const std::string handshake = crds::HamiHandshakeKey(family);
  const bool asked = !HamiRequest(family, annotations).empty();
  if (asked || ValueOf(annotations, handshake).empty()) changes[handshake] = Reported(now);
  return changes;
}

HamiRegister::HamiRegister(Sources sources, crds::Hami family, base::Random random)
    : sources_(sources),
      family_(family),
      informer_(sources.client, sources.loop,
                {.resource = kclient::kNodes,
                 .ns = "",
                 .field_selector = "metadata.name=" + sources.state.node,
                 .label_selector = ""},
                std::move(random)) {
  informer_.AddHandler([this](const auto&, const auto&) { sources_.state.changes.NoteNode(); });
}

kclient::WorkPlan HamiRegister::Reconcile() {
  const auto node = informer_.store().Get(sources_.state.node);
  if (!node) return {};
  const kclient::Labels& annotations = node->meta.annotations;
  nlohmann::json changes = HamiChanges(family_, annotations, sources_.state.holdings.devices(),
                                       sources_.loop.clock().Wall());
  if (changes.empty()) return {};
  // No resourceVersion: heartbeats change the Node all the time, and these names are ours alone.
  kclient::WorkPlan plan = kclient::PlanOf(kclient::MakePatch(
      kclient::kNodes, "", sources_.state.node, "",
      {{"metadata", {{"annotations", std::move(changes)}}}}, node->meta.uid, ""));
  const std::string request = HamiRequest(family_, annotations);
  if (request.empty() || request == request_) return plan;
  request_ = request;
  sources_.metrics.OnHamiRequest();
  plan.events.push_back(Warning(*node, crds::HamiHandshakeKey(family_)));
  return plan;
}

}  // namespace vdcu::node
