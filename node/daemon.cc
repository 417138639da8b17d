#include "node/daemon.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "crds/keys.h"
#include "crds/resources.h"
#include "node/card_metrics.h"
#include "node/familiar_metrics.h"
#include "node/keys.h"

namespace vdcu::node {

namespace {

constexpr base::Duration kLookInterval{5000};
constexpr base::Duration kDrainTime{10'500};  // an admission that is cut off fails its pod
constexpr base::Duration kFlushTime{400};
constexpr size_t kMostInFlight = 8;
constexpr size_t kBusy = 4;  // requests in flight above which events wait

// Those whose `field` is this node's name.
kclient::ReflectorOptions Only(const kclient::Resource& resource, const std::string& field,
                               const DaemonOptions& options) {
  return {.resource = resource,
          .ns = "",
          .field_selector = field + "=" + options.node_name,
          .label_selector = ""};
}

// A hand may have put the label on another node's.
kclient::ReflectorOptions OwnPartitions(const DaemonOptions& options) {
  auto own = Only(crds::kVdcuPartitions, "spec.assignment.node", options);
  own.label_instead = std::string(crds::kNodeLabel) + "=" + crds::NodeLabel(options.node_name);
  own.only = [node = options.node_name](kclient::JsonView partition) {
    return crds::AssignedNode(partition) == node;
  };
  return own;
}

}  // namespace

Daemon::Daemon(base::Loop& loop, kclient::Client& client, const base::Root& host, Metrics& metrics,
               DaemonOptions options, base::Random random)
    : loop_(loop),
      client_(client),
      host_(host),
      metrics_(metrics),
      options_(std::move(options)),
      events_(loop, client,
              {.reporting_controller = "vdcu.io/node",
               .reporting_instance = options_.node_name,
               .idle = [this] { return executor_.in_flight() < kBusy; }},
              random),
      partition_informer_(client, loop, OwnPartitions(options_), random),
      pod_informer_(client, loop, Only(kclient::kPods, "spec.nodeName", options_), random),
      dcunode_informer_(client, loop, Only(crds::kDcuNodes, "metadata.name", options_), random),
      pass_timer_(loop.MakeTimer([this] { Pass(); })),
      changes_([this] { pass_timer_->Start(base::Duration(0)); }),
      files_(host),
      holdings_(SliceFiles(files_), changes_),
      state_{.node = options_.node_name,
             .changes = changes_,
             .partitions = partition_informer_.store(),
             .pods = pod_informer_.store(),
             .dcunodes = dcunode_informer_.store(),
             .holdings = holdings_},
      stages_(loop.clock(), metrics),
      executor_({loop, client, events_, *this}, kMostInFlight, random),
      partitions_({.state = state_,
                   .clock = loop.clock(),
                   .metrics = metrics,
                   .stages = stages_,
                   .tell = [this](kclient::Event event) { events_.Record(std::move(event)); }}),
      node_object_(state_, loop),
      housekeeping_(host, loop.clock(), state_),
      look_timer_(loop.MakeTimer([this] { OnLookTimer(); })) {
  if (options_.kubelet) {
    UseKubelet(*options_.kubelet);
  } else {
    lease_ =
        std::make_unique<NodeLease>(client, loop, options_.lease_namespace, options_.node_name);
  }
  if (options_.hami != crds::Hami::kOff) {
    hami_ = std::make_unique<HamiRegister>(HamiRegister::Sources{loop, client, state_, metrics},
                                           options_.hami, random);
  }
  if (!options_.advertise.empty()) {
    node_informer_ = std::make_unique<kclient::Informer<kclient::Node>>(
        client, loop, Only(kclient::kNodes, "metadata.name", options_), random);
    state_.nodes = &node_informer_->store();
  }
}

Daemon::~Daemon() = default;

void Daemon::UseKubelet(const KubeletOptions& options) {
  fronts_ = std::make_unique<Fronts>(
      Fronts::Sources{.loop = loop_,
                      .client = client_,
                      .host = host_,
                      .state = state_,
                      .metrics = metrics_,
                      .stages = stages_,
                      .tell = [this](kclient::Event event) { events_.Record(std::move(event)); }},
      options);
  state_.kubelet = fronts_.get();
  owner_check_ = std::make_unique<OwnerCheck>(
      OwnerCheck::Sources{loop_, client_, host_, fronts_->cgroups(), holdings_.slices()},
      OwnerCheck::Options{.node = options_.node_name,
                          .plugin_folder = options.plugin_folder,
                          .resource_names = options.resource_names,
                          .take_over = options_.take_over});
}

base::Status Daemon::Start() {
  ASSIGN_OR_RETURN(const std::vector<std::string> corrupt, holdings_.Load());
  for (const std::string& problem : corrupt) {
    base::Log(base::Level::kError, "a checkpoint cannot be read", {{"problem", problem}});
  }
  WatchPartitions();
  WatchPods();
  WatchNodes();
  return base::Ok();
}

void Daemon::WatchPartitions() {
  partition_informer_.AddHandler([this](const auto& old_object, const auto& new_object) {
    changes_.NotePartition((new_object ? new_object : old_object)->meta.key());
  });
  partition_informer_.OnSynced([this] { OnSynced(); });
  partition_informer_.Start();
}

void Daemon::WatchPods() {
  pod_informer_.AddHandler([this](const auto& old_object, const auto& new_object) {
    for (const auto& pod : {old_object, new_object}) {
      if (pod) NotePod(*pod);
    }
    if (new_object && !old_object && !new_object->device_requests.empty()) {
      stages_.Reach(new_object->meta.uid, Stage::kBound);
    } else if (!new_object) {
      stages_.Forget(old_object->meta.uid);
    }
  });
  pod_informer_.OnSynced([this] { OnSynced(); });
  pod_informer_.Start();
}

void Daemon::NotePod(const NodePod& pod) {
  changes_.NotePod(pod.meta.uid);
  if (!pod.partition.empty()) changes_.NotePartition(pod.meta.ns + "/" + pod.partition);
}

void Daemon::WatchNodes() {
  dcunode_informer_.AddHandler([this](const auto&, const auto&) { changes_.NoteDcuNode(); });
  dcunode_informer_.OnSynced([this] { OnSynced(); });
  dcunode_informer_.Start();
  if (hami_) hami_->Start();
  if (!node_informer_) return;
  node_informer_->AddHandler([this](const auto&, const auto&) { changes_.NoteNode(); });
  node_informer_->Start();
}

bool Daemon::synced() const {
  return partition_informer_.synced() && pod_informer_.synced() && dcunode_informer_.synced();
}

void Daemon::OnSynced() {
  if (!synced()) return;
  if (!owner_check_) return Begin();
  owner_check_->Run([this](const base::Status& ours) { OnOwnerChecked(ours); });
}

void Daemon::OnOwnerChecked(const base::Status& ours) {
  if (!ours) return options_.on_fatal(ours.error());
  owner_check_.reset();
  Begin();
}

void Daemon::Begin() {
  look_timer_->Start(kLookInterval);
  housekeeping_.FindCards();
  if (const base::Status adopted = partitions_.Adopt(); !adopted) {
    return base::Log(base::Level::kError, "the slices' folders cannot be read, will try again",
                     {{"error", adopted.error().message}});
  }
  housekeeping_.RepairDisk();
  begun_ = true;
  base::Log(base::Level::kInfo, "ready to prepare slices",
            {{"node", options_.node_name},
             {"cards", std::to_string(state_.scan.devices.size())},
             {"held", std::to_string(holdings_.slices().size())}});
  executor_.Start();
  if (fronts_) fronts_->Begin();
  if (lease_) lease_->Start();
}

void Daemon::OnLookTimer() {
  if (!begun_) return Begin();
  look_timer_->Start(kLookInterval);
  if (fronts_) fronts_->Check();
  housekeeping_.Look();
}

void Daemon::Pass() {
  const Noted noted = changes_.Take();
  if (noted.serving) state_.serving_since = base::FormatTime(loop_.clock().Wall());
  // It may have gone elsewhere, and is then never seen here.
  for (const std::string& pod_uid : noted.released) stages_.Forget(pod_uid);
  CountHoldings();
  for (const kclient::Key& key : KeysOf(noted, state_)) executor_.Add(key);
  if (hami_ && ConcernsRegister(noted)) executor_.Add({kHamiRegister, {}, state_.node});
  if (fronts_) fronts_->Update(noted);
}

void Daemon::CountHoldings() const {
  const auto& devices = holdings_.devices();
  const auto healthy = static_cast<size_t>(std::count_if(
      devices.begin(), devices.end(), [](const dcu::Device& device) { return device.healthy; }));
  metrics_.SetCards(healthy, devices.size() - healthy);
  metrics_.SetHeld(holdings_.slices().size());
}

kclient::WorkPlan Daemon::Reconcile(const kclient::Key& key) {
  housekeeping_.NoteWork();
  if (key.kind == kDcuNode) return ReconcileDcuNode();
  if (key.kind == kHamiRegister) return hami_->Reconcile();
  if (key.kind == kNode) {
    return Advertise(*state_.nodes, options_.node_name,
                     AmountsOf(options_.advertise, state_.scan.devices));
  }
  return partitions_.Reconcile(key);
}

// What the API has of this node is never without a slice that it holds and no object names.
kclient::WorkPlan Daemon::ReconcileDcuNode() {
  const base::Status noted = partitions_.NoteLost();
  kclient::WorkPlan plan = node_object_.Reconcile();
  plan.status = noted;
  return plan;
}

void Daemon::OnWritten(const kclient::Write& /*write*/, const base::Status& status,
                       base::Duration /*took*/) {
  if (!status) metrics_.OnError(status.error());
}

void Daemon::OnFailed(const kclient::Key& /*key*/, const base::Error& error) {
  metrics_.OnError(error);
}

void Daemon::Stop(std::function<void()> done) {
  look_timer_->Stop();
  owner_check_.reset();
  const auto finish = [this, done = std::move(done)] {
    state_.kubelet = nullptr;
    fronts_.reset();
    lease_.reset();
    executor_.Stop();
    events_.Flush(kFlushTime, done);
  };
  if (!fronts_) return finish();
  fronts_->Drain(kDrainTime, [this, finish] { loop_.Post(finish); });
}

template <class Visit>
void Daemon::ForEachInformer(const Visit& visit) const {
  visit(partition_informer_);
  visit(pod_informer_);
  visit(dcunode_informer_);
  if (node_informer_) visit(*node_informer_);
  if (hami_) visit(hami_->informer());
}

void Daemon::UpdateMetrics() const {
  ForEachInformer([this](const auto& informer) {
    const auto& reflector = informer.reflector();
    metrics_.api().SetWatch(informer.plural(), reflector.FailingFor(), reflector.restarts());
  });
}

std::vector<prometheus::MetricFamily> Daemon::CardMetrics() const {
  const Figures figures{.node = options_.node_name,
                        .devices = holdings_.devices(),
                        .slices = holdings_.slices(),
                        .readings = ReadCards(host_, holdings_.devices(), loop_.clock()),
                        .names_pods = options_.pod_metrics};
  std::vector<prometheus::MetricFamily> families = node::CardMetrics(figures);
  for (const auto& [name, make] : kFamiliarMetrics) {
    const auto& wanted = options_.metric_names;
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    for (auto& family : make(figures)) families.push_back(std::move(family));
  }
  return families;
}

std::vector<std::string> Daemon::NotReady() const {
  std::vector<std::string> reasons;
  ForEachInformer([&reasons](const auto& informer) {
    if (std::string reason = informer.NotReady(); !reason.empty()) {
      reasons.push_back(std::move(reason));
    }
  });
  if (!reasons.empty()) return reasons;
  if (!begun_) return {"the vdev files are not repaired"};
  if (!node_object_.published()) return {"DCUNode " + options_.node_name + " is not published"};
  return fronts_ ? fronts_->NotReady() : std::vector<std::string>();
}

}  // namespace vdcu::node
