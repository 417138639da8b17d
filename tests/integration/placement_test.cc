// From a pod or a VDCUPartition to a slice: vdcu-controller and two vdcu-node on a real API server,
// each with the rights of its own service account.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Limits kWholeCard{{"dcunum", "1"}};
const Limits kTwoCards{{"dcunum", "2"}};
const Limits kSlice{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}};
const std::map<std::string, std::string> kOnSmall{{"hygon.com/use-dcutype", "Z100L"}};

// Of kube-apiserver's metrics: how many requests it has let through, by flow schema.
std::map<std::string, int64_t> Dispatched(const std::string& metrics) {
  const std::string kMetric = "apiserver_flowcontrol_dispatched_requests_total{flow_schema=\"";
  std::map<std::string, int64_t> by_schema;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kMetric)) continue;
    const std::string schema =
        line.substr(kMetric.size(), line.find('"', kMetric.size()) - kMetric.size());
    by_schema[schema] += std::stoll(line.substr(line.rfind(' ')));
  }
  return by_schema;
}

TEST_F(PlacementTest, TheApiServerCountsControllerAndDaemonsInALevelOfTheirOwn) {
  auto before = Dispatched(api().Metrics());
  Create(Pod("slice", kSlice, kOnSmall));
  ASSERT_EQ(Bound("slice"), "small");
  auto after = Dispatched(api().Metrics());
  EXPECT_GE(after["vdcu"] - before["vdcu"], 3) << "create, Prepared, bind";
  EXPECT_EQ(after["service-accounts"], before["service-accounts"]);
}

TEST_F(PlacementTest, APodCostsThreeWritesAndNoRead) {
  Create(Pod("counted", kSlice, kOnSmall));
  ASSERT_EQ(Bound("counted"), "small");
  const std::string partition = OnlyPartitionOf("counted")["metadata"]["name"];
  // The event is what comes last; what was asked before is written down a moment after its answer.
  Eventually("the binding has its event",
             [&] { return HasEvent("counted", "Scheduled", "small"); });
  const auto requests = [&] { return world().RequestsAbout({"counted", partition}); };
  Eventually("three requests are answered", [&] { return requests().size() >= 3; });
  EXPECT_THAT(requests(), testing::UnorderedElementsAre("vdcu-controller create vdcupartitions",
                                                        "vdcu-node patch vdcupartitions/status",
                                                        "vdcu-controller create pods/binding"));
}

TEST_F(PlacementTest, FifteenPercentOfACardAreNineUnits) {
  Create(Pod("slice", kSlice, kOnSmall));
  ASSERT_EQ(Bound("slice"), "small");
  const json partition = OnlyPartitionOf("slice");
  ASSERT_TRUE(partition.is_object());
  const json& assignment = partition["spec"]["assignment"];
  EXPECT_EQ(assignment["computeUnits"], 9);
  EXPECT_EQ(assignment["memory"], "2000Mi");
  EXPECT_EQ(partition["spec"]["podRef"]["container"], "main");
  EXPECT_EQ(partition["status"]["vdevFile"], "/etc/vdev/vdev0.conf");
  const auto& cards = world().small.host().cards();
  const auto device = assignment["device"].get<std::string>();
  const auto card = std::find_if(cards.begin(), cards.end(), [&](const hosts::Card& other) {
    return world().small.host().Uuid(other.index) == device;
  });
  ASSERT_NE(card, cards.end());
  const std::string want = "PciBusId: " + card->pci_bus_id +
                           "\ncu_mask: 0x00000000000001ff\ncu_mask: 0x0000000000000000\n"
                           "cu_count: 9\nmem: 2000 MiB\ndevice_id: 0\nvdev_id: 0\npipe_id: 0\n"
                           "enable: 1\n";
  const auto files = world().small.Files();
  EXPECT_EQ(files.at("/etc/vdev/vdev0.conf"), want);
  EXPECT_EQ(files.at("/etc/vdev/slices/" + partition["metadata"]["uid"].get<std::string>() +
                     "/vdev0.conf"),
            want);
  EXPECT_EQ(Condition(FindPod("slice"), "PodScheduled")["status"], "True");
  Eventually("the binding has its event", [&] {
    return HasEvent("slice", "Scheduled", "Successfully assigned default/slice to small");
  });
}

