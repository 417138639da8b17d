#include "node/kubelet/allocatable.h"

#include <algorithm>
#include <utility>

#include <podresources.grpc.pb.h>

#include "base/log.h"
#include "node/kubelet/channel.h"
#include "node/kubelet/unary_call.h"

namespace vdcu::kubelet {

namespace {

constexpr base::Duration kTimeout{5'000};
// The kubelet takes the list in a moment after it was sent.
constexpr base::Duration kFirstRetry{5};
constexpr base::Duration kLastRetry{1'000};

std::set<std::string> ResourcesOf(const v1::AllocatableResourcesResponse& response) {
  std::set<std::string> resources;
  for (const v1::ContainerDevices& devices : response.devices()) {
    if (devices.device_ids_size() > 0) resources.insert(devices.resource_name());
  }
  return resources;
}

// Source: module k8s.io/kubernetes v1.22, pkg/kubelet/apis/podresources/server_v1.go.
bool Lacks(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNIMPLEMENTED ||
         status.error_message().find("GetAllocatableResources disabled") != std::string::npos;
}

}  // namespace

class Allocatable::Attempt {
 public:
  explicit Attempt(Allocatable& owner)
      : stub_(v1::PodResourcesLister::NewStub(ConnectTo(owner.socket_))),
        call_(
            owner.loop_, kTimeout,
            [this](auto& context, auto& response, auto done) {
              stub_->async()->GetAllocatableResources(&context, &request_, &response,
                                                      std::move(done));
            },
            [&owner](const grpc::Status& status, const auto& response) {
              if (status.ok()) return owner.OnAnswer(ResourcesOf(response));
              if (Lacks(status)) return owner.OnAnswer(owner.instead_());
              owner.OnAnswer(base::Error{base::ErrorCode::kUnavailable, status.error_message()});
            }) {}

 private:
  const v1::AllocatableResourcesRequest request_;
  const std::unique_ptr<v1::PodResourcesLister::Stub> stub_;
  UnaryCall<v1::AllocatableResourcesResponse> call_;
};

Allocatable::Allocatable(base::Loop& loop, std::string socket, std::function<Resources()> instead,
                         std::function<void()> on_complete)
    : loop_(loop),
      socket_(std::move(socket)),
      instead_(std::move(instead)),
      on_complete_(std::move(on_complete)),
      retry_timer_(loop.MakeTimer([this] { Begin(); })) {}

Allocatable::~Allocatable() = default;

void Allocatable::Ask(std::set<std::string> resources) {
  Forget();
  wanted_ = std::move(resources);
  retry_delay_ = kFirstRetry;
  Begin();
}

void Allocatable::Forget() {
  retry_timer_->Stop();
  attempt_.reset();
  complete_ = false;
}

void Allocatable::Begin() { attempt_ = std::make_unique<Attempt>(*this); }

void Allocatable::OnAnswer(const Resources& resources) {
  const auto ended = std::move(attempt_);  // it is what calls us
  complete_ = resources &&
              std::includes(resources->begin(), resources->end(), wanted_.begin(), wanted_.end());
  if (complete_) return on_complete_();
  SetProblem(resources);
  retry_timer_->Start(retry_delay_);
  if (retry_delay_ == kLastRetry) return;
  retry_delay_ = std::min(2 * retry_delay_, kLastRetry);
  if (retry_delay_ < kLastRetry) return;
  base::Log(base::Level::kWarning, "no pod can be prepared: the kubelet would refuse it",
            {{"error", problem_}});
}

void Allocatable::SetProblem(const Resources& resources) {
  if (!resources) {
    problem_ = ApiProblem(socket_, resources.error().message);
    return;
  }
  for (const std::string& name : wanted_) {
    if (!resources->contains(name)) problem_ = "the kubelet has no allocatable " + name;
  }
}

}  // namespace vdcu::kubelet
