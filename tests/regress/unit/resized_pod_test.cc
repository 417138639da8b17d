// A running pod shrank, and the pods that fitted then waited until the controller's restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePod;
using builders::PodBuilder;
using testing::ElementsAre;
using testing::IsEmpty;

// A pod that runs and takes so much.
PodBuilder Running(int64_t cpu) {
  return MakePod("runs").Node("n").Limits({{"cpu", cpu}, {"memory", 10}});
}

struct Case {
  std::string name;
  PodPtr before;
  PodPtr after;
  bool want_improved;
};

TEST(ResizedPod, LeavesRoomWhereItCountsForLess) {
  for (const Case& c : {
           Case{"shrinks", Running(1500).Obj(), Running(100).Obj(), true},
           Case{"grows", Running(100).Obj(), Running(1500).Obj(), false},
           Case{"is as large as before", Running(100).Obj(), Running(100).Version("2").Obj(),
                false},
           Case{"has less of one and more of the other", Running(1500).Obj(),
                MakePod("runs").Node("n").Limits({{"cpu", 100}, {"memory", 20}}).Obj(), true},
           Case{"asks for a resource no more", Running(1500).Obj(),
                MakePod("runs").Node("n").Limits({{"memory", 10}}).Obj(), true},
           Case{"closes a port", Running(100).Port(80).Obj(), Running(100).Obj(), true},
           Case{"opens a port", Running(100).Obj(), Running(100).Port(80).Obj(), false},
           Case{"ends", Running(100).Obj(), Running(100).Phase("Failed").Obj(), true},
       }) {
    for (const char* scheduler : {"vdcu-scheduler", "default-scheduler"}) {
      SCOPED_TRACE(c.name + " of " + scheduler);
      const auto of = [&](const PodPtr& pod) {
        auto copy = std::make_shared<kclient::Pod>(*pod);
        copy->scheduler_name = scheduler;
        return copy;
      };
      ShownCluster shown;
      shown.ShowNode("n", 1);
      shown.Show(of(c.before));
      shown.cluster.changes().TakeImproved();
      shown.Show(of(c.after));
      if (c.want_improved) {
        EXPECT_THAT(shown.cluster.changes().TakeImproved(), ElementsAre("n"));
      } else {
        EXPECT_THAT(shown.cluster.changes().TakeImproved(), IsEmpty());
      }
    }
  }
}

}  // namespace
}  // namespace vdcu::reconcilers
