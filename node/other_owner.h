// Traces of another plugin that owns this node's cards: two would grant the same units twice.
//
// Sources: sockets in the kubelet's device-plugins folder (of a vdcu-node: only where it lives);
// vdev files that no slice of ours has (docs/vdev-file.md); the community plugin's folders
// /usr/local/vgpu/dcu/<pod uid>_…; its node annotations hami.io/node-dcu-register and
// node-handshake-dcu ("Reported <time>", renewed every 30 s; it alone, too, while it is renewed),
// and the same with hcu. What vdcu-node --hami has written there is ours (crds/hami.h).
//
// A trace is dead where it provably serves nobody: a socket that refuses connections, a folder of a
// pod without processes, a vdev file with the same bytes as one in such a folder, an annotation not
// renewed for five minutes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "node/slices.h"

namespace vdcu::node {

struct Trace {
  enum class Kind { kSocket, kVdevFile, kPodFolder, kAnnotation };
  Kind kind;
  std::string name;  // a path, or the annotation's key
  bool dead = false;

  friend bool operator==(const Trace&, const Trace&) = default;
};

struct HostTraces {
  const base::Root& host;
  std::string plugin_folder;            // the kubelet's, as this process sees it
  const std::set<std::string>& own;     // sockets of this process, by name without its number
  const std::set<std::string>& former;  // what a vdcu-node of other --resource-names may have left
  const Slices& slices;                 // ours
  std::function<bool(const std::string& pod_uid)> has_processes;
};

std::vector<Trace> FindTraces(const HostTraces& where);
std::vector<Trace> FindTraces(const std::map<std::string, std::string, std::less<>>& annotations,
                              base::WallTime now);

// Removes what is dead and on this host; an annotation stays.
base::Status RemoveTrace(const base::Root& host, const Trace& trace);

// kForbidden, naming those that are alive, or without `take_over` all; Ok where nobody is named.
base::Status MayOwn(const std::vector<Trace>& traces, bool take_over);

}  // namespace vdcu::node
