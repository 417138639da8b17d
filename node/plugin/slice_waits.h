// Calls of the kubelet for a container whose slices are not held yet: a pod that came to this node
// without one is given one now (reconcilers/adoption.h). They are kept open until the slices are
// held, or none is to be expected any more.
//
// Promises: a call waits no longer than Patience says of the state as it is; the kubelet's one loop
// stands still meanwhile, ours does not.
#pragma once

#include <functional>
#include <list>

#include "base/loop.h"
#include "kclient/store.h"
#include "node/node_pod.h"
#include "node/plugin/identity.h"

namespace vdcu::node {

// An admission has so long: the kubelet's list of pods, the API server and a slice that is awaited.
inline constexpr base::Duration kAdmissionTimeout{10'000};
// Of it for a pod for which the controller has found no room: what another lets go of comes sooner.
inline constexpr base::Duration kRoomTimeout{2'000};

// For how long, from its start, an admission waits for slices of the container. 0: it has all, or
// there is none to wait for. `pod`: as the watch shows it; null: it does not.
base::Duration Patience(const Slices& held, const Asker& asker, const NodePod* pod);

// Why it has none, as part of a sentence.
std::string WhyNoSlice(const Asker& asker, const NodePod* pod);

class SliceWaits {
 public:
  // `on_end` runs after each of those that had to wait.
  struct Sources {
    base::Loop& loop;
    const Slices& slices;
    const kclient::Store<NodePod>& pods;
    std::function<void()> on_end;
  };

  explicit SliceWaits(Sources sources);
  SliceWaits(const SliceWaits&) = delete;
  SliceWaits& operator=(const SliceWaits&) = delete;

  // `done` runs when it need not wait any more, which may be at once.
  void Await(const Asker& asker, base::TimePoint began, std::function<void()> done);
  // The state has changed, or time has passed.
  void Look();
  bool empty() const { return waits_.empty(); }

 private:
  struct Wait {
    Asker asker;
    base::TimePoint began;
    std::function<void()> done;
  };

  base::TimePoint EndOf(const Wait& wait) const;
  void Arm();

  const Sources sources_;
  std::list<Wait> waits_;
  const base::TimerPtr timer_;  // armed for the first that ends
};

}  // namespace vdcu::node
