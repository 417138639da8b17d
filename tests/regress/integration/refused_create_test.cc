// A create that the API server refuses (a quota, a policy) was tried again at once, for ever, took
// the cards from other namespaces' pods while it was under way, and nothing said why the pod
// waited.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/placement_fixture.h"
#include "tests/world/refusals.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using world::Namespace;
using world::Policy;

const Limits kSlice{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}};

class RefusedCreate : public PlacementTest {
 protected:
  // All on one card, which has four slices.
  json Slice(const std::string& name) const {
    return Pod(name, kSlice, {{"hygon.com/use-gpuuuid", world().small.host().Uuid(0)}});
  }
  static json Told(const std::string& path, const std::string& pod) {
    return Condition(api().Find(path, pod), "PodScheduled");
  }
  static bool IsRefused(const std::string& path, const std::string& pod) {
    const json told = Told(path, pod);
    return told.is_object() && told["reason"] == "CreateRefused";
  }
  static bool IsBound(const std::string& path, const std::string& pod) {
    return api().Find(path, pod)["spec"].contains("nodeName");
  }
  // Of the pod: notes that contain the part, and how often each was told.
  static std::vector<std::string> Events(const std::string& ns, const std::string& pod,
                                         const std::string& part) {
    std::vector<std::string> notes;
    for (const json& event : api().List("/apis/events.k8s.io/v1/namespaces/" + ns + "/events")) {
      const std::string note = event.value("note", "");
      if (event["regarding"].value("name", "") == pod && note.find(part) != std::string::npos) {
        notes.push_back(note);
      }
    }
    return notes;
  }
  static int64_t Refused() { return CountAnswers(api(), "POST", "vdcupartitions", 403); }
  // A policy that refuses slices of containers of that name.
  static Policy WithoutContainer(const std::string& container) {
    const auto refuses = [container] {
      json probe = Partition("probe", {{"cores", 10}});
      probe["spec"]["podRef"] = {{"name", "p"}, {"uid", "u"}, {"container", container}};
      return api()
                 .Call("POST", std::string(kPartitions) + "?dryRun=All", probe, kControllerUser)
                 .body.dump()
                 .find("refused by no-slices") != std::string::npos;
    };
    return Policy(
        api(), "no-slices",
        {"vdcu.io", "vdcupartitions", "CREATE",
         "!has(object.spec.podRef) || object.spec.podRef.container != '" + container + "'"},
        refuses);
  }
};

TEST_F(RefusedCreate, ByAQuotaItIsToldAndHoldsUpNobodyElse) {
  const Namespace team(api(), "team");
  team.SetQuota(1);
  api().Call("POST", team.Pods(), Slice("first"));
  Eventually("what the quota allows is placed", [&] { return IsBound(team.Pods(), "first"); });
  for (int i = 0; i < 31; ++i) api().Call("POST", team.Pods(), Slice("p" + std::to_string(i)));
  Eventually("each says why it waits", [&] {
    for (int i = 0; i < 31; ++i) {
      if (!IsRefused(team.Pods(), "p" + std::to_string(i))) return false;
    }
    return true;
  });
  EXPECT_THAT(Told(team.Pods(), "p0")["message"].get<std::string>(),
              HasSubstr("exceeded quota: quota, requested: count/vdcupartitions.vdcu.io=1"));

  const base::SystemClock clock;
  const base::TimePoint created = clock.Now();
  Create(Slice("other"));
  EXPECT_EQ(Bound("other"), "small");
  EXPECT_LE(clock.Now() - created, seconds(2)) << "three slices of the card are free";

  const int64_t before = Refused();
  std::this_thread::sleep_for(seconds(5));
  EXPECT_LE(Refused() - before, 31 * 5) << "31 pods whose waits double";
  EXPECT_LE(Events("team", "p0", "exceeded quota").size(), 1u);

  team.RemoveQuota();
  Eventually("it goes on by itself", [&] {
    int bound = 0;
    for (int i = 0; i < 31; ++i) bound += IsBound(team.Pods(), "p" + std::to_string(i)) ? 1 : 0;
    return bound == 2;
  });
  ExpectNoBreach();
}

TEST_F(RefusedCreate, OfOneOfTwoContainersTheOtherSliceGoesBack) {
  json two = Slice("two");
  two["spec"]["containers"].push_back(Container("second", kSlice));
  {
    const Policy policy = WithoutContainer("second");
    Create(two);
    ASSERT_TRUE(Waits("two", "CreateRefused", "refused by no-slices"));
    const int64_t made = CountAnswers(api(), "POST", "vdcupartitions", 201);
    std::this_thread::sleep_for(seconds(4));
    EXPECT_LE(CountAnswers(api(), "POST", "vdcupartitions", 201) - made, 5) << "no flapping";
    Eventually("no slice is held meanwhile", [] { return api().List(kPartitions).empty(); });
    // Events are sent when nothing more urgent is.
    const auto events = [] { return Events("default", "two", "refused by no-slices").size(); };
    Eventually("an event says so, too", [&] { return events() > 0; });
    EXPECT_EQ(events(), 1u);
    // What the objects say is enough to go on from.
    world().controller.reset();
    world().controller = world().MakeController("controller");
    EXPECT_TRUE(Waits("two", "CreateRefused", "refused by no-slices"));
  }
  EXPECT_EQ(Bound("two"), "small");
  EXPECT_EQ(PartitionsOf("two").size(), 2u);
  ExpectNoBreach();
}

}  // namespace
}  // namespace vdcu::integration
