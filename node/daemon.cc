#include "node/daemon.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"
#include "crds/resources.h"

namespace vdcu::node {

namespace {

constexpr base::Duration kScanInterval{5000};
constexpr base::Duration kDrainTime{10'500};  // an admission that is cut off fails its pod
constexpr base::Duration kFlushTime{400};
constexpr size_t kBusy = 4;  // requests in flight above which events wait

constexpr char kPodResourcesSocket[] = "/pod-resources/kubelet.sock";

// Keys of the queue: these two, and a partition's "namespace/name".
constexpr char kDcuNodeKey[] = "dcunode";
constexpr char kNodeKey[] = "node";

// Those whose `field` is this node's name.
kclient::ReflectorOptions Only(const kclient::Resource& resource, const std::string& field,
                               const DaemonOptions& options) {
  return {.resource = resource,
          .ns = "",
          .field_selector = field + "=" + options.node_name,
          .label_selector = ""};
}

}  // namespace

Daemon::Daemon(base::UvLoop& loop, kclient::Client& client, const base::Root& host,
               Metrics& metrics, DaemonOptions options, base::Random random)
    : loop_(loop),
      client_(client),
      host_(host),
      metrics_(metrics),
      options_(std::move(options)),
      events_(loop, client,
              {.reporting_controller = "vdcu.io/node",
               .reporting_instance = options_.node_name,
               .idle = [this] { return runner_.in_flight() < kBusy; }},
              random),
      partition_informer_(client, loop,
                          Only(crds::kVdcuPartitions, "spec.assignment.node", options_), random),
      pod_informer_(client, loop, Only(kclient::kPods, "spec.nodeName", options_), random),
      dcunode_informer_(client, loop, Only(crds::kDcuNodes, "metadata.name", options_), random),
      files_(host),
      holdings_(SliceFiles(files_)),
      runner_(loop, client, events_, metrics, random,
              [this](const std::string& key) { return Process(key); }),
      stages_(loop.clock(), metrics),
      partitions_(
          {.node = options_.node_name,
           .partitions = partition_informer_.store(),
           .pods = pod_informer_.store(),
           .clock = loop.clock(),
           .metrics = metrics,
           .wait_for_end =
               [this](const std::string& pod_uid) {
                 return kubelet_ && kubelet_->cgroups.WaitForEnd(pod_uid);
               },
           .device_lost = [this](const crds::PodRef& container) { return DeviceLost(container); },
           .kubelet_admits = [this] { return admits(); },
           .tell = [this](kclient::Event event) { events_.Record(std::move(event)); },
           .on_held = [this] { OnHeld(); },
           .on_released = [this](const std::string& pod_uid) { OnReleased(pod_uid); },
           .on_prepared =
               [this](const std::string& pod_uid) { stages_.Reach(pod_uid, Stage::kPrepared); }},
          holdings_),
      node_object_(options_.node_name, dcunode_informer_.store(), holdings_, loop,
                   [this] { runner_.Add(kDcuNodeKey); }),
      scan_timer_(loop.MakeTimer([this] { OnScanTimer(); })) {
  if (options_.kubelet) {
    UseKubelet(*options_.kubelet);
  } else {
    lease_ =
        std::make_unique<NodeLease>(client, loop, options_.lease_namespace, options_.node_name);
    node_object_.SetHeartbeat(crds::Heartbeat::kLease);
  }
  if (!options_.advertise.empty()) {
    node_informer_ = std::make_unique<kclient::Informer<kclient::Node>>(
        client, loop, Only(kclient::kNodes, "metadata.name", options_), random);
  }
}

void Daemon::UseKubelet(const KubeletOptions& options) {
  const auto add = [this](const std::string& pod_uid) {
    AddPartitions(partitions_.KeysOf(pod_uid));
  };
  kubelet_.reset(new Kubelet{{loop_, options.root_dir + kPodResourcesSocket},
                             {loop_, host_, options.cgroup_root, add}});
  const Lent lent{.node = options_.node_name,
                  .loop = loop_,
                  .client = client_,
                  .host = host_,
                  .pods = pod_informer_.store(),
                  .holdings = holdings_,
                  .pod_resources = kubelet_->pod_resources,
                  .cgroups = kubelet_->cgroups,
                  .metrics = metrics_,
                  .stages = stages_,
                  .tell = [this](kclient::Event event) { events_.Record(std::move(event)); },
                  .on_admits = [this] { OnAdmits(); },
                  .on_lost = add};
  for (const MakeFrontend& make : options.fronts) fronts_.push_back(make(lent));
  owner_check_ = std::make_unique<OwnerCheck>(
      OwnerCheck::Sources{loop_, client_, host_, kubelet_->cgroups, holdings_.slices()},
      OwnerCheck::Options{.node = options_.node_name,
                          .plugin_folder = options.plugin_folder,
                          .resource_names = options.resource_names,
                          .take_over = options_.take_over});
  node_object_.SetHeartbeat(crds::Heartbeat::kKubelet);
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
    const std::string key = (new_object ? new_object : old_object)->meta.key();
    if (new_object) unreadable_.erase(key);
    runner_.Add(key);
  });
  partition_informer_.OnBad([this](const std::string& key, const base::Error& error) {
    unreadable_[key] = error.message;
    runner_.Add(key);
  });
  partition_informer_.OnSynced([this] { OnSynced(); });
  partition_informer_.Start();
}

