// Rules in the simulation (quotas, policies) that refuse some writes for a while.
#include <algorithm>

#include "tests/simulation/simulated_objects.h"
#include "tests/simulation/simulation.h"

namespace vdcu::simulation {

namespace {

constexpr int kRules = 9;

}  // namespace

// One comes into force, or none is any more.
void Simulation::ChangeRules() {
  if (Draw() < 0.4) {
    rules_.clear();
  } else {
    rules_.insert(Pick(kRules));
  }
}

bool Simulation::IsRefused(const SimulatedApi::Write& write) const {
  const bool pod = write.kind == "pods";
  const bool bind = write.subresource == "binding";
  const bool status = write.subresource == "status";
  const bool create = write.method == "POST" && !bind;
  const std::string of = create ? Text(write.body, "/spec/podRef/name") : write.key;
  const int number = of.empty() ? 0 : of.back() - '0';
  const bool matches[kRules] = {
      create && number % 3 == 0,
      create && Text(write.body, "/spec/podRef/container") == "second",
      bind && number % 3 == 1,
      bind,
      Grants(write.body) && write.method == "PATCH",
      pod && status,
      !pod && status,
      write.method == "DELETE",
      write.method == "PATCH" && !status && !Grants(write.body),
  };
  return std::any_of(rules_.begin(), rules_.end(), [&](int rule) { return matches[rule]; });
}

}  // namespace vdcu::simulation
