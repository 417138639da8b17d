// Half of the Scheduled events of 2,000 pods placed in one burst were dropped: a thousand waited at
// most. They may come later, but all must come.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kclient/event_recorder.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

TEST(EventBurst, NoneIsLost) {
  fakes::SimulatedLoop loop;
  fakes::FakeTransport transport;
  Client client(transport);
  bool idle = false;
  EventRecorder recorder(loop, client, {"vdcu.io/controller", "c", [&] { return idle; }},
                         [] { return 0.5; });
  constexpr size_t kPods = 8'000;
  for (size_t i = 0; i < kPods; ++i) {
    const std::string name = "pod-" + std::to_string(i);
    recorder.Record({.regarding = {"v1", "Pod", "team-a", name, "uid-" + name},
                     .type = EventType::kNormal,
                     .reason = "Scheduled",
                     .action = "Binding",
                     .note = "Successfully assigned team-a/" + name + " to node-1"});
  }
  loop.Advance(base::Duration(10'000));
  EXPECT_TRUE(transport.requests().empty()) << "the pods come first";
  idle = true;
  loop.Advance(base::Duration(100));
  std::set<std::string> told;
  for (size_t call = 0; call < transport.requests().size(); ++call) {
    const auto body = nlohmann::json::parse(transport.requests()[call].body);
    told.insert(body["regarding"]["name"]);
    transport.Answer(call, 201, R"({"metadata": {"uid": "e"}})");
    loop.Advance(base::Duration(0));
  }
  EXPECT_EQ(told.size(), kPods);
  EXPECT_EQ(recorder.counts().dropped_full, 0u);
}

}  // namespace
}  // namespace vdcu::kclient
