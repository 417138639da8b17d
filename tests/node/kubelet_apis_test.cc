// The two sides of the kubelet's gRPC APIs over real sockets: how calls, answers and ends travel.
// What a kubelet makes of them is tested with a real one (tests/e2e).
#include <deviceplugin.grpc.pb.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "node/kubelet/allocatable.h"
#include "node/kubelet/plugin.h"
#include "node/kubelet/plugin_server.h"
#include "node/kubelet/pod_resources.h"
#include "tests/node/lister.h"
#include "tests/node/temp_folder.h"

namespace vdcu::kubelet {
namespace {

using testing::ElementsAre;

constexpr char kResource[] = "hygon.com/dcunum";

// Answers at once what it is told to, or keeps the call open.
class Handler : public PluginHandler {
 public:
  void Choose(const std::string& resource, Choice choice,
              Done<std::vector<std::string>> done) override {
    EXPECT_EQ(resource, kResource);
    choice.available.resize(choice.size);
    done(choice.available);
  }
  void Allocate(const std::string&, std::vector<std::string> ids,
                Done<ContainerEdits> done) override {
    if (ids == std::vector<std::string>{"open"}) {
      open_ = std::move(done);
      return;
    }
    if (ids == std::vector<std::string>{"refused"}) return done(base::Invalid("because"));
    done(ContainerEdits{.mounts = {{"/in", "/host"}}, .devices = {{"/dev/kfd", "rwm"}}});
  }
  void PreStart(const std::string&, std::vector<std::string> ids, Done<void> done) override {
    if (ids.size() == 1) return done(base::Ok());
    done(base::Invalid("not so"));
  }

  bool holds_one() const { return open_ != nullptr; }

 private:
  Done<ContainerEdits> open_;
};

class PluginServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = PluginServer::Listen(
        loop_,
        {.socket = socket_, .resource = kResource, .on_watched = [this] { ++watched_changes_; }},
        handler_, {{.id = "vdcu-0"}});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    stub_ = v1beta1::DevicePlugin::NewStub(
        grpc::CreateChannel("unix://" + socket_, grpc::InsecureChannelCredentials()));
  }

  // Runs the loop until the call, made on a thread of its own, has ended.
  template <class Call>
  auto Run(Call call) {
    bool ended = false;  // set on the loop: its result may be there a moment later
    auto result = std::async(std::launch::async, [&, call] {
      auto answer = call();
      loop_.Post([&ended] { ended = true; });
      return answer;
    });
    while (!ended) loop_.RunOnce();
    return result.get();
  }
  grpc::Status Allocate(const std::string& id, v1beta1::AllocateResponse* response) {
    v1beta1::AllocateRequest request;
    request.add_container_requests()->add_devices_ids(id);
    grpc::ClientContext context;
    return stub_->Allocate(&context, request, response);
  }

  node::TempFolder folder_;
  const std::string socket_ = folder_.path() + "/p.sock";
  node::TestLoop loop_;
  Handler handler_;
  int watched_changes_ = 0;
  std::unique_ptr<PluginServer> server_;
  std::unique_ptr<v1beta1::DevicePlugin::Stub> stub_;
};

TEST_F(PluginServerTest, CarriesCallsAndAnswers) {
  const auto ids = Run([this] {
    v1beta1::PreferredAllocationRequest request;
    auto& asked = *request.add_container_requests();
    for (const char* id : {"a", "b", "c"}) asked.add_available_deviceids(id);
    asked.set_allocation_size(2);
    v1beta1::PreferredAllocationResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->GetPreferredAllocation(&context, request, &response).ok());
    const auto& chosen = response.container_responses(0).deviceids();
    return std::vector<std::string>(chosen.begin(), chosen.end());
  });
  EXPECT_THAT(ids, ElementsAre("a", "b"));

  v1beta1::AllocateResponse response;
  ASSERT_TRUE(Run([&] { return Allocate("vdcu-0", &response); }).ok());
  const auto& container = response.container_responses(0);
  EXPECT_EQ(container.mounts(0).container_path(), "/in");
  EXPECT_EQ(container.mounts(0).host_path(), "/host");
  EXPECT_TRUE(container.mounts(0).read_only());
  EXPECT_EQ(container.devices(0).host_path(), "/dev/kfd");
  EXPECT_EQ(container.devices(0).permissions(), "rwm");
}

