// A kubelet 1.37 refuses a plugin at a socket that it knows ("device plugin already connected").
// The refusal makes it forget the connection but not the socket's name, so that no plugin registers
// under that name until the kubelet ends. It knows the name where the answer to a call was lost, or
// a call was followed by another, as at the kubelet's start. Right: each registration has its own
// name.
#include <deviceplugin.grpc.pb.h>
#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "node/kubelet/plugin.h"
#include "tests/node/lister.h"
#include "tests/node/socket.h"
#include "tests/node/temp_folder.h"

namespace vdcu::kubelet {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr char kResource[] = "hygon.com/dcunum";

// As of 1.37 (pkg/kubelet/cm/devicemanager, PluginConnected).
class Kubelet : public v1beta1::Registration::Service {
 public:
  explicit Kubelet(const std::string& folder) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + folder + "/kubelet.sock",
                             grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  grpc::Status Register(grpc::ServerContext*, const v1beta1::RegisterRequest* request,
                        v1beta1::Empty*) override {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(request->endpoint()).second) {
      return {grpc::StatusCode::UNKNOWN, "device plugin already connected: " + request->endpoint()};
    }
    if (std::exchange(loses_answer_, false)) return {grpc::StatusCode::UNAVAILABLE, "lost"};
    return grpc::Status::OK;
  }

  void LoseAnAnswer() { loses_answer_ = true; }  // while nobody registers
  std::set<std::string> known() {
    const std::lock_guard lock(mutex_);
    return known_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> known_;
  bool loses_answer_ = false;
  std::unique_ptr<grpc::Server> server_;
};

class NoHandler : public PluginHandler {
 public:
  void Choose(const std::string&, Choice, Done<std::vector<std::string>>) override {}
  void Allocate(const std::string&, std::vector<std::string>, Done<ContainerEdits>) override {}
  void PreStart(const std::string&, std::vector<std::string>, Done<void>) override {}
};

class TakenSocketTest : public testing::Test {
 protected:
  std::unique_ptr<Plugin> Start() {
    auto plugin =
        std::make_unique<Plugin>(loop_,
                                 Plugin::Options{.folder = folder_.path(),
                                                 .resource = kResource,
                                                 .may_register = [] { return base::Ok(); },
                                                 .on_registering = [] {},
                                                 .on_registered = [] {},
                                                 .on_watched = [] {}},
                                 handler_);
    plugin->SetDevices({{.id = "vdcu-0"}});
    return plugin;
  }
  void WaitUntilRegistered(const Plugin& plugin) {
    bool late = false;
    const auto deadline = loop_.MakeTimer([&late] { late = true; });
    deadline->Start(base::Duration(20'000));
    while (!plugin.registered() && !late) loop_.RunOnce();
    EXPECT_TRUE(plugin.registered()) << plugin.problem();
  }
  std::vector<std::string> Sockets() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      if (file.path().filename() != "kubelet.sock") names.push_back(file.path().filename());
    }
    return names;
  }

  node::TempFolder folder_;
  node::TestLoop loop_;
  NoHandler handler_;
  Kubelet kubelet_{folder_.path()};
};

TEST_F(TakenSocketTest, RegistersThoughTheAnswerBeforeWasLost) {
  kubelet_.LoseAnAnswer();
  const auto plugin = Start();
  WaitUntilRegistered(*plugin);
  EXPECT_THAT(kubelet_.known(), SizeIs(2));
  EXPECT_TRUE(kubelet_.known().contains(plugin->Endpoint()));
}

TEST_F(TakenSocketTest, RegistersThoughTheKubeletKnowsTheOneBefore) {
  WaitUntilRegistered(*Start());
  EXPECT_THAT(Sockets(), IsEmpty()) << "it has ended";
  WaitUntilRegistered(*Start());
}

TEST_F(TakenSocketTest, LeavesNoSocketsBehind) {
  const std::string other = "vdcu-hygon.com_hcunum-0badcafe.sock";
  const node::Socket killed(folder_.path() + "/vdcu-hygon.com_dcunum-0badcafe.sock", false);
  const node::Socket earlier(folder_.path() + "/vdcu-hygon.com_dcunum.sock", false);
  const node::Socket of_another(folder_.path() + "/" + other, false);
  const auto plugin = Start();
  WaitUntilRegistered(*plugin);
  EXPECT_THAT(Sockets(), testing::UnorderedElementsAre(other, plugin->Endpoint()));
}

}  // namespace
}  // namespace vdcu::kubelet
