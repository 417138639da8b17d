// Pods that were asked to go so that others get room, and those whose eviction was refused: by
// their UIDs. In memory only: one that a new leader asks again goes no sooner for it.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "reconcilers/view/entries.h"

namespace vdcu::reconcilers {

class Evictions {
 public:
  // It is asked; and that has come to nothing, or the watch shows that it goes, or is gone.
  void Ask(const std::string& pod_uid) { asked_.insert(pod_uid); }
  void Forget(const std::string& pod_uid) { asked_.erase(pod_uid); }
  // It was refused: it is not asked again for a while, each time for longer.
  void Spare(const std::string& pod_uid, const Settings& settings, base::TimePoint now) {
    Forget(pod_uid);
    std::erase_if(spared_,
                  [&](const auto& item) { return item.second.until + settings.spare <= now; });
    Avoidance& spared = spared_[pod_uid];
    spared.length = std::clamp(2 * spared.length, settings.spare_at_first, settings.spare);
    spared.until = now + spared.length;
  }

  bool IsAsked(std::string_view pod_uid) const { return asked_.contains(pod_uid); }
  // Nothing: it is not, or no more.
  std::optional<base::TimePoint> SparedUntil(std::string_view pod_uid, base::TimePoint now) const {
    const auto found = spared_.find(pod_uid);
    if (found == spared_.end() || found->second.until <= now) return {};
    return found->second.until;
  }

 private:
  std::set<std::string, std::less<>> asked_;
  std::map<std::string, Avoidance, std::less<>> spared_;
};

}  // namespace vdcu::reconcilers
