// Policies that rate each node by itself and take the best, of the same rate the first in an order
// that is drawn once. A rate is kept until its node changes.
#pragma once

#include <random>
#include <vector>

#include "bench/quality/policies.h"

namespace vdcu::bench {

class Scored : public TracePolicy {
 public:
  struct Rate {
    int score = 0;
    unsigned cards = 0;
  };

  Scored(const Trace& trace, std::mt19937_64& random);
  Choice Choose(const State& state, int pod, int kind) override;

 protected:
  // Of a node that the pod fits; higher is better.
  virtual Rate RateOf(const FreeNode& node, const PodKind& kind) = 0;
  // The fullest card that has room for a shared pod; whole ones otherwise.
  static unsigned TightestCards(const FreeNode& node, const PodKind& kind);

  const Trace& trace_;

 private:
  struct Kept {
    Rate rate;
    int version = -1;
    bool fits = false;
  };

  std::vector<int> order_;               // of nodes
  std::vector<std::vector<Kept>> kept_;  // by kind, node
};

std::unique_ptr<TracePolicy> MakeBestFit(const Trace& trace, std::mt19937_64& random);
std::unique_ptr<TracePolicy> MakeFgd(const Trace& trace, std::mt19937_64& random);

}  // namespace vdcu::bench