TEST_F(PlacementTest, WholeCardsAndOneThatWaitsForThem) {
  Create(Pod("one", kWholeCard, kOnSmall));
  ASSERT_EQ(Bound("one"), "small");
  Create(Pod("two", kTwoCards, kOnSmall));
  ASSERT_EQ(Bound("two"), "small");
  std::set<std::string> devices{OnlyPartitionOf("one")["spec"]["assignment"]["device"]};
  const auto partitions = PartitionsOf("two");
  ASSERT_EQ(partitions.size(), 2u);
  for (const json& partition : partitions) {
    const json& assignment = partition["spec"]["assignment"];
    EXPECT_EQ(assignment["computeUnits"], 60);
    EXPECT_EQ(assignment["memory"], "32768Mi");
    EXPECT_FALSE(assignment.contains("vdev"));
    devices.insert(assignment["device"]);
  }
  EXPECT_EQ(devices.size(), 3u);
  ExpectFilesOfAssignments();

  Create(Pod("waits", kTwoCards, kOnSmall));
  ASSERT_TRUE(Waits("waits", "Unschedulable", "0/2 nodes fit: "));
  const std::string message = Condition(FindPod("waits"), "PodScheduled")["message"];
  EXPECT_THAT(message, HasSubstr("12 cards: 8 other model"));
  Eventually("its event says the same",
             [&] { return HasEvent("waits", "FailedScheduling", message); });
  EXPECT_THAT(PartitionsOf("waits"), testing::IsEmpty());
  Delete(kPods, "one");
  EXPECT_EQ(Bound("waits"), "small");
  ExpectNoBreach();
}

TEST_F(PlacementTest, AReservedPartitionServesOnePodAfterTheOther) {
  Create(Partition("reserved",
                   {{"cores", 15}, {"memory", "2000Mi"}, {"devices", {{"models", {"Z100L"}}}}}));
  ASSERT_TRUE(Becomes("reserved", "Ready", "True/Ready"));
  EXPECT_EQ(FindPartition("reserved")["spec"]["assignment"]["computeUnits"], 9);
  ExpectFilesOfAssignments();
  const auto files = world().small.Files();
  ASSERT_TRUE(files.contains("/etc/vdev/vdev0.conf"));

  const auto used_by = [&] {
    json partition = FindPartition("reserved");
    return partition["status"].value("usedBy", json::object()).value("name", "");
  };
  Create(Pod("first", kWholeCard, {{"vdcu.io/partition", "reserved"}}));
  ASSERT_EQ(Bound("first"), "small");
  Eventually("first uses it", [&] { return used_by() == "first"; });
  Create(Pod("second", kWholeCard, {{"vdcu.io/partition", "reserved"}}));
  ASSERT_TRUE(Waits("second", "Unschedulable", "reserved is held by pod first"));
  Eventually("an event names the holder",
             [&] { return HasEvent("second", "FailedScheduling", "held by pod first"); });
  EXPECT_THAT(PartitionsOf("first"), testing::IsEmpty());

  Delete(kPods, "first");
  ASSERT_EQ(Bound("second"), "small");
  Eventually("second uses it", [&] { return used_by() == "second"; });
  Delete(kPods, "second");
  Eventually("nobody uses it", [&] { return used_by().empty(); });
  EXPECT_EQ(FindPartition("reserved")["metadata"]["finalizers"], json{"vdcu.io/in-use"});
  EXPECT_EQ(world().small.Files()["/etc/vdev/vdev0.conf"], files.at("/etc/vdev/vdev0.conf"))
      << "the slice itself stays";
}

