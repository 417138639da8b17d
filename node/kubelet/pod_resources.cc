#include "node/kubelet/pod_resources.h"

#include <algorithm>
#include <utility>

#include <podresources.grpc.pb.h>
#include "node/kubelet/channel.h"
#include "node/kubelet/unary_call.h"

namespace vdcu::kubelet {

namespace {

constexpr base::Duration kRetryDelay{20};

base::Error ToError(const grpc::Status& status, const std::string& socket) {
  const auto code = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED
                        ? base::ErrorCode::kThrottled
                        : base::ErrorCode::kUnavailable;
  return {code, ApiProblem(socket, status.error_message())};
}

}  // namespace

std::shared_ptr<const Listing> ToListing(const v1::ListPodResourcesResponse& response) {
  auto listing = std::make_shared<Listing>();
  for (const v1::PodResources& pod : response.pod_resources()) {
    ListedPod& listed = listing->emplace_back();
    listed.ns = pod.namespace_();
    listed.name = pod.name();
    for (const v1::ContainerResources& container : pod.containers()) {
      ListedContainer& entry = listed.containers.emplace_back();
      entry.name = container.name();
      for (const v1::ContainerDevices& devices : container.devices()) {
        auto& ids = entry.devices[devices.resource_name()];
        ids.insert(ids.end(), devices.device_ids().begin(), devices.device_ids().end());
      }
    }
  }
  return listing;
}

class PodResources::Attempt {
 public:
  Attempt(PodResources& owner, base::Duration timeout)
      : stub_(v1::PodResourcesLister::NewStub(owner.channel_)),
        call_(
            owner.loop_, timeout,
            [this](auto& context, auto& response, auto done) {
              stub_->async()->List(&context, &request_, &response, std::move(done));
            },
            [&owner](const grpc::Status& status, const v1::ListPodResourcesResponse& response) {
              if (!status.ok()) return owner.OnAnswer(ToError(status, owner.socket_));
              owner.OnAnswer(ToListing(response));
            }) {}

 private:
  const v1::ListPodResourcesRequest request_;
  const std::unique_ptr<v1::PodResourcesLister::Stub> stub_;
  UnaryCall<v1::ListPodResourcesResponse> call_;
};

PodResources::PodResources(base::Loop& loop, std::string socket)
    : loop_(loop), socket_(std::move(socket)), retry_timer_(loop.MakeTimer([this] { Begin(); })) {}

PodResources::~PodResources() = default;

base::Status PodResources::Check() const {
  if (IsListenedAt(socket_)) return base::Ok();
  return base::NotFound("the kubelet's pod-resources API: nobody listens at " + socket_ +
                        ": want --kubelet-root-dir to be the kubelet's --root-dir, and the kubelet "
                        "to have started");
}

PodResources::CallPtr PodResources::List(base::Duration timeout, Done done) {
  auto call = std::make_unique<Call>(std::move(done));
  waiting_.push_back({loop_.clock().Now() + timeout, call->done_});
  if (!attempt_ && !retry_timer_->armed()) Begin();
  return call;
}

void PodResources::Begin() {
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(sharing_));
  waiting_.clear();
  base::TimePoint last = loop_.clock().Now();
  for (const Waiting& one : sharing_) last = std::max(last, one.deadline);
  if (!channel_) channel_ = ConnectTo(socket_);
  const auto left = std::chrono::ceil<base::Duration>(last - loop_.clock().Now());
  attempt_ = std::make_unique<Attempt>(*this, left);
}

void PodResources::OnAnswer(base::Result<std::shared_ptr<const Listing>> answer) {
  const auto ended = std::move(attempt_);  // it is what calls us
  // The kubelet may have replaced its socket: the next request connects anew.
  if (!answer && answer.error().code != base::ErrorCode::kThrottled) channel_.reset();
  std::vector<Waiting> sharing = std::move(sharing_);
  sharing_.clear();
  const base::TimePoint now = loop_.clock().Now();
  std::vector<std::weak_ptr<const Done>> answered;
  for (Waiting& one : sharing) {
    if (one.done.expired()) continue;
    if (answer || one.deadline <= now + kRetryDelay) {
      answered.push_back(std::move(one.done));
    } else {
      sharing_.push_back(std::move(one));
    }
  }
  if (!sharing_.empty()) {
    retry_timer_->Start(kRetryDelay);
  } else if (!waiting_.empty()) {
    Begin();
  }
  for (const auto& one : answered) {
    if (const auto done = one.lock()) (*done)(answer);
  }
}

}  // namespace vdcu::kubelet
