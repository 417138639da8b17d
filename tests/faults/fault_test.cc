#include "tests/faults/fault_test.h"

#include <algorithm>
#include <map>
#include <set>

#include "tests/world/invariants.h"
#include "tests/world/process.h"

namespace vdcu::faults {

using nlohmann::json;
using world::Condition;
using world::kDcuNodes;
using world::kPartitions;
using world::kPods;

namespace {

// Texts that differ from one story to the next, and what stands for them.
using Aliases = std::map<std::string, std::string>;

std::string Neutral(std::string text, const Aliases& aliases) {
  for (const auto& [from, to] : aliases) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

void EraseVolatile(json& value) {
  static const std::set<std::string> kVolatile{"creationTimestamp", "generation", "managedFields",
                                               "resourceVersion",   "uid",        "podUID",
                                               "lastTransitionTime"};
  if (value.is_object()) {
    for (const std::string& key : kVolatile) value.erase(key);
  }
  if (value.is_structured()) {
    for (json& part : value) EraseVolatile(part);
  }
}

json Neutral(const json& object, const Aliases& aliases) {
  json neutral = json::parse(Neutral(object.dump(), aliases));
  EraseVolatile(neutral);
  return neutral;
}

// A pod's partitions have names made from its UID: they are told apart by their card.
std::string AliasOf(const json& partition) {
  if (!partition["spec"].contains("podRef")) return partition["metadata"]["name"];
  const json& spec = partition["spec"];
  return "of " + spec["podRef"]["name"].get<std::string>() + " on " +
         spec["assignment"]["device"].get<std::string>();
}

// As the proxy counts them.
bool IsCounted(const json& write) {
  const std::string path = write["path"];
  return path.find("/events") == std::string::npos && path.find("/leases") == std::string::npos;
}

json Snapshot(const World& world) {
  const auto partitions = world.api.List(kPartitions);
  const auto pods = world.api.List(kPods);
  Aliases aliases;
  for (const json& pod : pods) {
    aliases[pod["metadata"]["uid"]] = "uid of " + pod["metadata"]["name"].get<std::string>();
  }
  json shown{{"partitions", json::object()}, {"files", json::object()}, {"pods", json::object()}};
  for (const json& partition : partitions) {
    aliases[partition["metadata"]["uid"]] = "uid " + AliasOf(partition);
    if (partition["spec"].contains("podRef")) {
      aliases[partition["metadata"]["name"]] = AliasOf(partition);
    }
  }
  for (const json& partition : partitions) {
    shown["partitions"][AliasOf(partition)] = Neutral(partition, aliases);
  }
  for (const auto& [path, bytes] : world.node.Files()) {
    shown["files"][Neutral(path, aliases)] = Neutral(bytes, aliases);
  }
  for (const json& pod : pods) {
    shown["pods"][pod["metadata"]["name"].get<std::string>()] = {
        {"node", pod["spec"].value("nodeName", "")},
        {"scheduled", Condition(pod, "PodScheduled").value("status", "")}};
  }
  return shown;
}

}  // namespace

World::World()
    : ControlPlane({.config = "advertising"}),
      node(cluster, api, kNode, {.cards = 3, .model = "Z100L", .serial_prefix = kNode}),
      proxy(cluster, "controller,daemon,second") {
  node.Kill();
  Redirect();
}

void World::Redirect() const {
  proxy.Redirect(kubeconfig, "controller");
  proxy.Redirect(cluster.folder() + "/token-vdcu-system-vdcu-node-" + kNode, "daemon");
}

World& FaultTest::world() {
  static World one;
  return one;
}

void FaultTest::SetUp() {
  proxy().Plan({});
  Tend();
  ASSERT_TRUE(Reach("the node has published its cards", [] { return world().node.Published(); }));
  deaths_ = 0;
  Look();
}

void FaultTest::TearDown() {
  tends_ = true;
  proxy().Plan({});
  for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
  Reach("all partitions are gone", [] { return api().List(kPartitions).empty(); });
  Reach("no file is left", [] { return world().node.Files().empty(); });
  Reach("all slots are free",
        [] { return world().node.DcuNode()["status"].value("vdcus", "") == "0/12"; });
  StopLooking();
}

void FaultTest::StopLooking() {
  if (!guard_) return;
  EXPECT_THAT(guard_->Breaches(), testing::IsEmpty());
  guard_.reset();
}

void FaultTest::Tend() {
  if (!tends_) return;
  if (world().StartController()) ++deaths_;
  if (!world().node.runs() || world().node.daemon().Wait(base::Duration(0)) != -1) {
    world().node.Start();
    ++deaths_;
  }
}

bool FaultTest::Reach(const std::string& what, const std::function<bool()>& done) {
  const bool did = world::Until([&] {
    Tend();
    return done();
  });
  if (!did) {
    ADD_FAILURE() << "never came true: " << what << "\ncontroller:\n"
                  << world().LogOf("controller") << "daemon:\n"
                  << world().node.Log() << Snapshot(world()).dump(1);
  }
  return did;
}

void FaultTest::StartAnew() {
  world().controller.reset();
  world().node.Kill();
  Tend();
  deaths_ = 0;
}

pid_t FaultTest::PidOf(const std::string& client) const {
  return client == "daemon" ? world().node.daemon().pid() : world().controller->pid();
}

bool FaultTest::Bound(const std::string& pod) {
  return Reach("pod " + pod + " is bound", [&] {
    const json object = api().Find(kPods, pod);
    return object.is_object() && object["spec"].contains("nodeName");
  });
}

bool FaultTest::Becomes(const std::string& partition, const std::string& condition,
                        const std::string& status_and_reason) {
  return Reach(partition + " has " + condition + "=" + status_and_reason, [&] {
    const json found = Condition(api().Find(kPartitions, partition), condition);
    return found.is_object() &&
           found["status"].get<std::string>() + "/" + found["reason"].get<std::string>() ==
               status_and_reason;
  });
}

// Each part waits for what it began, so that which units a slice gets does not depend on chance.
void FaultTest::StoryRises(const Hooks& hooks) {
  const auto part = [&](const std::function<void()>& begin, const std::function<bool()>& reached) {
    if (HasFailure()) return;
    hooks.before(part_);
    begin();
    hooks.after(part_++);
    reached();
  };
  const auto bound = [&](const std::string& pod) { return [this, pod] { return Bound(pod); }; };
  part(
      [&] {
        Delete(kDcuNodes, kNode);
        api().Call("PATCH", std::string("/api/v1/nodes/") + kNode + "/status",
                   {{"status",
                     {{"capacity", {{"hygon.com/dcunum", nullptr}}},
                      {"allocatable", {{"hygon.com/dcunum", nullptr}}}}}});
      },
      [&] {
        return Reach("its cards are published anew", [] { return world().node.Published(); });
      });
  part([&] { Create(world::Partition("kept", {{"cores", 15}, {"memory", "2000Mi"}})); },
       [&] { return Becomes("kept", "Ready", "True/Ready"); });
  part([&] { Create(world::Pod("slice", kSlice)); }, bound("slice"));
  part([&] { Create(world::Pod("two", kTwoCards)); }, bound("two"));
  part([&] { Create(world::Pod("user", kWholeCard, {{"vdcu.io/partition", "kept"}})); },
       [&] {
         return Bound("user") && Reach("kept shows its user", [] {
                  const json kept = api().Find(kPartitions, "kept");
                  return kept["status"].value("usedBy", json::object()).value("name", "") == "user";
                });
       });
}

void FaultTest::StoryFalls(const Hooks& hooks) {
  const auto part = [&](const std::string& path, const std::string& name, const std::string& what,
                        const std::function<bool()>& done) {
    if (HasFailure()) return;
    hooks.before(part_);
    Delete(path, name);
    hooks.after(part_++);
    Reach(what, done);
  };
  const auto left = [](size_t count) {
    return [count] { return api().List(kPartitions).size() == count; };
  };
  part(kPods, "two", "its partitions are gone", left(2));
  part(kPods, "slice", "its partition is gone", left(1));
  part(kPods, "user", "nobody uses the reserved one",
       [] { return api().Find(kPartitions, "kept")["status"].value("usedBy", json()).is_null(); });
  part(kPartitions, "kept", "it is gone", left(0));
  Reach("no file is left", [] { return world().node.Files().empty(); });
}

json FaultTest::Story(const Hooks& hooks) {
  deaths_ = part_ = 0;
  StoryRises(hooks);
  const json height = Snapshot(world());
  EXPECT_THAT(world::DifferencesOfFiles(api().List(kPartitions), world().node), testing::IsEmpty());
  StoryFalls(hooks);
  EXPECT_EQ(part_, kParts);
  if (guard_) {
    EXPECT_THAT(guard_->Breaches(), testing::IsEmpty());
  }
  return height;
}

const FaultTest::Calm& FaultTest::Undisturbed() {
  static Calm calm;
  if (calm.height.is_null()) {
    proxy().Plan({});
    calm.height = Story();
    for (const json& write : proxy().Record().writes) {
      if (IsCounted(write)) ++calm.writes[write["client"]];
    }
  }
  return calm;
}

void FaultTest::ExpectTheSameEnd(const Hooks& hooks) {
  const json& want = Undisturbed().height;
  const json height = Story(hooks);
  EXPECT_EQ(height, want) << json::diff(want, height).dump(1);
}

}  // namespace vdcu::faults
