// The kubelet's pod-resources socket, with the answers that a test gives it.
#pragma once

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <podresources.grpc.pb.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/uv_loop.h"

namespace vdcu::node {

// Posted work alone does not keep a loop going, as a process's other handles do.
class TestLoop : public base::UvLoop {
 public:
  TestLoop() { alive_->Start(base::Duration(3'600'000)); }

 private:
  const base::TimerPtr alive_ = MakeTimer([] {});
};

class Lister : public v1::PodResourcesLister::Service {
 public:
  struct Entry {
    std::string ns;
    std::string pod;
    std::string container;
    std::string resource;
    std::vector<std::string> ids;  // none: it has no device
  };

  Lister(std::initializer_list<Entry> entries) : entries_(entries) {}

  void Listen(const std::string& socket) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + socket, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    ASSERT_TRUE(server_) << socket;
  }
  void Set(std::vector<Entry> entries) {
    const std::lock_guard lock(mutex_);
    entries_ = std::move(entries);
  }
  // The next so many requests are too many for it.
  void BeBusy(int times) {
    const std::lock_guard lock(mutex_);
    busy_times_ = times;
  }
  int lists() {
    const std::lock_guard lock(mutex_);
    return lists_;
  }

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

 private:
  std::mutex mutex_;
  std::vector<Entry> entries_;  // all guarded by mutex_
  int busy_times_ = 0;
  int lists_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace vdcu::node
