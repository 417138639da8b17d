#include "reconcilers/view/entries.h"

#include <algorithm>

namespace vdcu::reconcilers {

void Avoid(Avoided& avoided, const std::string& node, const Settings& settings,
           base::TimePoint now) {
  Avoidance& avoidance = avoided[node];
  if (now < avoidance.until) return;
  avoidance.length = std::clamp(2 * avoidance.length, settings.avoid_at_first, settings.avoid);
  avoidance.until = now + avoidance.length;
}

std::optional<base::Duration> NextRetry(const Avoided& avoided, base::TimePoint now) {
  std::optional<base::Duration> next;
  for (const auto& [node, avoidance] : avoided) {
    const base::Duration left = avoidance.until - now;
    if (left > base::Duration(0)) next = std::min(next.value_or(left), left);
  }
  return next;
}

std::optional<PartitionEntry::Packed> PartitionEntry::Pack() const {
  const bool at_rest = shown && !assumed && !behind && sent == Sent::kNothing && avoided.empty();
  if (!at_rest) return {};
  return Packed{PackedPartition(*shown), assigned_at};
}

PartitionEntry PartitionEntry::Unpack(const Packed& packed, std::string_view key) {
  PartitionEntry entry;
  entry.shown = std::make_shared<const crds::VdcuPartition>(packed.shown.Unpack(key));
  entry.assigned_at = packed.assigned_at;
  return entry;
}

const std::string& ChargedAtRest(const kclient::Pod& pod) {
  static const std::string kNowhere;
  return pod.terminal() ? kNowhere : pod.node_name;
}

std::string PodEntry::reserved() const {
  const std::string name(pod->bound()           ? crds::BoundPartition(pod->meta)
                         : assumed_node.empty() ? crds::NamedPartition(pod->meta)
                                                : assumed_partition);
  return name.empty() ? "" : pod->meta.ns + "/" + name;
}

std::optional<PodEntry::Packed> PodEntry::Pack() const {
  const bool at_rest = pod && !pod->scheduling && !request && assumed_node.empty() &&
                       sent == Sent::kNothing && reported.empty() && !sought && !misnames &&
                       avoided.empty() && charged == ChargedAtRest(*pod);
  if (!at_rest) return {};
  return PackedPod(*pod);
}

PodEntry PodEntry::Unpack(const Packed& packed, std::string_view key) {
  PodEntry entry;
  entry.pod = std::make_shared<const kclient::Pod>(packed.Unpack(key));
  entry.charged = base::Symbol(ChargedAtRest(*entry.pod));
  return entry;
}

}  // namespace vdcu::reconcilers
