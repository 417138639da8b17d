#include "node/plugin/slice_waits.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "crds/keys.h"

namespace vdcu::node {

base::Duration Patience(const Slices& held, const Asker& asker, const NodePod* pod) {
  // A reserved one was prepared before the pod was bound for it.
  const bool has_all = SlicesOf(held, asker).size() >= asker.count;
  if (has_all || !asker.partition.empty()) return base::Duration(0);
  if (pod == nullptr || pod->meta.uid != asker.pod.uid) return kAdmissionTimeout;
  if (pod->mirror || pod->terminal() || pod->meta.deleting()) return base::Duration(0);
  if (!pod->unassigned) return kAdmissionTimeout;
  return pod->unassigned->reason == crds::kNoRoom ? kRoomTimeout : base::Duration(0);
}

std::string WhyNoSlice(const Asker& asker, const NodePod* pod) {
  if (!asker.partition.empty()) {
    return "VDCUPartition " + asker.partition + ", which it was bound for, is not held here";
  }
  if (pod != nullptr && pod->meta.uid == asker.pod.uid) {
    if (pod->mirror)
      return "a static pod gets none, as its kubelet admits it before the API shows it";
    if (pod->meta.deleting()) return "the pod is being deleted";
    if (pod->unassigned) return pod->unassigned->message;
  }
  return "vdcu-controller has made none in time: see whether it runs";
}

SliceWaits::SliceWaits(Sources sources)
    : sources_(std::move(sources)), timer_(sources_.loop.MakeTimer([this] { Look(); })) {}

void SliceWaits::Await(const Asker& asker, base::TimePoint began, std::function<void()> done) {
  Wait wait{asker, began, std::move(done)};
  if (EndOf(wait) <= sources_.loop.clock().Now()) return wait.done();
  base::Log(base::Level::kInfo, "a slice is awaited",
            {{"pod", asker.key()}, {"container", asker.pod.container}});
  waits_.push_back(std::move(wait));
  Arm();
}

void SliceWaits::Look() {
  if (waits_.empty()) return;
  const base::TimePoint now = sources_.loop.clock().Now();
  std::list<Wait> over;
  for (auto it = waits_.begin(); it != waits_.end();) {
    const auto wait = it++;
    if (EndOf(*wait) <= now) over.splice(over.end(), waits_, wait);
  }
  Arm();
  for (const Wait& wait : over) {
    wait.done();
    sources_.on_end();
  }
}

base::TimePoint SliceWaits::EndOf(const Wait& wait) const {
  const auto pod = sources_.pods.Get(wait.asker.key());
  return wait.began + Patience(sources_.slices, wait.asker, pod.get());
}

void SliceWaits::Arm() {
  if (waits_.empty()) return timer_->Stop();
  const auto first =
      std::min_element(waits_.begin(), waits_.end(),
                       [this](const auto& a, const auto& b) { return EndOf(a) < EndOf(b); });
  timer_->Start(std::max(EndOf(*first) - sources_.loop.clock().Now(), base::Duration(0)));
}

}  // namespace vdcu::node
