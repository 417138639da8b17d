#include "node/kubelet/plugin_server.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <utility>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <deviceplugin.grpc.pb.h>

namespace vdcu::kubelet {

namespace {

using v1beta1::ListAndWatchResponse;

grpc::Status ToStatus(const base::Error& error) {
  const auto code = error.code == base::ErrorCode::kUnavailable
                        ? grpc::StatusCode::UNAVAILABLE
                        : grpc::StatusCode::FAILED_PRECONDITION;
  return {code, error.message};
}

grpc::Status Closing() {
  return {grpc::StatusCode::UNAVAILABLE, "vdcu-node ends, or starts its plugin anew"};
}

// Calls of one sort that are open. They are added by gRPC's threads, so that closing ends those,
// too, that the loop has not seen yet; they are ended on the loop's thread only, and who ends one
// has taken it out, so each is ended once.
template <class Reactor>
class OpenCalls {
 public:
  // Otherwise it is too late: the caller ends it.
  bool Add(Reactor* call) {
    const std::lock_guard lock(mutex_);
    if (!closed_) calls_.insert(call);
    return !closed_;
  }
  bool Contains(Reactor* call) {
    const std::lock_guard lock(mutex_);
    return calls_.contains(call);
  }
  void End(Reactor* call, const grpc::Status& status) {
    if (Take(call)) call->Finish(status);
  }
  void Close() {
    std::set<Reactor*> calls;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      calls.swap(calls_);
    }
    for (Reactor* call : calls) call->Finish(Closing());
  }

 private:
  bool Take(Reactor* call) {
    const std::lock_guard lock(mutex_);
    return calls_.erase(call) > 0;
  }

