#include "kclient/engine/plan.h"

#include <utility>

namespace vdcu::kclient {

WorkPlan OneByOne(std::vector<Write> writes, std::function<void()> on_written) {
  WorkPlan plan{.one_by_one = true};
  for (Write& write : writes) plan.writes.push_back({.write = std::move(write)});
  if (!on_written || plan.writes.empty()) return plan;
  plan.writes.back().on_answer = [then = std::move(on_written)](const Answer& answer,
                                                                Outcome /*outcome*/) {
    if (answer) then();
  };
  return plan;
}

}  // namespace vdcu::kclient
