// Whether a container may start, which is what PreStartContainer asks: a decision from what the
// kubelet lists, the API shows and this node holds.
//
// Every container that the kubelet lists with one of the ids is a holder, as the call does not say
// which one starts. All of them must be of pods that run, with all their slices held here; a pod
// that the API does not have is on its way out, and is not what starts. Nor may an id have been
// given for a container that is none of them: it has been given the files of that container, though
// it may have slices of its own. (A slice that was released belongs to nobody; its ids may be
// anybody's.)
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/plugin/answers.h"
#include "node/plugin/identity.h"
#include "node/slices.h"

namespace vdcu::node {

struct StartView {
  const kubelet::Listing& listing;
  std::string resource;
  std::set<std::string> ids;
  const Slices& slices;    // what is held
  const Answers& answers;  // whom the ids were given for
  // As in IdentityView.
  std::function<const NodePod*(const std::string& key)> pod;
  std::function<bool(const std::string& uid)> has_processes;
  const std::set<std::string>& read;
};

struct StartCheck {
  std::set<std::string> unknown = {};             // keys: read these from the API, then ask again
  std::optional<Refusal> refusal = std::nullopt;  // of the first of the holders
  std::vector<Asker> holders = {};                // of the ids
};

// It may start where nothing is unknown and nothing refused.
StartCheck CheckStart(const StartView& view);

}  // namespace vdcu::node