void Daemon::WatchPods() {
  pod_informer_.AddHandler([this](const auto& old_object, const auto& new_object) {
    if (old_object) AddPartitions(partitions_.KeysOf(*old_object));
    if (new_object) AddPartitions(partitions_.KeysOf(*new_object));
    if (new_object && !old_object && !new_object->asks.empty()) {
      stages_.Reach(new_object->meta.uid, Stage::kBound);
    } else if (!new_object) {
      stages_.Forget(old_object->meta.uid);
    }
  });
  pod_informer_.OnSynced([this] { OnSynced(); });
  pod_informer_.Start();
}

void Daemon::WatchNodes() {
  dcunode_informer_.AddHandler([this](const auto&, const auto&) { runner_.Add(kDcuNodeKey); });
  dcunode_informer_.OnSynced([this] { OnSynced(); });
  dcunode_informer_.Start();
  if (!node_informer_) return;
  node_informer_->AddHandler([this](const auto&, const auto&) { runner_.Add(kNodeKey); });
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
  scan_timer_->Start(kScanInterval);
  scan_ = {};
  TakeScan(ScanHost(host_));
  if (const base::Status adopted = partitions_.Adopt(); !adopted) {
    return base::Log(base::Level::kError, "the slices' folders cannot be read, will try again",
                     {{"error", adopted.error().message}});
  }
  holdings_.Mend();
  LogDisk({});
  begun_ = true;
  base::Log(base::Level::kInfo, "ready to prepare slices",
            {{"node", options_.node_name},
             {"cards", std::to_string(scan_.devices.size())},
             {"held", std::to_string(holdings_.slices().size())}});
  AddPartitions(partitions_.AllKeys());
  runner_.Start();
  for (const auto& front : fronts_) front->Begin();
  if (lease_) lease_->Start();
}

void Daemon::OnScanTimer() {
  if (!begun_) return Begin();
  scan_timer_->Start(kScanInterval);
  TrimWhenQuiet();
  for (const auto& front : fronts_) front->Check();
  CheckDisk();
  Scan scan = ScanHost(host_);
  if (scan == scan_) return;
  TakeScan(std::move(scan));
  AddPartitions(partitions_.AllKeys());
}

// What is in the way may come and go without a word.
void Daemon::CheckDisk() {
  const DiskState before = holdings_.disk();
  holdings_.CheckDisk();
  if (holdings_.disk() == before) return;
  LogDisk(before);
  runner_.Add(kDcuNodeKey);
  AddPartitions(partitions_.AllKeys());  // some may have been refused for it
}

void Daemon::LogDisk(const DiskState& before) const {
  const DiskState& disk = holdings_.disk();
  const auto tell = [](const std::string& what, const std::string& problem) {
    base::Log(base::Level::kWarning, what, {{"problem", problem}});
  };
  for (const std::string& problem : disk.problems) {
    const auto& known = before.problems;
    if (std::find(known.begin(), known.end(), problem) != known.end()) continue;
    tell("something is in the way of our files", problem);
  }
  for (const auto& [vdev, why] : disk.occupied_vdevs) {
    if (!before.occupied_vdevs.contains(vdev)) tell("a vdev number is passed over", why);
  }
  if (disk.failure != before.failure && !disk.failure.empty()) {
    tell("no slice can be prepared", disk.failure);
  }
}

void Daemon::TrimWhenQuiet() {
  const bool quiet = !std::exchange(worked_, false);
  if (!quiet) {
    trim_is_due_ = true;
  } else if (std::exchange(trim_is_due_, false)) {
    base::TrimMemory();
  }
}

