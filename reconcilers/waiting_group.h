// A group of pods that waits for cards: all of them get some in one decision, or none does.
#pragma once

#include <memory>

#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

// Null: the group does not wait for cards (any more), or not all of it exists.
std::unique_ptr<const Waiting> FindWaitingGroup(const View& view, const Key& key);

}  // namespace vdcu::reconcilers
