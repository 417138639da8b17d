// The parts of the text that two requests have in common exactly where the same answer does for
// both.
#pragma once

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "dcu/allocator.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

nlohmann::json AlikeText(const dcu::SliceRequest& slice);  // but for its devices
nlohmann::json AlikeText(const dcu::DeviceSelector& devices);
nlohmann::json AlikeText(const Avoided& avoided, base::TimePoint now);
// Of a waiting pod: where it may go, cards aside.
nlohmann::json AlikeText(const View& view, const kclient::Pod& pod);
// What tells namespaces apart, where anything does: quotas, and cards that are not shared.
nlohmann::json AlikeTextOfNamespace(const View& view, const dcu::Request& cards);

}  // namespace vdcu::reconcilers
