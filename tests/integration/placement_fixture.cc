#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {

using nlohmann::json;

World::World()
    : ControlPlane({.config = "advertising", .audit = true}),
      big(cluster, api, "big", {.cards = 8, .model = "K100_AI", .serial_prefix = "big"}),
      small(cluster, api, "small", {.cards = 4, .model = "Z100L", .serial_prefix = "small"}) {}

World& PlacementTest::world() {
  static World one;
  return one;
}

void PlacementTest::StartAll() {
  for (Worker* worker : {&world().big, &world().small}) {
    if (!worker->runs()) worker->Start();
  }
  world().StartController();
}

void PlacementTest::SetUp() {
  StartAll();
  for (const Worker* worker : world().workers()) {
    ASSERT_TRUE(
        Eventually(worker->name() + " published its cards", [&] { return worker->Published(); }));
  }
}

void PlacementTest::TearDown() {
  StartAll();
  for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
  Eventually("all partitions are gone", [&] { return api().List(kPartitions).empty(); });
  for (const Worker* worker : world().workers()) {
    Eventually("no file is left on " + worker->name(), [&] { return worker->Files().empty(); });
    Eventually("all slots of " + worker->name() + " are free",
               [&] { return worker->DcuNode()["status"].value("vdcus", "").starts_with("0/"); });
  }
}

std::vector<json> PlacementTest::PartitionsOf(const std::string& pod) const {
  std::vector<json> found;
  for (json& partition : api().List(kPartitions)) {
    const json ref = partition["spec"].value("podRef", json::object());
    if (ref.value("name", "") == pod) found.push_back(std::move(partition));
  }
  return found;
}

std::string PlacementTest::Bound(const std::string& pod) {
  std::string node;
  json object;
  Eventually("pod " + pod + " is bound", [&] {
    object = FindPod(pod);
    if (object.is_object()) node = object["spec"].value("nodeName", "");
    return !node.empty();
  });
  if (node.empty()) {
    ADD_FAILURE() << Condition(object, "PodScheduled").dump() << "\n"
                  << world().cluster.Kubectl({"events"}).text;
  }
  return node;
}

json PlacementTest::OnlyPartitionOf(const std::string& pod) {
  const auto partitions = PartitionsOf(pod);
  EXPECT_EQ(partitions.size(), 1u) << pod;
  return partitions.size() == 1 ? partitions.front() : json();
}

bool PlacementTest::Waits(const std::string& pod, const std::string& reason,
                          const std::string& message_part) {
  json condition;
  const bool did = Eventually("pod " + pod + " waits: " + reason + ": " + message_part, [&] {
    condition = Condition(FindPod(pod), "PodScheduled");
    return condition.is_object() && condition["status"] == "False" &&
           condition["reason"] == reason &&
           condition["message"].get<std::string>().find(message_part) != std::string::npos;
  });
  if (!did) ADD_FAILURE() << condition.dump();
  return did;
}

bool PlacementTest::Becomes(const std::string& partition, const std::string& condition,
                            const std::string& status_and_reason) {
  json found;
  const std::string want = condition + "=" + status_and_reason;
  const bool did = Eventually("partition " + partition + " has " + want, [&] {
    found = Condition(FindPartition(partition), condition);
    return found.is_object() &&
           found["status"].get<std::string>() + "/" + found["reason"].get<std::string>() ==
               status_and_reason;
  });
  if (!did) ADD_FAILURE() << FindPartition(partition).dump();
  return did;
}

bool PlacementTest::Eventually(const std::string& what, const std::function<bool()>& done) {
  const bool did = Until(done);
  EXPECT_TRUE(did) << "never came true: " << what << "\n" << Logs();
  return did;
}

std::string PlacementTest::Logs() const {
  return "controller:\n" + world().LogOf() + "big:\n" + world().big.Log() + "small:\n" +
         world().small.Log();
}

void PlacementTest::ExpectNoBreach() {
  for (const Worker* worker : world().workers()) {
    EXPECT_THAT(BreachesOfFiles(*worker), testing::IsEmpty());
  }
  EXPECT_THAT(BreachesOfObjects(api().List(kPartitions), world().hosts()), testing::IsEmpty());
}

void PlacementTest::ExpectFilesOfAssignments() {
  for (const Worker* worker : world().workers()) {
    std::vector<std::string> differences;
    Until([&] {
      differences = world::DifferencesOfFiles(api().List(kPartitions), *worker);
      return differences.empty();
    });
    EXPECT_THAT(differences, testing::IsEmpty());
  }
}

}  // namespace vdcu::integration
