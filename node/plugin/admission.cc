#include "node/plugin/admission.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "node/container_edits.h"
#include "node/plugin/admission_events.h"

namespace vdcu::node {

namespace {

// The kubelet gives PreStartContainer 30 s.
constexpr base::Duration kPreStartTimeout{10'000};
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

Admission::Admission(Sources sources)
    : sources_(std::move(sources)),
      clock_(sources_.search.loop.clock()),
      searches_(sources_.search, [this] { CheckDrained(); }),
      waits_({sources_.search.loop, sources_.holdings.slices(), sources_.search.pods,
              [this] { CheckDrained(); }}),
      drain_timer_(sources_.search.loop.MakeTimer([this] {
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
    chosen_[resource] = {std::move(*asker), {ids.begin(), ids.end()}, clock_.Now()};
    done(std::move(ids));
  });
}

void Admission::Allocate(const std::string& resource, std::vector<std::string> ids,
                         Done<kubelet::ContainerEdits> done) {
  const auto answer = [this, resource, ids, began = clock_.Wall(),
                       done](const base::Result<Asker>& asker) {
    if (!asker) return done(asker.error());
    const auto edits = Grant(resource, *asker, ids);
    answers_.Add(resource, *asker, edits ? ids : std::vector<std::string>());
    done(edits);
    sources_.metrics.OnAllocated(clock_.Wall() - began);
    CheckDrained();
  };
  const auto chosen = chosen_.extract(resource);
  if (!chosen.empty() && chosen.mapped().ids == Ids(ids.begin(), ids.end()) &&
      clock_.Now() - chosen.mapped().at < kChosenFor) {
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
      for (const Asker& holder : check.holders) {
        sources_.stages.Reach(holder.pod.uid, Stage::kStarted);
      }
      done(base::Ok());
    } else {
      done(Refuse(*check.refusal, check.holders));
    }
    return PodSearch::Next();
  };
  Search(kPreStartTimeout, decide, done);
}

void Admission::FindAsker(const std::string& resource, const Done<Asker>& done) {
  const auto decide = [this, resource, done, began = clock_.Now()](const PodSearch& search) {
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
      waits_.Await(*identity.asker, began, [done, asker = *identity.asker] { done(asker); });
    } else {
      done(Refuse(*identity.refusal, identity.several));
    }
    return PodSearch::Next();
  };
  Search(kAdmissionTimeout, decide, done);
}

void Admission::Search(base::Duration timeout, PodSearch::Decide decide,
                       std::function<void(const base::Error&)> fail) {
  searches_.Start(
      timeout,
      [this, decide = std::move(decide)](const PodSearch& search) {
        sources_.tokens.Learn(search.listing());
        return decide(search);
      },
      [this, fail = std::move(fail)](const base::Error& error) {
        fail(Refuse({"Unavailable", error.message}, {}));
      });
}

StartCheck Admission::CheckStart(const std::string& resource, const Ids& ids,
                                 const PodSearch& search) {
  StartCheck check = node::CheckStart({.listing = search.listing(),
                                       .resource = resource,
                                       .ids = ids,
                                       .slices = sources_.holdings.slices(),
                                       .answers = answers_,
                                       .pod = [&](const auto& key) { return search.pod(key); },
                                       .has_processes = sources_.has_processes,
                                       .read = search.read()});
  if (check.unknown.empty() && !check.refusal) RepairHolders(search, check);
  return check;
}

void Admission::RepairHolders(const PodSearch& search, StartCheck& check) {
  for (const Asker& holder : std::vector<Asker>(check.holders)) {
    for (const Slice& slice : SlicesOf(sources_.holdings.slices(), holder)) {
      auto refusal = sources_.holdings.Hold(slice);
      if (!refusal) continue;
      // It may have been replaced by another of its name.
      if (!search.read().contains(holder.key())) check.unknown.insert(holder.key());
      check.refusal = std::move(refusal);
      check.holders = {holder};
      return;
    }
  }
}

base::Result<kubelet::ContainerEdits> Admission::Grant(const std::string& resource,
                                                       const Asker& asker,
                                                       const std::vector<std::string>& ids) {
  const auto slices = TakeSlices(asker, ids.size());
  if (!slices) return Refuse(slices.error(), {asker});
  std::vector<const dcu::Device*> devices;
  for (const Slice& slice : *slices) {
    const dcu::Device* device = FindDevice(sources_.holdings.devices(), slice.assignment.device);
    if (device == nullptr || !device->healthy) {
      const std::string why = device == nullptr ? "it is not there" : device->message;
      return Refuse({"CardNotHealthy", "card " + slice.assignment.device + ": " + why}, {asker});
    }
    devices.push_back(device);
  }
  sources_.tokens.Give(resource, ids);
  sources_.stages.Reach(asker.pod.uid, Stage::kAllocated);
  base::Log(
      base::Level::kInfo, "allocated",
      {{"pod", asker.key()}, {"container", asker.pod.container}, {"slices", Describe(*slices)}});
  sources_.tell(EventOnPod(asker, kclient::EventType::kNormal, "Allocated", Describe(*slices)));
  return EditsFor(*slices, devices, sources_.dtk_dir,
                  [this](const std::string& path) { return sources_.host.Exists(path); });
}

tl::expected<std::vector<Slice>, Refusal> Admission::TakeSlices(const Asker& asker, size_t count) {
  std::vector<Slice> slices = SlicesOf(sources_.holdings.slices(), asker);
  if (slices.empty()) {
    const auto pod = sources_.search.pods.Get(asker.key());
    return tl::make_unexpected(
        Refusal{kNoSlice, "no VDCUPartition on this node is prepared for container " +
                              asker.pod.container + ": " + WhyNoSlice(asker, pod.get())});
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
    if (auto refusal = sources_.holdings.Hold(slice))
      return tl::make_unexpected(std::move(*refusal));
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
    const bool on_owner = refusal.reason == kNoSlice && asker.owner;
    sources_.tell(on_owner ? EventOnOwner(asker, refusal, sources_.node)
                           : EventOnPod(asker, kclient::EventType::kWarning, refusal.reason,
                                        refusal.message));
  }
  return ToError(refusal);
}

bool Admission::busy() const {
  const base::TimePoint now = clock_.Now();
  return !searches_.empty() || !waits_.empty() ||
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
