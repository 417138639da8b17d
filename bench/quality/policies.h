// Who decides where a pod of the trace goes: policies of others, as they were published, and those
// of dcu/.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/quality/state.h"
#include "bench/quality/trace.h"

namespace vdcu::bench {

// What decisions of the allocator on pods with cards have cost.
struct Effort {
  std::vector<double> placed;  // microseconds of this thread's CPU time, of each
  std::vector<double> refused;
  std::vector<double> changes;  // what tells the inventory of a pod that was placed
  int64_t asked = 0;            // how often the node filter was
};

class TracePolicy {
 public:
  virtual ~TracePolicy() = default;
  // `pod` is a number of its own for each call. Who gets nothing is gone.
  virtual Choice Choose(const State& state, int pod, int kind) = 0;
  // The pod, which had a place, is gone.
  virtual void Leave(int /*pod*/, int /*kind*/) {}

  const Effort& effort() const { return effort_; }

 protected:
  Effort effort_;
};

// "random", "best-fit", "FGD", "BinPack", "Spread". A shared pod gets any card of the node from
// random, the fullest that has room from best-fit, that which it rates best from FGD.
const std::vector<std::string>& PolicyNames();
// Null: no such policy. The trace outlives it.
std::unique_ptr<TracePolicy> MakePolicy(const std::string& name, const Trace& trace,
                                        std::mt19937_64& random);

}  // namespace vdcu::bench