TEST_F(PluginServerTest, CarriesRefusalsWithTheirReason) {
  v1beta1::AllocateResponse response;
  const grpc::Status refused = Run([&] { return Allocate("refused", &response); });
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error_message(), "because");
  const grpc::Status start = Run([this] {
    v1beta1::PreStartContainerRequest request;
    request.add_devices_ids("a");
    request.add_devices_ids("b");
    v1beta1::PreStartContainerResponse ignored;
    grpc::ClientContext context;
    return stub_->PreStartContainer(&context, request, &ignored);
  });
  EXPECT_EQ(start.error_message(), "not so");
}

TEST_F(PluginServerTest, SendsEachListOfDevices) {
  grpc::ClientContext context;
  const auto stream = stub_->ListAndWatch(&context, v1beta1::Empty());
  const auto read = [&] {
    v1beta1::ListAndWatchResponse response;
    EXPECT_TRUE(stream->Read(&response));
    std::string text;
    for (const auto& device : response.devices()) text += device.id() + "=" + device.health() + " ";
    return text;
  };
  EXPECT_EQ(Run(read), "vdcu-0=Healthy ");
  server_->SetDevices({{.id = "vdcu-0", .healthy = false}, {.id = "vdcu-1"}});
  EXPECT_EQ(Run(read), "vdcu-0=Unhealthy vdcu-1=Healthy ");
  server_.reset();
  v1beta1::ListAndWatchResponse none;
  EXPECT_FALSE(stream->Read(&none)) << "its end is told";
}

TEST_F(PluginServerTest, KnowsWhetherItsDevicesAreWatched) {
  EXPECT_FALSE(server_->watched());
  grpc::ClientContext context;
  const auto stream = stub_->ListAndWatch(&context, v1beta1::Empty());
  while (watched_changes_ < 1) loop_.RunOnce();
  EXPECT_TRUE(server_->watched());
  context.TryCancel();
  while (watched_changes_ < 2) loop_.RunOnce();
  EXPECT_FALSE(server_->watched());
}