  std::mutex mutex_;
  bool closed_ = false;  // guarded by mutex_, as calls_ is
  std::set<Reactor*> calls_;
};

class DeviceStream;

// What the calls share. It outlives the server while work of theirs waits on the loop.
struct Core {
  base::Loop& loop;
  PluginHandler& handler;  // while there is a server: that is while calls are open
  const std::string resource;
  const std::function<void()> on_watched;
  ListAndWatchResponse devices = {};
  uint64_t version = 1;  // of devices
  OpenCalls<grpc::ServerUnaryReactor> calls = {};
  OpenCalls<DeviceStream> streams = {};
  std::set<DeviceStream*> watching = {};  // those that the loop knows
};

// One ListAndWatch. gRPC deletes it (OnDone), only after the loop has ended it.
class DeviceStream : public grpc::ServerWriteReactor<ListAndWatchResponse> {
 public:
  explicit DeviceStream(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  // On the loop: sends the list where it is a newer one.
  void Offer() {
    if (writing_ || seen_ == core_->version) return;
    writing_ = true;
    seen_ = core_->version;
    response_ = core_->devices;
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    OnLoop([this, ok] {
      writing_ = false;
      if (!ok) return End();
      if (!std::exchange(has_list_, true)) core_->on_watched();
      Offer();
    });
  }
  void OnCancel() override {
    OnLoop([this] { End(); });
  }
  void OnDone() override { delete this; }

  bool has_list() const { return has_list_; }

  // Runs `work` on the loop, unless the stream has ended by then.
  template <class Work>
  void OnLoop(const Work& work) {
    core_->loop.Post([core = core_, stream = this, work] {
      if (core->streams.Contains(stream)) work();
    });
  }

 private:
  void End() {
    const std::shared_ptr<Core> core = core_;
    core->watching.erase(this);
    core->streams.End(this, grpc::Status::OK);
    core->on_watched();
  }

  const std::shared_ptr<Core> core_;
  bool writing_ = false;
  bool has_list_ = false;
  uint64_t seen_ = 0;
  ListAndWatchResponse response_;
};

template <class Ids>
std::vector<std::string> ToVector(const Ids& ids) {
  return {ids.begin(), ids.end()};
}

void ToResponse(const ContainerEdits& edits, v1beta1::ContainerAllocateResponse& response) {
  for (const ContainerEdits::Mount& mount : edits.mounts) {
    v1beta1::Mount& out = *response.add_mounts();
    out.set_container_path(mount.container_path);
    out.set_host_path(mount.host_path);
    out.set_read_only(true);
  }
  for (const ContainerEdits::DeviceNode& node : edits.devices) {
    v1beta1::DeviceSpec& out = *response.add_devices();
    out.set_container_path(node.path);
    out.set_host_path(node.path);
    out.set_permissions(node.permissions);
  }
}

ListAndWatchResponse ToResponse(const std::vector<Device>& devices) {
  ListAndWatchResponse response;
  for (const Device& device : devices) {
    v1beta1::Device& out = *response.add_devices();
    out.set_id(device.id);
    out.set_health(device.healthy ? "Healthy" : "Unhealthy");
  }
  return response;
}

}  // namespace

class PluginServer::Service : public v1beta1::DevicePlugin::CallbackService {
 public:
  explicit Service(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  grpc::ServerUnaryReactor* GetDevicePluginOptions(grpc::CallbackServerContext* context,
                                                   const v1beta1::Empty* /*request*/,
                                                   v1beta1::DevicePluginOptions* options) override {
    options->set_pre_start_required(true);
    options->set_get_preferred_allocation_available(true);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<ListAndWatchResponse>* ListAndWatch(
      grpc::CallbackServerContext* /*context*/, const v1beta1::Empty* /*request*/) override {
    auto* stream = new DeviceStream(core_);  // gRPC's, see OnDone
    if (!core_->streams.Add(stream)) {
      stream->Finish(Closing());
      return stream;
    }
    stream->OnLoop([core = core_, stream] {
      core->watching.insert(stream);
      stream->Offer();
    });
    return stream;
  }

  grpc::ServerUnaryReactor* GetPreferredAllocation(
      grpc::CallbackServerContext* context, const v1beta1::PreferredAllocationRequest* request,
      v1beta1::PreferredAllocationResponse* response) override {
    return OnLoop(context, [this, request, response](auto* call) {
      if (request->container_requests_size() != 1) return RefuseMany(call);
      const auto& asked = request->container_requests(0);
      core_->handler.Choose(core_->resource,
                            {.available = ToVector(asked.available_deviceids()),
                             .required = ToVector(asked.must_include_deviceids()),
                             .size = static_cast<size_t>(std::max(0, asked.allocation_size()))},
                            Answer<std::vector<std::string>>(call, [response](const auto& ids) {
                              auto& out = *response->add_container_responses();
                              for (const std::string& id : ids) out.add_deviceids(id);
                            }));
    });
  }

  grpc::ServerUnaryReactor* Allocate(grpc::CallbackServerContext* context,
                                     const v1beta1::AllocateRequest* request,
                                     v1beta1::AllocateResponse* response) override {
    return OnLoop(context, [this, request, response](auto* call) {
      if (request->container_requests_size() != 1) return RefuseMany(call);
      core_->handler.Allocate(core_->resource,
                              ToVector(request->container_requests(0).devices_ids()),
                              Answer<ContainerEdits>(call, [response](const auto& edits) {
                                ToResponse(edits, *response->add_container_responses());
                              }));
    });
  }

  grpc::ServerUnaryReactor* PreStartContainer(
      grpc::CallbackServerContext* context, const v1beta1::PreStartContainerRequest* request,
      v1beta1::PreStartContainerResponse* /*response*/) override {
    return OnLoop(context, [this, request](auto* call) {
      core_->handler.PreStart(core_->resource, ToVector(request->devices_ids()),
                              [core = core_, call](const base::Status& status) {
                                core->calls.End(
                                    call, status ? grpc::Status::OK : ToStatus(status.error()));
                              });
    });
  }

  // Blocks until gRPC has let go of every call, all of which end at once.
  void Close() {
    core_->calls.Close();
    core_->streams.Close();
    core_->watching.clear();
    if (server) server->Shutdown(std::chrono::system_clock::time_point::min());
  }

  Core& core() { return *core_; }

  std::unique_ptr<grpc::Server> server;

 private:
  // The request and response stand until the call has ended.
  template <class Work>
  grpc::ServerUnaryReactor* OnLoop(grpc::CallbackServerContext* context, const Work& work) {
    auto* call = context->DefaultReactor();
    if (!core_->calls.Add(call)) {
      call->Finish(Closing());
      return call;
    }
    core_->loop.Post([core = core_, call, work] {
      if (core->calls.Contains(call)) work(call);
    });
    return call;
  }

  // `fill` writes the response.
  template <class T, class Fill>
  PluginHandler::Done<T> Answer(grpc::ServerUnaryReactor* call, Fill fill) {
    return [core = core_, call, fill](const base::Result<T>& result) {
      if (!core->calls.Contains(call)) return;
      if (result) fill(*result);
      core->calls.End(call, result ? grpc::Status::OK : ToStatus(result.error()));
    };
  }

  void RefuseMany(grpc::ServerUnaryReactor* call) {
    core_->calls.End(call, {grpc::StatusCode::INVALID_ARGUMENT,
                            "container_requests: want exactly one, as every kubelet sends"});
  }

  const std::shared_ptr<Core> core_;
};

PluginServer::PluginServer(std::unique_ptr<Service> service) : service_(std::move(service)) {}

base::Result<std::unique_ptr<PluginServer>> PluginServer::Listen(
    base::Loop& loop, const Options& options, PluginHandler& handler,
    const std::vector<Device>& devices) {
  auto service = std::make_unique<Service>(
      std::make_shared<Core>(loop, handler, options.resource, options.on_watched));
  service->core().devices = ToResponse(devices);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix://" + options.socket, grpc::InsecureServerCredentials());
  builder.RegisterService(service.get());
  service->server = builder.BuildAndStart();
  if (!service->server) {
    return base::Error{base::ErrorCode::kUnavailable, "cannot listen at " + options.socket};
  }
  return std::unique_ptr<PluginServer>(new PluginServer(std::move(service)));
}

PluginServer::~PluginServer() { service_->Close(); }

void PluginServer::SetDevices(const std::vector<Device>& devices) {
  Core& core = service_->core();
  core.devices = ToResponse(devices);
  ++core.version;
  for (DeviceStream* stream : std::set<DeviceStream*>(core.watching)) stream->Offer();
}

bool PluginServer::watched() const {
  const auto& streams = service_->core().watching;
  return std::any_of(streams.begin(), streams.end(),
                     [](const DeviceStream* stream) { return stream->has_list(); });
}

}  // namespace vdcu::kubelet
