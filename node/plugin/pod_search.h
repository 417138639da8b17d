// One question about the pods that the kubelet lists: lists them, reads from the API those that the
// watch does not show (yet), and lets the asker decide, who may want another look a moment later.
// Each is tried again until the time is up.
//
// Promises: it ends once, when `decide` has decided or with `fail`, both in a later turn; `on_end`
// is the last that it calls. Destroying it, which of the three only `on_end` may do, ends it
// without them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/loop.h"
#include "kclient/api.h"
#include "kclient/store.h"
#include "node/kubelet/pod_resources.h"
#include "node/node_pod.h"

namespace vdcu::node {

class PodSearch {
 public:
  struct Sources {
    base::Loop& loop;
    kclient::Client& client;
    kubelet::PodResources& pod_resources;
    const kclient::Store<NodePod>& pods;
  };
  // What is to be done before it is asked again; nothing: it has decided.
  struct Next {
    std::set<std::string> read = {};  // pods ("namespace/name") to be read from the API
    bool look_again = false;          // all anew, a moment later; only where there is time
  };
  using Decide = std::function<Next(const PodSearch& search)>;

  struct Callbacks {
    Decide decide;
    std::function<void(const base::Error&)> fail;
    std::function<void()> on_end;
  };

  PodSearch(Sources sources, base::Duration timeout, Callbacks callbacks);
  PodSearch(const PodSearch&) = delete;
  PodSearch& operator=(const PodSearch&) = delete;

  const kubelet::Listing& listing() const { return *listing_; }
  // As the API has it, else as the watch shows it; null: no such pod, or not known.
  const NodePod* pod(const std::string& key) const;
  // Keys of the pods that were read from the API.
  const std::set<std::string>& read() const { return read_; }
  bool has_time_to_look_again() const;

 private:
  void List();
  void OnListing(base::Result<std::shared_ptr<const kubelet::Listing>> listing);
  void Ask();
  void ReadNext();
  void ReadLater(const base::Error& error);
  void OnPod(const std::string& key, const base::Result<kclient::JsonView>& answer);
  void Fail(const base::Error& error);
  void End();

  const Sources sources_;
  Callbacks callbacks_;
  const base::TimePoint deadline_;
  const base::TimerPtr timer_;
  const base::TimerPtr retry_timer_;
  const base::TimerPtr look_timer_;
  std::shared_ptr<const kubelet::Listing> listing_;
  std::set<std::string> to_read_;
  std::set<std::string> read_;
  std::map<std::string, NodePod> pods_;  // of read_, those that are there
  kubelet::PodResources::CallPtr list_call_;
  kclient::CallPtr call_;
  std::string last_error_;  // of the API server
};

// The searches of one asker.
class PodSearches {
 public:
  // `on_end` runs after each.
  PodSearches(const PodSearch::Sources& sources, std::function<void()> on_end)
      : sources_(sources), on_end_(std::move(on_end)) {}

  // As PodSearch's.
  void Start(base::Duration timeout, PodSearch::Decide decide,
             std::function<void(const base::Error&)> fail);
  // Whether none is under way.
  bool empty() const { return searches_.empty(); }

 private:
  const PodSearch::Sources sources_;
  const std::function<void()> on_end_;
  std::map<uint64_t, std::unique_ptr<PodSearch>> searches_;
  uint64_t count_ = 0;
};

}  // namespace vdcu::node