TEST_F(PluginServerTest, EndsOpenCallsWhenItEnds) {
  v1beta1::AllocateResponse response;
  auto status = std::async(std::launch::async, [&] { return Allocate("open", &response); });
  while (!handler_.holds_one()) loop_.RunOnce();
  server_.reset();
  EXPECT_EQ(status.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// A kubelet as far as a plugin meets it: takes registrations, and asks the plugin's socket.
class PluginTest : public testing::Test, public v1beta1::Registration::Service {
 protected:
  PluginTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + folder_.path() + "/kubelet.sock",
                             grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  grpc::Status Register(grpc::ServerContext*, const v1beta1::RegisterRequest* request,
                        v1beta1::Empty*) override {
    EXPECT_EQ(request->resource_name(), kResource);
    ++registrations_;
    return grpc::Status::OK;
  }

  node::TempFolder folder_;
  node::TestLoop loop_;
  Handler handler_;
  std::atomic<int> registrations_ = 0;
  int watched_changes_ = 0;
  std::unique_ptr<grpc::Server> server_;
  Plugin plugin_{loop_,
                 {.folder = folder_.path(),
                  .resource = kResource,
                  .may_register = [] { return base::Ok(); },
                  .on_registering = [] {},
                  .on_registered = [] {},
                  .on_watched = [this] { ++watched_changes_; }},
                 handler_};
};

TEST_F(PluginTest, RegistersAgainWhenTheKubeletHasEndedItsWatch) {
  plugin_.SetDevices({{.id = "vdcu-0"}});
  while (!plugin_.registered()) loop_.RunOnce();
  EXPECT_FALSE(plugin_.watched());
  const auto stub = v1beta1::DevicePlugin::NewStub(grpc::CreateChannel(
      "unix://" + folder_.path() + "/" + plugin_.Endpoint(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->ListAndWatch(&context, v1beta1::Empty());
  while (!plugin_.watched()) loop_.RunOnce();
  context.TryCancel();
  while (plugin_.watched()) loop_.RunOnce();
  EXPECT_FALSE(plugin_.registered());
  EXPECT_EQ(plugin_.problem(), "the kubelet has ended its watch of the devices");
  EXPECT_GE(watched_changes_, 2);
  plugin_.Check();
  while (!plugin_.registered()) loop_.RunOnce();
  EXPECT_EQ(registrations_, 2);
}

class PodResourcesTest : public testing::Test {
 protected:
  // Its answer goes to answers_: the pod, and how many lists there were; or the error's code.
  void List(base::Duration timeout) {
    calls_.push_back(pod_resources_.List(timeout, [this](auto listing) {
      if (!listing) {
        answers_.emplace_back(base::ToString(listing.error().code));
        return;
      }
      const ListedPod& pod = (*listing)->at(0);
      EXPECT_EQ(pod.ns, "team");
      EXPECT_THAT(pod.containers.at(0).devices.at(kResource), ElementsAre("vdcu-7"));
      answers_.push_back(pod.name + "#" + std::to_string(lister_.lists()));
    }));
  }
  void WaitFor(size_t answers) {
    while (answers_.size() < answers) loop_.RunOnce();
  }

  node::TempFolder folder_;
  const std::string socket_ = folder_.path() + "/r.sock";
  node::TestLoop loop_;
  node::Lister lister_{{"team", "p", "main", kResource, {"vdcu-7"}}};
  std::vector<std::string> answers_;
  PodResources pod_resources_{loop_, socket_};
  std::vector<PodResources::CallPtr> calls_;
};

TEST_F(PodResourcesTest, WhoAsksWhileAListIsInFlightSharesTheNext) {
  lister_.Listen(socket_);
  for (int n = 0; n < 5; ++n) List(base::Duration(5'000));
  WaitFor(5);
  EXPECT_EQ(answers_.size(), 5u);
  EXPECT_EQ(lister_.lists(), 2);
}

TEST_F(PodResourcesTest, WhoseCallIsDestroyedIsNotAnswered) {
  lister_.Listen(socket_);
  std::vector<std::string> answered;
  PodResources::CallPtr second;
  auto first = pod_resources_.List(base::Duration(5'000), [&](const auto&) {
    answered.emplace_back("first");
    second.reset();
  });
  // All but the first share the second list, in this order.
  PodResources::CallPtr own;
  own = pod_resources_.List(base::Duration(5'000), [&](const auto&) {
    answered.emplace_back("destroys its own and another");
    own.reset();
    calls_.clear();
  });
  List(base::Duration(5'000));
  second = pod_resources_.List(base::Duration(5'000),
                               [&](const auto&) { answered.emplace_back("second"); });
  const auto last = pod_resources_.List(base::Duration(5'000),
                                        [&](const auto&) { answered.emplace_back("last"); });
  while (answered.size() < 3) loop_.RunOnce();
  EXPECT_THAT(answered, ElementsAre("first", "destroys its own and another", "last"));
  EXPECT_THAT(answers_, testing::IsEmpty());
  EXPECT_EQ(lister_.lists(), 2);
}

TEST_F(PodResourcesTest, TriesAgainWhileTheKubeletIsBusy) {
  lister_.Listen(socket_);
  lister_.BeBusy(3);
  List(base::Duration(5'000));
  WaitFor(1);
  EXPECT_THAT(answers_, ElementsAre("p#1"));
}

TEST_F(PodResourcesTest, TriesAgainUntilTheKubeletIsThere) {
  List(base::Duration(10'000));
  const auto timer = loop_.MakeTimer([this] { lister_.Listen(socket_); });
  timer->Start(base::Duration(100));
  WaitFor(1);
  EXPECT_THAT(answers_, ElementsAre("p#1"));
}

TEST_F(PodResourcesTest, GivesUpInTimeAndSaysWhy) {
  lister_.BeBusy(1'000'000);
  List(base::Duration(100));
  WaitFor(1);
  EXPECT_THAT(answers_, ElementsAre(base::ToString(base::ErrorCode::kUnavailable)));
  lister_.Listen(socket_);
  // On a busy machine the last of its calls may have no time left to be answered in.
  do {
    List(base::Duration(100));
    WaitFor(answers_.size() + 1);
  } while (answers_.back() != base::ToString(base::ErrorCode::kThrottled) && answers_.size() < 50);
  EXPECT_EQ(answers_.back(), base::ToString(base::ErrorCode::kThrottled));
}

TEST_F(PodResourcesTest, SaysAtWhichSocketNobodyListens) {
  const base::Status none = pod_resources_.Check();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, testing::AllOf(testing::HasSubstr(socket_),
                                                   testing::HasSubstr("--kubelet-root-dir")));
  lister_.Listen(socket_);
  EXPECT_TRUE(pod_resources_.Check());
}

TEST_F(PodResourcesTest, AsksUntilDevicesOfEachResourceAreAllocatable) {
  lister_.Listen(socket_);
  int completions = 0;
  const auto instead = [] { return Allocatable::Resources(std::set<std::string>{kResource}); };
  Allocatable allocatable(loop_, socket_, instead, [&] { ++completions; });
  lister_.SetAllocatable({"other/one"});
  allocatable.Ask({kResource, "other/one"});
  const std::string missing = "the kubelet has no allocatable hygon.com/dcunum";
  while (allocatable.problem() != missing) loop_.RunOnce();
  EXPECT_FALSE(allocatable.complete());
  EXPECT_EQ(completions, 0);
  lister_.SetAllocatable({"other/one", kResource});
  while (completions == 0) loop_.RunOnce();
  EXPECT_TRUE(allocatable.complete());
  allocatable.Forget();
  EXPECT_FALSE(allocatable.complete());
}

TEST_F(PodResourcesTest, AsksSomebodyElseWhereTheKubeletLacksTheCall) {
  lister_.Listen(socket_);
  const struct {
    const char* sentence;
    int code;
    const char* message;
    bool want;  // somebody else is asked
  } rows[] = {
      {"before 1.21", 12,
       "unknown method GetAllocatableResources for service v1.PodResourcesLister", true},
      {"1.21 and 1.22, whose gate is off", 2, "Pod Resources API GetAllocatableResources disabled",
       true},
      {"it has too much to do", 8, "too many", false},
  };
  for (const auto& row : rows) {
    lister_.LackAllocatable(row.code, row.message);
    std::set<std::string> instead;
    int asked = 0;
    int completions = 0;
    Allocatable allocatable(
        loop_, socket_,
        [&] {
          ++asked;
          return Allocatable::Resources(instead);
        },
        [&] { ++completions; });
    const std::string before = allocatable.problem();
    allocatable.Ask({kResource});
    while (allocatable.problem() == before) loop_.RunOnce();
    EXPECT_FALSE(allocatable.complete()) << row.sentence;
    EXPECT_EQ(asked > 0, row.want) << row.sentence;
    if (!row.want) continue;
    EXPECT_EQ(allocatable.problem(), "the kubelet has no allocatable hygon.com/dcunum");
    instead = {kResource};
    while (completions == 0) loop_.RunOnce();
    EXPECT_TRUE(allocatable.complete()) << row.sentence;
  }
}

}  // namespace
}  // namespace vdcu::kubelet
