#include "kclient/engine/plan.h"

#include <utility>

namespace vdcu::kclient {

WorkPlan PlanOf(std::optional<Write> write, std::function<void()> on_written) {
  WorkPlan plan;
  if (!write) return plan;
  PlannedTask& task = plan.writes.emplace_back();
  task.write = std::move(*write);
  if (!on_written) return plan;
  task.on_answer = [then = std::move(on_written)](const Answer& answer, Outcome /*outcome*/) {
    if (answer) then();
  };
  return plan;
}

}  // namespace vdcu::kclient
