#include "tests/integration/placement_fixture.h"

#include <algorithm>
#include <fstream>

#include "tests/integration/invariants.h"

namespace vdcu::integration {

using nlohmann::json;

namespace {

constexpr char kAtOnce[] = "?propagationPolicy=Background&gracePeriodSeconds=0";

}  // namespace

World::World()
    : cluster({}, VDCU_SOURCE_DIR "/tests/integration/audit.yaml"),
      api(cluster),
      kubeconfig((cluster.Install("advertising"),
                  cluster.TokenKubeconfig("vdcu-system", "vdcu-controller"))),
      big(cluster, api, "big", {.cards = 8, .model = "K100_AI", .serial_prefix = "big"}),
      small(cluster, api, "small", {.cards = 4, .model = "Z100L", .serial_prefix = "small"}) {}

std::unique_ptr<Background> World::MakeController(const std::string& name,
                                                  const std::vector<std::string>& flags) const {
  // By environment, as all flags can be given.
  std::vector<std::string> arguments{"env", "VDCU_KUBECONFIG=" + kubeconfig,
                                     VDCU_CONTROLLER_BINARY};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return std::make_unique<Background>(arguments, cluster.folder() + "/" + name + ".log");
}

std::string World::ControllerLog(const std::string& name) const {
  return RunProgram({"tail", "-n", "60", cluster.folder() + "/" + name + ".log"}).text;
}

std::vector<std::string> World::RequestsAbout(const std::set<std::string>& names) const {
  const std::string kUsers = "system:serviceaccount:vdcu-system:";
  std::vector<std::string> found;
  std::ifstream log(cluster.audit_log());
  for (std::string line; std::getline(log, line);) {
    const json event = json::parse(line, nullptr, false);
    if (event.is_discarded()) break;  // it is being written
    const json& object = event["objectRef"];
    if (!names.contains(object.value("name", ""))) continue;
    const std::string part = object.value("subresource", "");
    found.push_back(event["user"]["username"].get<std::string>().substr(kUsers.size()) + " " +
                    event["verb"].get<std::string>() + " " + object["resource"].get<std::string>() +
                    (part.empty() ? "" : "/" + part));
  }
  return found;
}

json Container(const std::string& name, const Limits& limits) {
  json all = json::object();
  for (const auto& [resource, amount] : limits) all["hygon.com/" + resource] = amount;
  return {{"name", name}, {"image", "i"}, {"resources", {{"limits", all}}}};
}

json Pod(const std::string& name, const Limits& limits,
         const std::map<std::string, std::string>& annotations) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"annotations", annotations}}},
          {"spec",
           {{"schedulerName", "vdcu-scheduler"},
            {"containers", json::array({Container("main", limits)})}}}};
}

json Partition(const std::string& name, const json& spec) {
  return {{"apiVersion", "vdcu.io/v1alpha1"},
          {"kind", "VDCUPartition"},
          {"metadata", {{"name", name}}},
          {"spec", spec}};
}

json Condition(const json& object, const std::string& type) {
  if (!object.is_object() || !object.contains("status")) return nullptr;
  for (const json& condition : object["status"].value("conditions", json::array())) {
    if (condition["type"] == type) return condition;
  }
  return nullptr;
}

World& PlacementTest::world() {
  static World one;
  return one;
}

void PlacementTest::StartAll() {
  for (Worker* worker : {&world().big, &world().small}) {
    if (!worker->runs()) worker->Start();
  }
  if (!world().controller) world().controller = world().MakeController("controller");
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
  for (const char* path : {kPods, kPartitions}) api().Call("DELETE", std::string(path) + kAtOnce);
  Eventually("all partitions are gone", [&] { return api().List(kPartitions).empty(); });
  for (const Worker* worker : world().workers()) {
    Eventually("no file is left on " + worker->name(), [&] { return worker->Files().empty(); });
    Eventually("all slots of " + worker->name() + " are free",
               [&] { return worker->DcuNode()["status"].value("vdcus", "").starts_with("0/"); });
  }
}

json PlacementTest::Create(const json& object, const std::string& user) {
  const char* path = object["kind"] == "Pod" ? kPods : kPartitions;
  Api::Answer answer = api().Call("POST", path, object, user);
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
  return std::move(answer.body);
}

void PlacementTest::Delete(const std::string& path, const std::string& name) {
  const Api::Answer answer = api().Call("DELETE", path + "/" + name + kAtOnce);
  EXPECT_LT(answer.code, 300) << answer.body.dump();
}

std::vector<json> PlacementTest::PartitionsOf(const std::string& pod) const {
  std::vector<json> found;
  for (json& partition : api().List(kPartitions)) {
    const json ref = partition["spec"].value("podRef", json::object());
    if (ref.value("name", "") == pod) found.push_back(std::move(partition));
  }
  return found;
}

bool PlacementTest::HasEvent(const std::string& object, const std::string& reason,
                             const std::string& note_part) const {
  const auto events = api().List("/apis/events.k8s.io/v1/namespaces/default/events");
  return std::any_of(events.begin(), events.end(), [&](const json& event) {
    return event["regarding"].value("name", "") == object && event["reason"] == reason &&
           event.value("note", "").find(note_part) != std::string::npos;
  });
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
  return "controller:\n" + world().ControllerLog() + "big:\n" + world().big.Log() + "small:\n" +
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
      differences = DifferencesOfFiles(api().List(kPartitions), *worker);
      return differences.empty();
    });
    EXPECT_THAT(differences, testing::IsEmpty());
  }
}

}  // namespace vdcu::integration
