#include "tests/node/lister.h"

#include <mutex>
#include <utility>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <podresources.grpc.pb.h>

namespace vdcu::node {

class Lister::Service : public v1::PodResourcesLister::Service {
 public:
  explicit Service(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  grpc::Status List(grpc::ServerContext*, const v1::ListPodResourcesRequest*,
                    v1::ListPodResourcesResponse* response) override {
    const std::lock_guard lock(mutex_);
    if (busy_times_-- > 0) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many"};
    ++lists_;
    for (const Entry& entry : entries_) {
      auto& pod = *response->add_pod_resources();
      pod.set_namespace_(entry.ns);
      pod.set_name(entry.pod);
      auto& container = *pod.add_containers();
      container.set_name(entry.container);
      if (entry.ids.empty()) continue;
      auto& devices = *container.add_devices();
      devices.set_resource_name(entry.resource);
      for (const std::string& id : entry.ids) devices.add_device_ids(id);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetAllocatableResources(grpc::ServerContext*, const v1::AllocatableResourcesRequest*,
                                       v1::AllocatableResourcesResponse* response) override {
    const std::lock_guard lock(mutex_);
    if (!lacks_.ok()) return lacks_;
    for (const std::string& resource : allocatable_) {
      auto& devices = *response->add_devices();
      devices.set_resource_name(resource);
      devices.add_device_ids("vdcu-0");
    }
    return grpc::Status::OK;
  }

  std::mutex mutex_;
  std::vector<Entry> entries_;  // all guarded by mutex_
  std::vector<std::string> allocatable_;
  grpc::Status lacks_;  // of GetAllocatableResources
  int busy_times_ = 0;
  int lists_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Lister::Lister(std::initializer_list<Entry> entries)
    : service_(std::make_unique<Service>(entries)) {}

Lister::~Lister() = default;

void Lister::Listen(const std::string& socket) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix://" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(service_.get());
  service_->server_ = builder.BuildAndStart();
  ASSERT_TRUE(service_->server_) << socket;
}

void Lister::Set(std::vector<Entry> entries) {
  const std::lock_guard lock(service_->mutex_);
  service_->entries_ = std::move(entries);
}

void Lister::SetAllocatable(std::vector<std::string> resources) {
  const std::lock_guard lock(service_->mutex_);
  service_->allocatable_ = std::move(resources);
}

void Lister::LackAllocatable(int code, const std::string& message) {
  const std::lock_guard lock(service_->mutex_);
  service_->lacks_ = {static_cast<grpc::StatusCode>(code), message};
}

void Lister::BeBusy(int times) {
  const std::lock_guard lock(service_->mutex_);
  service_->busy_times_ = times;
}

int Lister::lists() const {
  const std::lock_guard lock(service_->mutex_);
  return service_->lists_;
}

}  // namespace vdcu::node