void Daemon::TakeScan(Scan scan) {
  LogNewProblems(scan.problems);
  scan_ = std::move(scan);
  const auto published = dcunode_informer_.store().Get(options_.node_name);
  const bool first = !begun_ && published;
  holdings_.SetDevices(scan_.devices, first ? published->status.devices : holdings_.devices(),
                       loop_.clock().Wall());
  node_object_.SetScan(scan_.driver_version, scan_.problems);
  const auto healthy =
      static_cast<size_t>(std::count_if(holdings_.devices().begin(), holdings_.devices().end(),
                                        [](const dcu::Device& device) { return device.healthy; }));
  metrics_.SetCards(healthy, holdings_.devices().size() - healthy);
  OnHeld();
  if (!options_.advertise.empty()) runner_.Add(kNodeKey);
}

void Daemon::LogNewProblems(const std::vector<std::string>& problems) const {
  for (const std::string& problem : problems) {
    const auto& known = scan_.problems;
    if (std::find(known.begin(), known.end(), problem) != known.end()) continue;
    base::Log(base::Level::kWarning, "a card is left out", {{"problem", problem}});
  }
}

Work Daemon::Process(const std::string& key) {
  worked_ = true;
  if (key == kDcuNodeKey) return ProcessDcuNode();
  if (key == kNodeKey) {
    return Advertise(node_informer_->store(), options_.node_name, options_.advertise,
                     scan_.devices.size() * dcu::kMaxSlicesPerCard);
  }
  const auto unreadable = unreadable_.find(key);
  return partitions_.Process(key, unreadable == unreadable_.end()
                                      ? std::nullopt
                                      : std::optional<std::string>(unreadable->second));
}

// What the API has of this node is never without a slice that it holds and no object names.
Work Daemon::ProcessDcuNode() {
  const base::Status noted = partitions_.NoteLost();
  Work work = node_object_.Process(begun_ && admits());
  work.status = noted;
  return work;
}

void Daemon::AddPartitions(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) runner_.Add(key);
}

void Daemon::OnHeld() {
  metrics_.SetHeld(holdings_.slices().size());
  runner_.Add(kDcuNodeKey);
  for (const auto& front : fronts_) front->Update();
}

bool Daemon::admits() const {
  return std::all_of(fronts_.begin(), fronts_.end(),
                     [](const auto& front) { return front->Admits(); });
}

std::optional<Refusal> Daemon::DeviceLost(const crds::PodRef& container) const {
  for (const auto& front : fronts_) {
    if (auto lost = front->DeviceLost(container)) return lost;
  }
  return std::nullopt;
}

void Daemon::OnAdmits() {
  node_object_.SetServingSince(base::FormatTime(loop_.clock().Wall()));
  runner_.Add(kDcuNodeKey);
  AddPartitions(partitions_.AllKeys());
}

void Daemon::OnReleased(const std::string& pod_uid) {
  stages_.Forget(pod_uid);  // it may have gone elsewhere, and is then never seen here
  AddPartitions(partitions_.WaitingKeys());
  for (const auto& front : fronts_) front->OnReleased();
}

void Daemon::Stop(std::function<void()> done) {
  scan_timer_->Stop();
  owner_check_.reset();
  const auto finish = [this, done = std::move(done)] {
    fronts_.clear();
    kubelet_.reset();
    lease_.reset();
    runner_.Stop();
    events_.Flush(kFlushTime, done);
  };
  if (fronts_.empty()) return finish();
  draining_ = fronts_.size();
  for (const auto& front : fronts_) {
    front->Drain(kDrainTime, [this, finish] {
      if (--draining_ == 0) loop_.Post(finish);
    });
  }
}

template <class Visit>
void Daemon::ForEachInformer(const Visit& visit) const {
  visit(partition_informer_);
  visit(pod_informer_);
  visit(dcunode_informer_);
  if (node_informer_) visit(*node_informer_);
}

void Daemon::UpdateMetrics() const {
  ForEachInformer([this](const auto& informer) {
    metrics_.SetWatchFailing(informer.plural(), informer.reflector().FailingFor());
  });
}

std::vector<std::string> Daemon::NotReady() const {
  std::vector<std::string> reasons;
  ForEachInformer([&reasons](const auto& informer) {
    if (std::string reason = informer.NotReady(); !reason.empty()) {
      reasons.push_back(std::move(reason));
    }
  });
  if (!reasons.empty()) return reasons;
  if (!begun_) return {"the vdev files are not mended"};
  if (!node_object_.published()) return {"DCUNode " + options_.node_name + " is not published"};
  for (const auto& front : fronts_) {
    for (std::string& reason : front->NotReady()) reasons.push_back(std::move(reason));
  }
  return reasons;
}

}  // namespace vdcu::node
