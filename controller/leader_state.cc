#include "controller/leader_state.h"

#include <utility>

#include "base/log.h"
#include "crds/decode.h"
#include "crds/resources.h"

namespace vdcu::controller {

namespace {

kclient::ReflectorOptions All(const kclient::Resource& resource) {
  kclient::ReflectorOptions options;
  options.resource = resource;
  return options;
}

}  // namespace

LeaderState::LeaderState(base::Loop& loop, kclient::Client& client, kclient::EventRecorder& events,
                         Metrics& metrics, reconcilers::Settings settings,
                         std::function<bool()> may_write, base::Random random)
    : loop_(loop),
      metrics_(metrics),
      random_(std::move(random)),
      cluster_(std::move(settings)),
      runner_({loop, client, cluster_, events, metrics, std::move(may_write),
               [this] {
                 extender_.Look();
                 gate_.Look();
               }},
              SharedRandom()),
      extender_({loop, cluster_, metrics, [this] { runner_.OnChange(); }}),
      gate_({loop, cluster_, metrics, [this] { runner_.OnChange(); }}),
      shown_pods_(cluster_.shown(), loop.clock()),
      shown_nodes_(cluster_.shown(), loop.clock()),
      shown_claims_(cluster_.shown(), loop.clock()),
      shown_volumes_(cluster_.shown(), loop.clock()),
      shown_namespaces_(cluster_.shown(), loop.clock()),
      shown_partitions_(cluster_.shown(), loop.clock()),
      shown_dcu_nodes_(cluster_.shown(), loop.clock()),
      pods_(client, loop, All(kclient::kPods), SharedRandom(), shown_pods_,
            &crds::Decode<kclient::Pod>),
      nodes_(client, loop, All(kclient::kNodes), SharedRandom(), shown_nodes_),
      claims_(client, loop, All(kclient::kPersistentVolumeClaims), SharedRandom(), shown_claims_),
      volumes_(client, loop, All(kclient::kPersistentVolumes), SharedRandom(), shown_volumes_),
      namespaces_(client, loop, All(kclient::kNamespaces), SharedRandom(), shown_namespaces_,
                  &crds::Decode<kclient::Namespace>),
      quotas_(client, loop, All(kclient::kResourceQuotas), SharedRandom()),
      partitions_(client, loop, All(crds::kVdcuPartitions), SharedRandom(), shown_partitions_),
      dcu_nodes_(client, loop, All(crds::kDcuNodes), SharedRandom(), shown_dcu_nodes_),
      leases_(client, loop,
              {.resource = kclient::kLeases,
               .ns = cluster_.view().settings().lease_namespace,
               .field_selector = "",
               .label_selector = ""},
              SharedRandom()) {
  quotas_.AddHandler([this](const auto& before, const auto& after) {
    cluster_.shown().Set(before, after, loop_.clock().Now());
  });
  Watch(pods_);
  Watch(nodes_);
  Watch(claims_);
  Watch(volumes_);
  Watch(namespaces_);
  Watch(quotas_);
  Watch(partitions_);
  pods_.OnEachListBegin([this] { cluster_.OnPodsListBegin(); });
  pods_.OnEachList([this](const std::string& /*version*/) {
    cluster_.OnPodsListed();
    runner_.OnChange();
  });
  partitions_.OnEachListBegin([this] { cluster_.OnPartitionsListBegin(); });
  partitions_.OnEachList([this](const std::string& version) {
    cluster_.OnPartitionsListed(version);
    runner_.OnChange();
  });
  Watch(dcu_nodes_);
  leases_.AddHandler([this](const auto&, const auto& lease) {
    if (lease) cluster_.OnRenewed(lease->meta.name, loop_.clock().Now());
  });
  leases_.OnSynced([this] { OnSynced(); });
}

base::Result<RenewedLease> RenewedLease::FromJson(kclient::JsonView object) {
  RenewedLease lease;
  ASSIGN_OR_RETURN(lease.meta,
                   kclient::ParseMeta(object, {.labels = false, .annotation_prefixes = {}}));
  return lease;
}

template <class T>
void LeaderState::Watch(kclient::Informer<T>& informer) {
  informer.AddHandler([this](const auto&, const auto&) { runner_.OnChange(); });
  informer.OnSynced([this] { OnSynced(); });
}

void LeaderState::Start() {
  pods_.Start();
  nodes_.Start();
  claims_.Start();
  volumes_.Start();
  namespaces_.Start();
  quotas_.Start();
  partitions_.Start();
  dcu_nodes_.Start();
  leases_.Start();
}

template <class Visit>
void LeaderState::ForEachInformer(const Visit& visit) const {
  visit(pods_);
  visit(nodes_);
  visit(claims_);
  visit(volumes_);
  visit(namespaces_);
  visit(quotas_);
  visit(partitions_);
  visit(dcu_nodes_);
  visit(leases_);
}

std::vector<std::string> LeaderState::NotReady() const {
  std::vector<std::string> reasons;
  ForEachInformer([&reasons](const auto& informer) {
    if (std::string reason = informer.NotReady(); !reason.empty()) {
      reasons.push_back(std::move(reason));
    }
  });
  return reasons;
}

void LeaderState::UpdateMetrics() const {
  runner_.UpdateMetrics();
  ForEachInformer([this](const auto& informer) {
    const auto& reflector = informer.reflector();
    metrics_.api().SetWatch(informer.plural(), reflector.FailingFor(), reflector.restarts());
  });
}

void LeaderState::OnSynced() {
  bool all = true;
  ForEachInformer([&all](const auto& informer) { all = all && informer.synced(); });
  if (!all) return;
  base::Log(base::Level::kInfo, "all kinds are listed: placing begins",
            {{"pods", std::to_string(cluster_.view().pod_count())},
             {"nodes", std::to_string(cluster_.view().ledger().node_count())},
             {"partitions", std::to_string(cluster_.view().partition_count())}});
  runner_.Start();
  extender_.Start();
  gate_.Start();
  on_started_();
}

}  // namespace vdcu::controller
