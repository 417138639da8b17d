// Any message on the plugin's socket: the first byte says of which call. Each is answered, and the
// handler is asked for what the message holds, or not at all.
#include <deviceplugin.grpc.pb.h>
#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/uv_loop.h"
#include "node/kubelet/plugin_server.h"

namespace {

namespace base = vdcu::base;
namespace kubelet = vdcu::kubelet;

class Handler : public kubelet::PluginHandler {
 public:
  void Choose(const std::string&, kubelet::Choice choice,
              Done<std::vector<std::string>> done) override {
    done(choice.required);
  }
  void Allocate(const std::string&, std::vector<std::string>,
                Done<kubelet::ContainerEdits> done) override {
    done(kubelet::ContainerEdits{});
  }
  void PreStart(const std::string&, std::vector<std::string>, Done<void> done) override {
    done(base::Ok());
  }
};

struct World {
  World() : socket("/tmp/vdcu-fuzz-" + std::to_string(getpid()) + ".sock") {
    keeps_loop->Start(std::chrono::hours(10'000));
    auto listening =
        kubelet::PluginServer::Listen(loop, {.socket = socket, .resource = "r"}, handler, {});
    if (!listening) std::abort();
    server = std::move(*listening);
    stub = v1beta1::DevicePlugin::NewStub(
        grpc::CreateChannel("unix://" + socket, grpc::InsecureChannelCredentials()));
  }
  ~World() { unlink(socket.c_str()); }

  const std::string socket;
  base::UvLoop loop;
  const base::TimerPtr keeps_loop = loop.MakeTimer([] {});  // what is posted alone does not
  Handler handler;
  std::unique_ptr<kubelet::PluginServer> server;
  std::unique_ptr<v1beta1::DevicePlugin::Stub> stub;
};

// Runs the loop while the call, on a thread of its own, has no answer.
void Wait(World& world, const std::function<void()>& call) {
  bool ended = false;  // the loop's
  std::thread caller([&] {
    call();
    world.loop.Post([&ended] { ended = true; });
  });
  while (!ended) world.loop.RunOnce();
  caller.join();
}

template <class Request, class Response, class Call>
void Send(World& world, const std::string& bytes, const Call& call) {
  Request request;
  if (!request.ParseFromString(bytes)) return;
  Wait(world, [&] {
    grpc::ClientContext context;
    Response response;
    (world.stub.get()->*call)(&context, request, &response);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Stub = v1beta1::DevicePlugin::Stub;
  static World world;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      Send<v1beta1::AllocateRequest, v1beta1::AllocateResponse>(world, bytes, &Stub::Allocate);
      break;
    case 1:
      Send<v1beta1::PreferredAllocationRequest, v1beta1::PreferredAllocationResponse>(
          world, bytes, &Stub::GetPreferredAllocation);
      break;
    default:
      Send<v1beta1::PreStartContainerRequest, v1beta1::PreStartContainerResponse>(
          world, bytes, &Stub::PreStartContainer);
  }
  return 0;
}
