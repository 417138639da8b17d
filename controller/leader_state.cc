#include "controller/leader_state.h"

#include <utility>

#include "base/log.h"
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
      runner_({loop, client, cluster_, events, metrics, std::move(may_write)}, SharedRandom()),
      pod_cache_(
          {[this](std::string_view key) { return cluster_.ShownPod(key); },
           [this](const auto& old_pod, const auto& new_pod) { cluster_.OnPod(old_pod, new_pod); },
           [this](const auto& visit) { cluster_.pods().ForEachKey(visit); }}),
      partition_cache_({[this](std::string_view key) { return cluster_.ShownPartition(key); },
                        [this](const auto& old_object, const auto& new_object) {
                          cluster_.OnPartition(old_object, new_object, loop_.clock().Now());
                        },
                        [this](const auto& visit) { cluster_.partitions().ForEachKey(visit); }}),
      node_cache_({[this](std::string_view name) { return cluster_.ShownNode(name); },
                   [this](const auto& old_node, const auto& new_node) {
                     cluster_.OnNode(old_node, new_node, loop_.clock().Now());
                   },
                   [this](const auto& visit) { cluster_.ledger().ForEachNode(visit); }}),
      dcu_node_cache_({[this](std::string_view name) { return cluster_.ShownDcuNode(name); },
                       [this](const auto& old_node, const auto& new_node) {
                         cluster_.OnDcuNode(old_node, new_node, loop_.clock().Now());
                       },
                       [this](const auto& visit) {
                         for (const auto& [name, node] : cluster_.dcu_nodes()) visit(name);
                       }}),
      pods_(client, loop, All(kclient::kPods), SharedRandom(), &pod_cache_),
      nodes_(client, loop, All(kclient::kNodes), SharedRandom(), &node_cache_),
      claims_(client, loop, All(kclient::kPersistentVolumeClaims), SharedRandom()),
      volumes_(client, loop, All(kclient::kPersistentVolumes), SharedRandom()),
      namespaces_(client, loop, All(kclient::kNamespaces), SharedRandom()),
      quotas_(client, loop, All(kclient::kResourceQuotas), SharedRandom()),
      partitions_(client, loop, All(crds::kVdcuPartitions), SharedRandom(), &partition_cache_),
      dcu_nodes_(client, loop, All(crds::kDcuNodes), SharedRandom(), &dcu_node_cache_),
      leases_(client, loop,
              {.resource = kclient::kLeases,
               .ns = cluster_.settings().lease_namespace,
               .field_selector = "",
               .label_selector = ""},
              SharedRandom()) {
  Watch(pods_);
  Watch(nodes_);
  Watch(claims_, &reconcilers::Cluster::OnClaim);
  Watch(volumes_, &reconcilers::Cluster::OnVolume);
  Watch(namespaces_, &reconcilers::Cluster::OnNamespace);
  Watch(quotas_, &reconcilers::Cluster::OnQuota);
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

template <class T>
void LeaderState::Watch(kclient::Informer<T>& informer,
                        void (reconcilers::Cluster::*on_change)(const std::shared_ptr<const T>&,
                                                                const std::shared_ptr<const T>&)) {
  informer.AddHandler([this, on_change](const auto& old_object, const auto& new_object) {
    (cluster_.*on_change)(old_object, new_object);
    runner_.OnChange();
  });
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
  ForEachInformer([this](const auto& informer) {
    metrics_.SetWatchFailing(informer.plural(), informer.reflector().FailingFor());
  });
}

void LeaderState::OnSynced() {
  bool all = true;
  ForEachInformer([&all](const auto& informer) { all = all && informer.synced(); });
  if (!all) return;
  base::Log(base::Level::kInfo, "all kinds are listed: placing begins",
            {{"pods", std::to_string(cluster_.pods().size())},
             {"nodes", std::to_string(cluster_.ledger().node_count())},
             {"partitions", std::to_string(cluster_.partitions().size())}});
  runner_.Start();
}

}  // namespace vdcu::controller