TEST_F(PlacementTest, RequestsThatCanNeverBeMetSayWhatIsWrong) {
  struct Case {
    const char* name;
    Limits limits;
    std::vector<const char*> want;
  };
  const Case cases[] = {
      {"memory-alone", {{"dcumem", "2000"}}, {"main", "hygon.com/dcumem", "hygon.com/dcunum"}},
      {"two-parts", {{"dcunum", "2"}, {"dcumem", "2000"}}, {"main", "hygon.com/dcunum 2"}},
      {"past-hundred", {{"dcunum", "1"}, {"dcucores", "101"}}, {"main", "hygon.com/dcucores 101"}},
      {"both-names", {{"dcunum", "1"}, {"hcunum", "1"}}, {"main", "dcunum", "hcunum"}},
  };
  for (const Case& test : cases) Create(Pod(test.name, test.limits));
  json init = Pod("init", kWholeCard);
  init["spec"]["initContainers"] = json::array({Container("prepare", kWholeCard)});
  Create(init);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    ASSERT_TRUE(Waits(test.name, "SchedulerError", "container main"));
    const std::string message = Condition(FindPod(test.name), "PodScheduled")["message"];
    for (const char* part : test.want) EXPECT_THAT(message, HasSubstr(part));
    Eventually("its event", [&] { return HasEvent(test.name, "FailedScheduling", message); });
  }
  ASSERT_TRUE(Waits("init", "SchedulerError", "container prepare: hygon.com/dcunum 1"));
  EXPECT_THAT(api().List(kPartitions), testing::IsEmpty());
}

TEST_F(PlacementTest, EachContainerHasItsOwnSlice) {
  json pod = Pod("several", kSlice, kOnSmall);
  pod["spec"]["containers"].push_back(
      Container("second", {{"dcunum", "1"}, {"dcumem", "4000"}, {"dcucores", "50"}}));
  pod["spec"]["containers"].push_back(Container("none", {}));
  Create(pod);
  ASSERT_EQ(Bound("several"), "small");
  std::map<std::string, int> units;
  for (const json& partition : PartitionsOf("several")) {
    units[partition["spec"]["podRef"]["container"]] =
        partition["spec"]["assignment"]["computeUnits"];
  }
  EXPECT_EQ(units, (std::map<std::string, int>{{"main", 9}, {"second", 30}}));
  ExpectFilesOfAssignments();
  ExpectNoBreach();
}

TEST_F(PlacementTest, ANodeWithoutTheNewerResourceNameIsRefused) {
  Create(Pod("newer", {{"hcunum", "1"}, {"hcumem", "2000"}}));
  ASSERT_TRUE(Waits("newer", "Unschedulable", "node has no hygon.com/hcunum"));
  // As another daemon's --resource-names would have it.
  const Api::Answer answer = api().Call("PATCH", "/api/v1/nodes/small/status",
                                        {{"status",
                                          {{"capacity", {{"hygon.com/hcunum", "16"}}},
                                           {"allocatable", {{"hygon.com/hcunum", "16"}}}}}});
  EXPECT_EQ(answer.code, 200) << answer.body.dump();
  EXPECT_EQ(Bound("newer"), "small");
  api().Call("PATCH", "/api/v1/nodes/small/status",
             {{"status",
               {{"capacity", {{"hygon.com/hcunum", nullptr}}},
                {"allocatable", {{"hygon.com/hcunum", nullptr}}}}}});
}

TEST_F(PlacementTest, AnnotationsSelectCards) {
  const std::string third = world().small.host().Uuid(2);
  Create(Pod("model", kSlice, {{"hygon.com/use-dcutype", "K100_AI"}}));
  Create(Pod("not-model", kSlice, {{"hygon.com/nouse-dcutype", "K100_AI"}}));
  Create(Pod("uuid", kSlice, {{"hygon.com/use-gpuuuid", third}}));
  std::string others;
  for (int card : {0, 1, 2}) others += world().small.host().Uuid(card) + ",";
  Create(Pod("not-uuid", kSlice,
             {{"hygon.com/use-dcutype", "Z100L"}, {"hygon.com/nouse-gpuuuid", others}}));
  EXPECT_EQ(Bound("model"), "big");
  EXPECT_EQ(OnlyPartitionOf("model")["spec"]["assignment"]["computeUnits"], 18);
  EXPECT_EQ(Bound("not-model"), "small");
  EXPECT_EQ(Bound("uuid"), "small");
  EXPECT_EQ(OnlyPartitionOf("uuid")["spec"]["assignment"]["device"], third);
  EXPECT_EQ(Bound("not-uuid"), "small");
  EXPECT_EQ(OnlyPartitionOf("not-uuid")["spec"]["assignment"]["device"],
            world().small.host().Uuid(3));
}

