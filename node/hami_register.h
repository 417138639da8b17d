// The annotations of this Node by which tools made for HAMi see its cards (--hami, crds/hami.h).
//
// Promises: they are written when cards, health or memory change, and by nothing that passes with
// time; the handshake is answered only where somebody asks, which a HAMi scheduler alone does: that
// is told by a warning, as it places pods on this node then. What we wrote as the other family
// goes.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/loop.h"
#include "base/random.h"
#include "crds/hami.h"
#include "kclient/engine/plan.h"
#include "kclient/informer.h"
#include "node/metrics.h"
#include "node/node_state.h"

namespace vdcu::node {

// A Node, for its annotations hami.io/….
struct AnnotatedNode {
  kclient::ObjectMeta meta;
  static base::Result<AnnotatedNode> FromJson(kclient::JsonView object);
};

// What is to be changed of the annotations, as a merge patch has it; an empty object: nothing.
nlohmann::json HamiChanges(crds::Hami family, const kclient::Labels& annotations,
                           const std::vector<dcu::Device>& cards, base::WallTime now);
// What a HAMi scheduler has written to ask whether the node's cards are served; empty: nobody asks.
std::string HamiRequest(crds::Hami family, const kclient::Labels& annotations);

class HamiRegister {
 public:
  struct Sources {
    base::Loop& loop;
    kclient::Client& client;
    const NodeState& state;
    Metrics& metrics;
  };

  HamiRegister(Sources sources, crds::Hami family, base::Random random);

  void Start() { informer_.Start(); }
  const kclient::Informer<AnnotatedNode>& informer() const { return informer_; }
  kclient::WorkPlan Reconcile();

 private:
  const Sources sources_;
  const crds::Hami family_;
  kclient::Informer<AnnotatedNode> informer_;
  std::string request_;  // the last that was told
};

}  // namespace vdcu::node
