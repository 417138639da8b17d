// A story that is disturbed at each of its writes, and by what its watches show: it must end as it
// ends undisturbed, and nothing may be granted twice at any moment (see guard.h).
#include <functional>
#include <string>
#include <vector>

#include "tests/faults/fault_test.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using world::kPartitions;
using world::Pod;

class WriteFaultTest : public FaultTest {
 protected:
  // Tells the story once for each write of the client, `rule` being applied to that write alone.
  void DisturbEachWrite(const std::string& client, const json& rule, int want_deaths) {
    const int writes = Undisturbed().writes.at(client);
    for (int nth = 1; nth <= writes && !HasFailure(); ++nth) {
      SCOPED_TRACE(rule.dump() + " at write " + std::to_string(nth) + " of " +
                   std::to_string(writes) + " of " + client);
      json planned = rule;
      planned["client"] = client;
      planned["nth"] = nth;
      if (want_deaths > 0) planned["pid"] = PidOf(client);
      proxy().Plan({planned});
      ExpectTheSameEnd();
      // The last write comes when the story is told already, and the death after it.
      bool fired = false;
      Reach("the fault has come and whoever died runs again, or all is written without", [&] {
        const bool all_written = AllIsWritten();
        fired = proxy().Record().fired == std::vector<int>{1};
        return fired ? deaths_ >= want_deaths : all_written;
      });
      // What the daemon says of its slots comes in more writes or fewer, by how fast it all goes.
      EXPECT_TRUE(fired || nth > writes * 2 / 3);
      EXPECT_EQ(deaths_, fired ? want_deaths : 0);
    }
  }

  // That all slots are free is the last that the daemon has to say.
  static bool AllIsWritten() {
    return world().node.DcuNode()["status"].value("vdcus", "") == "0/12";
  }
};

TEST_F(WriteFaultTest, TheControllerIsKilledBeforeEachWrite) {
  DisturbEachWrite("controller", {{"do", "kill-before"}}, 1);
}

TEST_F(WriteFaultTest, TheControllerIsKilledAfterEachWrite) {
  DisturbEachWrite("controller", {{"do", "kill-after"}}, 1);
}

TEST_F(WriteFaultTest, TheDaemonIsKilledBeforeEachWrite) {
  DisturbEachWrite("daemon", {{"do", "kill-before"}}, 1);
}

TEST_F(WriteFaultTest, TheDaemonIsKilledAfterEachWrite) {
  DisturbEachWrite("daemon", {{"do", "kill-after"}}, 1);
}

TEST_F(WriteFaultTest, TheAnswerOfEachWriteIsLost) {
  for (const char* client : {"controller", "daemon"}) DisturbEachWrite(client, {{"do", "lose"}}, 0);
}

// Each write alone is left to the soak test: here, in one story, each is refused when it first
// comes.
TEST_F(WriteFaultTest, EachWriteIsAnsweredWithAnError) {
  Undisturbed();
  for (const int code : {409, 410, 429, 500, 503}) {
    SCOPED_TRACE(code);
    proxy().Plan({json{{"do", "answer"}, {"code", code}, {"firstOfEach", true}}});
    ExpectTheSameEnd();
    EXPECT_GE(proxy().Record().fired[0], 10);
    EXPECT_EQ(deaths_, 0);
  }
}

TEST_F(WriteFaultTest, EachWriteIsSlow) {
  Undisturbed();
  proxy().Plan({json{{"do", "delay"}, {"delayMS", 300}}});
  ExpectTheSameEnd();
}

class WatchFaultTest : public FaultTest {
 protected:
  // Tells the story once for each of its parts, that part alone being disturbed.
  void DisturbEachPart(const std::function<void()>& before, const std::function<void()>& after) {
    Undisturbed();
    for (int part = 0; part < kParts && !HasFailure(); ++part) {
      SCOPED_TRACE(part);
      StartAnew();
      const auto in_part = [part](const std::function<void()>& disturb) {
        return [part, disturb](int at) {
          if (at == part) disturb();
        };
      };
      ExpectTheSameEnd({.before = in_part(before), .after = in_part(after)});
      EXPECT_EQ(deaths_, 0);
    }
  }
};

TEST_F(WatchFaultTest, WatchesEndInTheMiddleOfAnEvent) {
  DisturbEachPart([] {}, [] { proxy().CutWatches(true); });
}

// The watch that each starts next is answered that its version has expired.
TEST_F(WatchFaultTest, EventsAreLostUntilARelist) {
  DisturbEachPart([] { proxy().Plan({}, {{"drop", true}}); },
                  [] {
                    proxy().Plan({json{
                        {"watch", true}, {"do", "answer"}, {"code", 410}, {"firstOfEach", true}}});
                    proxy().CutWatches();
                  });
}

TEST_F(WatchFaultTest, WhatIsMadeAndDeletedBetweenWatchAndListIsMadeAnew) {
  json away{{"client", "controller"},
            {"watch", true},
            {"path", "vdcupartitions"},
            {"do", "answer"},
            {"code", 503}};
  proxy().Plan({away});
  proxy().CutWatches();
  Create(Pod("slice", kSlice));
  json made;
  ASSERT_TRUE(Reach("its partition is made", [&] {
    const auto partitions = api().List(kPartitions);
    if (!partitions.empty()) made = partitions.at(0)["metadata"];
    return !partitions.empty();
  }));
  Delete(kPartitions, made["name"]);
  // Another may be there already: a list came between.
  ASSERT_TRUE(Reach("it is gone", [&] {
    const auto partitions = api().List(kPartitions);
    return partitions.empty() || partitions.at(0)["metadata"]["uid"] != made["uid"];
  }));
  away["code"] = 410;
  away["times"] = 1;
  proxy().Plan({away});
  ASSERT_TRUE(Bound("slice"));
  EXPECT_NE(api().List(kPartitions).at(0)["metadata"]["uid"], made["uid"]);
}

TEST_F(WatchFaultTest, EventsComeTwice) {
  Undisturbed();
  proxy().Plan({}, {{"duplicate", true}});
  ExpectTheSameEnd();
}

TEST_F(WatchFaultTest, EventsComeLateAtOneOfThem) {
  Undisturbed();
  for (const char* client : {"controller", "daemon"}) {
    SCOPED_TRACE(client);
    proxy().Plan({}, {{"client", client}, {"delayMS", 200}});
    ExpectTheSameEnd();
  }
}

}  // namespace
}  // namespace vdcu::faults
