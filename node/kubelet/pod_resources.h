// The kubelet's pod-resources API: which pods it has, and which devices their containers hold.
// Source: module k8s.io/kubelet, pkg/apis/podresources/v1/api.proto.
//
// The kubelet answers 100 calls a second, ten at once, for all clients of the node together, and a
// List makes it forget a device whose Allocate is in flight. So one List at a time goes out, and
// everybody who asked before it began shares its answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace grpc {
class Channel;
}
namespace v1 {
class ListPodResourcesResponse;
}

namespace vdcu::kubelet {

struct ListedContainer {
  std::string name;
  std::map<std::string, std::vector<std::string>> devices;  // ids by resource name
};

struct ListedPod {
  std::string ns;
  std::string name;
  std::vector<ListedContainer> containers;  // those of init containers left out by the kubelet
};

using Listing = std::vector<ListedPod>;
std::shared_ptr<const Listing> ToListing(const v1::ListPodResourcesResponse& response);

class PodResources {
 public:
  using Done = std::function<void(base::Result<std::shared_ptr<const Listing>>)>;

  // A List under way. Destroying it, which `done` may do, ends it: `done` does not run any more.
  class Call {
   public:
    explicit Call(Done done) : done_(std::make_shared<const Done>(std::move(done))) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    friend class PodResources;

    const std::shared_ptr<const Done> done_;
  };
  using CallPtr = std::unique_ptr<Call>;

  // `socket` is a path; nothing is connected until the first List.
  PodResources(base::Loop& loop, std::string socket);
  ~PodResources();
  PodResources(const PodResources&) = delete;
  PodResources& operator=(const PodResources&) = delete;

  const std::string& socket() const { return socket_; }
  // Whether somebody listens at the socket.
  base::Status Check() const;
  // A List that begins after this call. It is tried again within `timeout` while the kubelet is too
  // busy or not there. `done` runs once, in a later turn of the loop, and may destroy this object.
  // Errors: kThrottled, kUnavailable, with what the kubelet said last.
  [[nodiscard]] CallPtr List(base::Duration timeout, Done done);

 private:
  struct Waiting {
    base::TimePoint deadline;
    std::weak_ptr<const Done> done;  // gone: nobody wants the answer any more
  };
  class Attempt;

  void Begin();
  void OnAnswer(base::Result<std::shared_ptr<const Listing>> answer);

  base::Loop& loop_;
  const std::string socket_;
  std::vector<Waiting> waiting_;            // for the next List
  std::vector<Waiting> sharing_;            // the List in flight, or to be tried again
  std::shared_ptr<grpc::Channel> channel_;  // none before the first List and after a failure
  std::unique_ptr<Attempt> attempt_;
  base::TimerPtr retry_timer_;
};

}  // namespace vdcu::kubelet
