#include "tests/faults/guard.h"

#include <utility>

#include "tests/integration/placement_fixture.h"
#include "tests/world/invariants.h"

namespace vdcu::faults {

using world::Api;
using world::Worker;

Guard::Guard(const Api& api, const Worker& node)
    : api_(api), node_(node), thread_([this] {
        do {
          Look();
          std::this_thread::sleep_for(base::Duration(20));
        } while (!ends_);
      }) {}

Guard::~Guard() {
  ends_ = true;
  thread_.join();
}

std::vector<std::string> Guard::Breaches() const {
  const std::lock_guard lock(mutex_);
  return breaches_;
}

void Guard::Look() {
  auto found = world::BreachesOfObjects(api_.List(world::kPartitions), {&node_});
  const auto in_files = world::BreachesOfSteadyFiles(node_);
  found.insert(found.end(), in_files.begin(), in_files.end());
  const std::lock_guard lock(mutex_);
  breaches_.insert(breaches_.end(), found.begin(), found.end());
}

}  // namespace vdcu::faults
