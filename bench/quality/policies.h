// Who decides where a pod of the trace goes: policies of others, as they were published, and those
// of dcu/.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/quality/state.h"
#include "bench/quality/trace.h"

namespace vdcu::bench {

class TracePolicy {
 public:
  virtual ~TracePolicy() = default;
  virtual Choice Choose(const State& state, int kind) = 0;
};

// "random", "best-fit", "FGD", "BinPack", "Spread". A shared pod gets any card of the node from
// random, the fullest that has room from best-fit, that which it rates best from FGD.
const std::vector<std::string>& PolicyNames();
// Null: no such policy. The trace outlives it.
std::unique_ptr<TracePolicy> MakePolicy(const std::string& name, const Trace& trace,
                                        std::mt19937_64& random);

}  // namespace vdcu::bench
