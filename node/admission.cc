#include "node/admission.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "node/container_edits.h"
#include "node/lost_devices.h"

namespace vdcu::node {

namespace {

// The kubelet's one loop stands still meanwhile; but a pod that is refused has failed for good, and
// on a busy node, or with a busy API server, seconds may go by.
constexpr base::Duration kAdmissionTimeout{10'000};
// The kubelet gives PreStartContainer 30 s.
constexpr base::Duration kPreStartTimeout{10'000};
constexpr base::Duration kLearnTimeout{5'000};
// Between choosing ids and Allocate the kubelet does nothing else.
constexpr base::Duration kChosenFor{1'500};

constexpr char kNoSlice[] = "NoSlice";

using Ids = std::set<std::string>;

base::Error ToError(const Refusal& refusal) {
  return {base::ErrorCode::kInvalid, refusal.reason + ": " + refusal.message};
}

std::string Describe(const std::vector<Slice>& slices) {
  std::string text;
  for (const Slice& slice : slices) {
    const dcu::Assignment& assignment = slice.assignment;
    text += (text.empty() ? "" : "; ") + slice.name + ": " +
            std::to_string(assignment.compute_units) + " compute units and " +
            std::to_string(assignment.memory.value) + " MiB of card " + assignment.device;
  }
  return text;
}

}  // namespace

Admission::Admission(Sources sources, Holdings& holdings)
    : sources_(std::move(sources)),
      holdings_(holdings),
      drain_timer_(sources_.loop.MakeTimer([this] {
        if (on_drained_) std::exchange(on_drained_, nullptr)();
      })) {}

void Admission::Choose(const std::string& resource, kubelet::Choice choice,
                       Done<std::vector<std::string>> done) {
  FindAsker(resource, [this, resource, choice = std::move(choice), done = std::move(done),
                       number = ++choices_](base::Result<Asker> asker) {
    if (!asker) return done(asker.error());
    // It was asked by a kubelet that has ended since: what it found is no longer so.
    if (number != choices_) return done(ToError({"Outdated", "the kubelet has asked again"}));
    std::vector<std::string> ids = choice.required;
    for (const std::string& id : choice.available) {
      if (ids.size() >= choice.size) break;
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    chosen_[resource] = {std::move(*asker), {ids.begin(), ids.end()}, sources_.loop.clock().Now()};
    done(std::move(ids));
  });
}

void Admission::Allocate(const std::string& resource, std::vector<std::string> ids,
                         Done<kubelet::ContainerEdits> done) {
  const base::Clock& clock = sources_.loop.clock();
  const auto answer = [this, resource, ids, &clock, began = clock.Wall(),
                       done](const base::Result<Asker>& asker) {
    if (!asker) return done(asker.error());
    const auto edits = Grant(resource, *asker, ids);
    answers_.Add(resource, *asker, edits ? ids : std::vector<std::string>());
    done(edits);
    sources_.metrics.OnAllocated(clock.Wall() - began);
    CheckDrained();
  };
  const auto chosen = chosen_.extract(resource);
  if (!chosen.empty() && chosen.mapped().ids == Ids(ids.begin(), ids.end()) &&
      clock.Now() - chosen.mapped().at < kChosenFor) {
    return answer(chosen.mapped().asker);
  }
  FindAsker(resource, answer);
}

void Admission::PreStart(const std::string& resource, std::vector<std::string> ids,
                         Done<void> done) {
  const auto decide = [this, resource, ids = Ids(ids.begin(), ids.end()),
                       done](const PodSearch& search) {
    StartCheck check = CheckStart(resource, ids, search);
    if (!check.unknown.empty()) return PodSearch::Next{.read = std::move(check.unknown)};
    if (!check.refusal) {
      for (const Asker& holder : check.holders) sources_.on_started(holder.pod.uid);
      done(base::Ok());
    } else {
      done(Refuse(*check.refusal, check.holders));
    }
    return PodSearch::Next();
  };
  Search(searches_, kPreStartTimeout, decide, Unavailable(done));
}

void Admission::FindAsker(const std::string& resource, const Done<Asker>& done) {
  const auto decide = [this, resource, done](const PodSearch& search) {
    const Identity identity = WhoAsks(
        {.listing = search.listing(),
         .resource = resource,
         .pod = [&](const auto& key) { return search.pod(key); },
         .has_processes = sources_.has_processes,
         .answered = [&](const auto& uid,
                         const auto& container) { return answers_.Has(resource, uid, container); },
         .read = search.read()});
    if (!identity.unknown.empty()) return PodSearch::Next{.read = identity.unknown};
    if (!identity.several.empty() && search.has_time_to_look_again()) {
      return PodSearch::Next{.look_again = true};
    }
    if (identity.asker) {
      done(*identity.asker);
    } else {
      done(Refuse(*identity.refusal, identity.several));
    }
    return PodSearch::Next();
  };
  Search(searches_, kAdmissionTimeout, decide, Unavailable(done));
}

std::function<void(const base::Error&)> Admission::Unavailable(
    std::function<void(const base::Error&)> done) {
  return [this, done = std::move(done)](const base::Error& error) {
    done(Refuse({"Unavailable", error.message}, {}));
  };
}

void Admission::Search(Searches& searches, base::Duration timeout, PodSearch::Decide decide,
                       std::function<void(const base::Error&)> fail) {
  const uint64_t number = ++search_count_;
  const auto learn_and_decide = [this, decide = std::move(decide)](const PodSearch& search) {
    Learn(search.listing());
    return decide(search);
  };
  const auto on_end = [this, &searches, number] {
    searches.erase(number);
    CheckDrained();
  };
  searches[number] = std::make_unique<PodSearch>(
      PodSearch::Sources{sources_.loop, sources_.client, sources_.pod_resources, sources_.pods},
      timeout, PodSearch::Callbacks{learn_and_decide, std::move(fail), on_end});
}

void Admission::LearnTokens() {
  unsure_ = true;
  Search(
      learning_, kLearnTimeout, [this](const PodSearch& search) { return LookForLost(search); },
      [](const base::Error&) {});
}

PodSearch::Next Admission::LookForLost(const PodSearch& search) {
  const LostDevices found =
      FindLostDevices({.listing = search.listing(),
                       .slices = holdings_.slices(),
                       .resources = sources_.resources,
                       .pod = [&](const auto& key) { return search.pod(key); },
                       .has_processes = sources_.has_processes,
                       .read = search.read()});
  if (!found.unknown.empty()) return {.read = found.unknown};
  unsure_ = found.unsure;
  std::set<crds::PodRef> lost;
  for (const Asker& container : found.lost) {
    lost.insert(container.pod);
    if (lost_.contains(container.pod)) continue;
    base::Log(base::Level::kWarning, "the kubelet has lost a device",
              {{"pod", container.key()}, {"container", container.pod.container}});
    const Refusal why = DeviceLostOf(container.pod.container);
    TellPod(container, kclient::EventType::kWarning, why.reason, why.message);
  }
  std::set<crds::PodRef> changed;
  std::set_symmetric_difference(lost.begin(), lost.end(), lost_.begin(), lost_.end(),
                                std::inserter(changed, changed.end()));
  lost_ = std::move(lost);
  for (const crds::PodRef& container : changed) sources_.on_lost(container.uid);
  return {};
}

void Admission::Learn(const kubelet::Listing& listing) {
  std::map<std::string, Ids> in_use;
  for (const kubelet::ListedPod& pod : listing) {
    for (const kubelet::ListedContainer& container : pod.containers) {
      for (const auto& [resource, ids] : container.devices) {
        in_use[resource].insert(ids.begin(), ids.end());
      }
    }
  }
  if (std::exchange(in_use_, std::move(in_use)) != in_use_) sources_.on_tokens();
}

std::set<std::string> Admission::TokensInUse(const std::string& resource) const {
  const auto ids = in_use_.find(resource);
  return ids == in_use_.end() ? Ids() : ids->second;
}

base::Result<kubelet::ContainerEdits> Admission::Grant(const std::string& resource,
                                                       const Asker& asker,
                                                       const std::vector<std::string>& ids) {
  const auto slices = TakeSlices(asker, ids.size());
  if (!slices) return Refuse(slices.error(), {asker});
  std::vector<const dcu::Device*> devices;
  for (const Slice& slice : *slices) {
    const dcu::Device* device = FindDevice(holdings_.devices(), slice.assignment.device);
    if (device == nullptr || !device->healthy) {
      const std::string why = device == nullptr ? "it is not there" : device->message;
      return Refuse({"CardNotHealthy", "card " + slice.assignment.device + ": " + why}, {asker});
    }
    devices.push_back(device);
  }
  in_use_[resource].insert(ids.begin(), ids.end());
  sources_.on_allocated(asker.pod.uid);
  base::Log(
      base::Level::kInfo, "allocated",
      {{"pod", asker.key()}, {"container", asker.pod.container}, {"slices", Describe(*slices)}});
  TellPod(asker, kclient::EventType::kNormal, "Allocated", Describe(*slices));
  return EditsFor(*slices, devices, sources_.dtk_dir,
                  [this](const std::string& path) { return sources_.host.Exists(path); });
}

std::vector<Slice> Admission::SlicesOf(const Asker& asker) const {
  std::vector<Slice> slices;
  for (const auto& [uid, slice] : holdings_.slices()) {
    if (slice.ns != asker.ns) continue;
    const bool used =
        slice.pod && slice.pod->uid == asker.pod.uid && slice.pod->container == asker.pod.container;
    // Of a reserved one the pod is written down when the watch shows it, which may be later.
    const bool reserved = !slice.pod && !asker.partition.empty() && slice.name == asker.partition;
    if (used || reserved) slices.push_back(slice);
  }
  std::sort(slices.begin(), slices.end(),
            [](const Slice& a, const Slice& b) { return a.name < b.name; });
  return slices;
}

tl::expected<std::vector<Slice>, Refusal> Admission::TakeSlices(const Asker& asker, size_t count) {
  std::vector<Slice> slices = SlicesOf(asker);
  if (slices.empty()) {
    return tl::make_unexpected(Refusal{
        kNoSlice, "no VDCUPartition on this node is prepared for container " + asker.pod.container +
                      ": want the pod placed by vdcu-scheduler (spec.schedulerName), not "
                      "by its nodeName or another scheduler"});
  }
  if (slices.size() != count || asker.count != count) {
    return tl::make_unexpected(
        Refusal{"WrongCount", "container " + asker.pod.container + " asks for " +
                                  std::to_string(asker.count) + ", the kubelet for " +
                                  std::to_string(count) + ", and " + std::to_string(slices.size()) +
                                  " VDCUPartitions are prepared: want all three the same"});
  }
  for (Slice& slice : slices) {
    if (!slice.lost_since.empty()) {
      return tl::make_unexpected(
          Refusal{"PartitionGone", "VDCUPartition " + slice.key() + " was removed"});
    }
    slice.pod = asker.pod;
    if (auto refusal = holdings_.Hold(slice)) return tl::make_unexpected(std::move(*refusal));
  }
  return slices;
}

base::Error Admission::Refuse(const Refusal& refusal, const std::vector<Asker>& askers) {
  sources_.metrics.OnAdmissionRefused(refusal.reason);
  base::Log(base::Level::kWarning, "refused a container",
            {{"reason", refusal.reason},
             {"message", refusal.message},
             {"pod", askers.empty() ? "" : askers.front().key()},
             {"container", askers.empty() ? "" : askers.front().pod.container}});
  for (const Asker& asker : askers) {
    if (refusal.reason == kNoSlice && asker.owner) {
      TellOwner(asker, refusal);
    } else {
      TellPod(asker, kclient::EventType::kWarning, refusal.reason, refusal.message);
    }
  }
  return ToError(refusal);
}

// Who makes pods anew makes them without end, each with the message in its status: the event is
// one, as it is the same each time.
void Admission::TellOwner(const Asker& asker, const Refusal& refusal) {
  sources_.tell({.regarding = {.api_version = asker.owner->api_version,
                               .kind = asker.owner->kind,
                               .ns = asker.ns,
                               .name = asker.owner->name,
                               .uid = asker.owner->uid},
                 .type = kclient::EventType::kWarning,
                 .reason = refusal.reason,
                 .action = "Allocating",
                 .note = "its pods fail on node " + sources_.node + ": " + refusal.message});
}

void Admission::TellPod(const Asker& asker, kclient::EventType type, const std::string& reason,
                        const std::string& note) {
  sources_.tell({.regarding = {.api_version = "v1",
                               .kind = "Pod",
                               .ns = asker.ns,
                               .name = asker.pod.name,
                               .uid = asker.pod.uid},
                 .type = type,
                 .reason = reason,
                 .action = "Allocating",
                 .note = note});
}

bool Admission::busy() const {
  const base::TimePoint now = sources_.loop.clock().Now();
  return !searches_.empty() ||
         std::any_of(chosen_.begin(), chosen_.end(),
                     [now](const auto& chosen) { return now - chosen.second.at < kChosenFor; });
}

void Admission::Drain(base::Duration most, std::function<void()> done) {
  on_drained_ = std::move(done);
  drain_timer_->Start(busy() ? most : base::Duration(0));
}

void Admission::CheckDrained() {
  if (on_drained_ && !busy()) drain_timer_->Start(base::Duration(0));
}

}  // namespace vdcu::node
