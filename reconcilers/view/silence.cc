#include "reconcilers/view/silence.h"

namespace vdcu::reconcilers {

void Silence::Note(const std::string& node, base::TimePoint now) {
  Row& row = nodes_[node];
  const base::Duration first = 2 * settings_.prepare_timeout;
  if (now < row.until) {  // another pod that had been placed there
    row.until = std::max(row.until, now + first);
    return;
  }
  row.length = std::clamp(2 * row.length, first, std::max(first, settings_.avoid));
  row.until = now + row.length;
  row.over = false;
}

}  // namespace vdcu::reconcilers
