// What other schedulers have asked for and are told the end of: this pod on this node, with its
// slices. By the pod's UID.
//
// Promise: for one pod there is one at a time; that of another node takes the place of the one
// before.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace vdcu::reconcilers {

struct Commit {
  std::string node;
  base::TimePoint until{};    // it is given up then
  std::string failure;        // why it will not be; empty: it may yet
  bool caller_binds = false;  // whoever asks does it; else we do
  bool ready = false;         // it may be bound now, by whoever asks
};

class Commits {
 public:
  // Again for the same node: the same goes on, unless it has failed.
  void Ask(const std::string& pod_uid, Commit asked) {
    Commit& commit = commits_[pod_uid];
    const bool same = commit.node == asked.node && commit.caller_binds == asked.caller_binds;
    if (!same || !commit.failure.empty()) commit = std::move(asked);
  }
  void Fail(std::string_view pod_uid, const std::string& why) {
    const auto found = commits_.find(pod_uid);
    if (found != commits_.end() && found->second.failure.empty()) found->second.failure = why;
  }
  // Whoever asks may bind the pod until then.
  void SetReady(std::string_view pod_uid, base::TimePoint until) {
    const auto found = commits_.find(pod_uid);
    if (found == commits_.end() || found->second.ready) return;
    found->second.ready = true;
    found->second.until = until;
  }
  // The pod is bound, or never will be.
  void Forget(const std::string& pod_uid) { commits_.erase(pod_uid); }

  // Null: nobody has asked.
  const Commit* Find(std::string_view pod_uid) const {
    const auto found = commits_.find(pod_uid);
    return found == commits_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, Commit, std::less<>> commits_;
};

}  // namespace vdcu::reconcilers