TEST_F(PlacementTest, CordonedCardsAndReservedMemoryAreLeftAlone) {
  const auto administer = [&](const json& spec) {
    const Api::Answer answer =
        api().Call("PATCH", std::string(kDcuNodes) + "/small", {{"spec", spec}});
    ASSERT_EQ(answer.code, 200) << answer.body.dump();
  };
  json cordoned = json::array();
  for (int card : {0, 1, 3}) cordoned.push_back(world().small.host().Uuid(card));
  administer({{"unschedulableDevices", cordoned}, {"memoryReserve", "768Mi"}});
  Create(Pod("most", {{"dcunum", "1"}, {"dcumem", "32000"}, {"dcucores", "10"}}, kOnSmall));
  ASSERT_EQ(Bound("most"), "small");
  EXPECT_EQ(OnlyPartitionOf("most")["spec"]["assignment"]["device"], world().small.host().Uuid(2));
  Create(Pod("waits", {{"dcunum", "1"}, {"dcumem", "64"}, {"dcucores", "10"}}, kOnSmall));
  ASSERT_TRUE(
      Waits("waits", "Unschedulable", "12 cards: 8 other model, 3 cordoned, 1 too little memory"));
  administer({{"unschedulableDevices", cordoned}, {"memoryReserve", nullptr}});
  EXPECT_EQ(Bound("waits"), "small") << "768 MiB are free now";
  administer({{"unschedulableDevices", nullptr}});
  Create(Pod("again", kWholeCard, kOnSmall));
  EXPECT_EQ(Bound("again"), "small");
}

TEST_F(PlacementTest, TheHigherPriorityRunsFirst) {
  for (const auto& [name, value] : std::map<std::string, int>{{"low", 1}, {"high", 1000}}) {
    api().Call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses",
               {{"apiVersion", "scheduling.k8s.io/v1"},
                {"kind", "PriorityClass"},
                {"metadata", {{"name", name}}},
                {"value", value},
                {"preemptionPolicy", "Never"}});
  }
  for (const char* name : {"a", "b", "c", "d"}) Create(Pod(name, kWholeCard, kOnSmall));
  for (const char* name : {"a", "b", "c", "d"}) ASSERT_EQ(Bound(name), "small");
  for (const char* name : {"low", "high"}) {
    json pod = Pod(name, kWholeCard, kOnSmall);
    pod["spec"]["priorityClassName"] = name;
    Create(pod);
    ASSERT_TRUE(Waits(name, "Unschedulable", "0/2 nodes fit"));
  }
  Delete(kPods, "a");
  EXPECT_EQ(Bound("high"), "small");
  EXPECT_FALSE(FindPod("low")["spec"].contains("nodeName"));
  Delete(kPods, "b");
  EXPECT_EQ(Bound("low"), "small");
}

TEST_F(PlacementTest, EndedAndDeletedPodsFreeTheirSlices) {
  for (const char* name : {"ends", "fails", "is-deleted", "goes-on"}) {
    Create(Pod(name, kSlice, kOnSmall));
  }
  for (const char* name : {"ends", "fails", "is-deleted", "goes-on"}) {
    ASSERT_EQ(Bound(name), "small");
  }
  const auto ends = [&](const std::string& pod, const char* phase) {
    const Api::Answer answer = api().Call("PATCH", std::string(kPods) + "/" + pod + "/status",
                                          {{"status", {{"phase", phase}}}});
    EXPECT_EQ(answer.code, 200) << answer.body.dump();
  };
  ends("ends", "Succeeded");
  ends("fails", "Failed");
  Delete(kPods, "is-deleted");
  Eventually("one partition is left", [&] { return api().List(kPartitions).size() == 1; });
  EXPECT_TRUE(OnlyPartitionOf("goes-on").is_object());
  EXPECT_TRUE(FindPod("ends").is_object()) << "the pod itself stays";
  ExpectFilesOfAssignments();
}

}  // namespace
}  // namespace vdcu::integration
