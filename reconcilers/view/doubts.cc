#include "reconcilers/view/doubts.h"

#include <algorithm>
#include <utility>

#include "crds/keys.h"
#include "crds/pod_request.h"

namespace vdcu::reconcilers {

namespace {

// A kubelet writes its Node every ten seconds (nodeStatusUpdateFrequency, and 4 % of it), when
// anything has changed: so after a daemon's death this is known within 15.
constexpr base::Duration kSilentGrace{3'000};
constexpr base::Duration kAfterWord{13'000};
// kube-controller-manager has waited for 40 s or more before it says so; a kubelet says it of
// itself at each start.
constexpr base::Duration kNotReadyGrace{10'000};
constexpr int kMostDoublings = 5;
// A daemon renews its Lease every ten seconds.
constexpr base::Duration kLeaseDuration{15'000};

bool AnyHealthy(const crds::DcuNode& dcu_node) {
  const auto& devices = dcu_node.status.devices;
  return std::any_of(devices.begin(), devices.end(),
                     [](const dcu::Device& device) { return device.healthy; });
}

bool OffersCards(const kclient::Node& node) {
  return std::any_of(crds::kResourceNames.begin(), crds::kResourceNames.end(),
                     [&](const crds::ResourceNames& names) {
                       const auto found = node.allocatable.find(names.count);
                       return found != node.allocatable.end() && found->second > 0;
                     });
}

std::string_view ReasonOf(const std::optional<Doubt>& doubt) {
  return doubt ? doubt->reason : std::string_view();
}

}  // namespace

std::optional<Doubt> WhyDoubted(const kclient::Node* node, const crds::DcuNode& dcu_node,
                                bool missed) {
  if (node == nullptr) return Doubt{crds::kNodeNotReady, "there is no such Node"};
  if (node->not_ready) return Doubt{crds::kNodeNotReady, "the Node is not Ready"};
  const bool kubelet = dcu_node.status.heartbeat == crds::Heartbeat::kKubelet;
  if (kubelet && AnyHealthy(dcu_node) && !OffersCards(*node)) {
    return Doubt{crds::kDaemonSilent,
                 "the kubelet offers none of the cards: vdcu-node is not connected to it"};
  }
  if (dcu_node.status.heartbeat == crds::Heartbeat::kLease) {
    Doubt doubt{crds::kDaemonSilent, "vdcu-node does not renew the Lease of the node"};
    doubt.by_lease = true;
    return doubt;
  }
  if (missed) return Doubt{crds::kDaemonSilent, "vdcu-node did not prepare a slice in time"};
  return {};
}

void Doubts::OnRenewed(std::string_view node, base::TimePoint now) {
  const auto found = rows_.find(base::Symbol(node));
  if (found != rows_.end()) found->second.renewed_at = now;
}

void Doubts::OnWord(std::string_view node, bool answers, base::TimePoint now) {
  Row& row = rows_[base::Symbol(node)];
  row.word_at = now;
  row.missed = false;
  if (answers) row.answered = std::min(row.answered + 1, kMostDoublings);
}

bool Doubts::Judge(std::string_view node, const kclient::Node* shown, const crds::DcuNode& dcu_node,
                   base::TimePoint now) {
  Row& row = rows_[base::Symbol(node)];
  auto doubt = WhyDoubted(shown, dcu_node, row.missed);
  if (ReasonOf(doubt) == ReasonOf(row.doubt)) return false;
  row.answered = 0;
  row.doubt = std::move(doubt);
  if (row.doubt) row.doubt->since = now;
  return true;
}

const Doubt* Doubts::Find(std::string_view node) const {
  const auto found = rows_.find(base::Symbol(node));
  return found != rows_.end() && found->second.doubt ? &*found->second.doubt : nullptr;
}

base::TimePoint Doubts::DueAt(std::string_view node) const {
  const Row& row = rows_.at(base::Symbol(node));
  if (row.doubt->by_lease) return std::max(row.renewed_at, row.word_at) + kLeaseDuration;
  const base::TimePoint after_word = row.word_at + kAfterWord * (1 << row.answered);
  if (row.doubt->reason == crds::kDaemonSilent) {
    return std::max(row.doubt->since + kSilentGrace, after_word);
  }
  // That a node is not Ready has nothing to do with what its daemon has written, until it answers.
  const base::TimePoint due = row.doubt->since + kNotReadyGrace;
  return row.answered == 0 ? due : std::max(due, after_word);
}

}  // namespace vdcu::reconcilers
