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
                     cluster_.OnNode(old_node, new_node);
                   },
                   [this](const auto& visit) { cluster_.ledger().ForEachNode(visit); }}),
      dcu_node_cache_({[this](std::string_view name) { return cluster_.ShownDcuNode(name); },
                       [this](const auto& old_node, const auto& new_node) {
                         cluster_.OnDcuNode(old_node, new_node);
                       },
                       [this](const auto& visit) {
                         for (const auto& [name, node] : cluster_.dcu_nodes()) visit(name);
                       }}),
      pods_(client, loop, All(kclient::kPods), SharedRandom(), &pod_cache_),
      nodes_(client, loop, All(kclient::kNodes), SharedRandom(), &node_cache_),
      claims_(client, loop, All(kclient::kPersistentVolumeClaims), SharedRandom()),
      volumes_(client, loop, All(kclient::kPersistentVolumes), SharedRandom()),
      partitions_(client, loop, All(crds::kVdcuPartitions), SharedRandom(), &partition_cache_),
      dcu_nodes_(client, loop, All(crds::kDcuNodes), SharedRandom(), &dcu_node_cache_) {
  Watch(pods_);
  Watch(nodes_);
  Watch(claims_, &reconcilers::Cluster::OnClaim);
  Watch(volumes_, &reconcilers::Cluster::OnVolume);
  Watch(partitions_);
  partitions_.OnEachList([this](const std::string& version) {
    cluster_.OnPartitionsListed(version);
    runner_.OnChange();
  });
  Watch(dcu_nodes_);
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
  partitions_.Start();
  dcu_nodes_.Start();
}

std::vector<std::string> LeaderState::NotReady() const {
  std::vector<std::string> reasons;
  const auto check = [&](bool synced, std::string_view kind) {
    if (!synced) reasons.push_back(std::string(kind) + " are not listed yet");
  };
  check(pods_.synced(), "pods");
  check(nodes_.synced(), "nodes");
  check(claims_.synced(), "persistentvolumeclaims");
  check(volumes_.synced(), "persistentvolumes");
  check(partitions_.synced(), "vdcupartitions");
  check(dcu_nodes_.synced(), "dcunodes");
  return reasons;
}

void LeaderState::OnSynced() {
  if (!NotReady().empty()) return;
  base::Log(base::Level::kInfo, "all kinds are listed: placing begins",
            {{"pods", std::to_string(cluster_.pods().size())},
             {"nodes", std::to_string(cluster_.ledger().node_count())},
             {"partitions", std::to_string(cluster_.partitions().size())}});
  runner_.Start();
}

}  // namespace vdcu::controller
