// vdcu-node on a real API server, with its own rights and a simulated host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/hosts/simulated_host.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"
#include "tests/world/http.h"
#include "tests/world/paths.h"

namespace vdcu::integration {
namespace {

using world::Background;
using world::Cluster;
using world::Output;

using hosts::SimulatedHost;
using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr char kController[] = "--as=system:serviceaccount:vdcu-system:vdcu-controller";
constexpr char kMasters[] = "--as-group=system:masters";

void Require(const Output& output) { ASSERT_EQ(output.exit_code, 0) << output.text; }

Cluster& cluster() {
  static Cluster one;
  static const bool prepared = [] {
    one.Install("advertising");
    // The tests play the controller, whose binding alone may name a pod's partition.
    Require(one.Kubectl({"delete", "validatingadmissionpolicybinding", "pods.vdcu.io"}));
    return true;
  }();
  EXPECT_TRUE(prepared);
  return one;
}

bool Until(const std::function<bool()>& done, base::Duration most = seconds(120)) {
  const base::SystemClock clock;
  const base::TimePoint deadline = clock.Now() + most;
  while (!done()) {
    if (clock.Now() > deadline) return false;
    std::this_thread::sleep_for(base::Duration(100));
  }
  return true;
}

// One node: its Node, its host and its daemon.
class NodeTest : public testing::Test {
 protected:
  void SetUp() override {
    static int count = 0;
    node_ = "node-" + std::to_string(++count);
    Apply({{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", node_}}}});
    kubeconfig_ = cluster().TokenKubeconfig("vdcu-system", "vdcu-node", node_);
    host_.emplace(
        SimulatedHost::Create(Folder(), {.cards = 2, .model = "Z100L", .serial_prefix = node_})
            .value());
    StartDaemon();
    ASSERT_TRUE(Until([this] { return DcuNode()["status"].contains("devices"); })) << Log();
  }

  std::string Folder() const { return cluster().folder() + "/" + node_; }
  std::string Log() const { return host_->root().Read("/daemon.log", 1 << 20).value_or(""); }

  void StartDaemon(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{world::NodeBinary(), "--kubeconfig", kubeconfig_};
    arguments.insert(arguments.end(), {"--node-name", node_, "--host-root", Folder()});
    arguments.insert(arguments.end(), {"--kubelet-dir", "", "--advertise", "--log-level", "debug"});
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    daemon_ = std::make_unique<Background>(arguments, Folder() + "/daemon.log");
  }

  // Of the daemon that was started last; empty: it does not serve yet.
  std::string Metrics() {
    const std::string log = Log();
    const size_t at = log.rfind("serving port=");
    if (at == std::string::npos) return "";
    const std::string port = log.substr(at + 13, log.find('\n', at) - at - 13);
    const world::HttpAnswer metrics =
        world::Fetch({.url = "http://127.0.0.1:" + port + "/metrics"});
    return metrics.code == 200 ? metrics.text : "";
  }
  // Whether the daemon has counted an error of the code.
  bool Counts(const std::string& code) {
    return Metrics().find("vdcu_node_errors_total{code=\"" + code + "\"}") != std::string::npos;
  }

  void Apply(const json& object) {
    Require(cluster().Kubectl({kController, kMasters, "create", "-f", "-"}, object.dump()));
  }
  json Get(const std::string& kind, const std::string& name) {
    const Output output =
        cluster().Kubectl({"get", kind, name, "-o", "json", "--ignore-not-found"});
    const json object = json::parse(output.text, nullptr, false);
    return object.is_object() ? object : json::object();
  }
  json DcuNode() {
    json object = Get("dcunode", node_);
    if (!object.contains("status")) object["status"] = json::object();
    return object;
  }
  std::string Condition(const std::string& name, const std::string& type) {
    const json object = Get("vdcupartition", name);
    if (!object.contains("status")) return "";
    for (const json& condition : object["status"]["conditions"]) {
      if (condition["type"] == type) {
        return condition["status"].get<std::string>() + "/" +
               condition["reason"].get<std::string>();
      }
    }
    return "";
  }
  bool Becomes(const std::string& name, const std::string& type, const std::string& want) {
    const bool did = Until([&] { return Condition(name, type) == want; });
    EXPECT_TRUE(did) << name << " " << type << " is " << Condition(name, type) << ", want " << want
                     << "\n"
                     << Log();
    return did;
  }

  // An assigned partition on the first card; `mask` has its units.
  json Partition(const std::string& name, const std::string& mask, int units, int slot) {
    return {{"apiVersion", "vdcu.io/v1alpha1"},
            {"kind", "VDCUPartition"},
            {"metadata",
             {{"name", name},
              {"namespace", "default"},
              {"finalizers", json::array({"vdcu.io/in-use"})}}},
            {"spec",
             {{"computeUnits", units},
              {"memory", "2000Mi"},
              {"assignment",
               {{"node", node_},
                {"device", host_->Uuid(0)},
                {"pciBusID", "0000:ff:00.0"},
                {"computeUnits", units},
                {"cuMasks", {mask, "0x0000000000000000"}},
                {"memory", "2000Mi"},
                {"pipe", slot},
                {"vdev", slot}}}}}};
  }
  json Pod(const std::string& name) {
    const json container{
        {"name", "main"}, {"image", "i"}, {"resources", {{"limits", {{"hygon.com/dcunum", "1"}}}}}};
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}, {"namespace", "default"}}},
            {"spec", {{"nodeName", node_}, {"containers", json::array({container})}}}};
  }
  // Name to bytes and time of last change.
  std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>> Files() {
    std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>> files;
    for (const char* top : {"/etc", "/var"}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(Folder() + top)) {
        if (!entry.is_regular_file()) continue;
        const std::string path = entry.path().string().substr(Folder().size());
        files[path] = {host_->root().Read(path).value_or(""), entry.last_write_time()};
      }
    }
    return files;
  }
  bool FileIs(const std::string& path, const std::string& content) {
    return host_->root().Read(path).value_or("") == content;
  }

  std::string node_;
  std::string kubeconfig_;
  std::optional<SimulatedHost> host_;
  std::unique_ptr<Background> daemon_;
};

TEST_F(NodeTest, PublishesItsCardsAndAdvertisesThem) {
  const json status = DcuNode()["status"];
  ASSERT_EQ(status["devices"].size(), 2u);
  EXPECT_EQ(status["devices"][0]["uuid"], host_->Uuid(0));
  EXPECT_EQ(status["devices"][0]["computeUnits"], 60);
  EXPECT_EQ(status["healthy"], "2/2");
  EXPECT_EQ(status["vdcus"], "0/8");
  EXPECT_EQ(status["conditions"][0]["type"], "Ready");
  EXPECT_EQ(status["conditions"][0]["status"], "True");
  EXPECT_TRUE(Until([this] {
    const json node = Get("node", node_);
    return node["status"].contains("allocatable") &&
           node["status"]["allocatable"].value("hygon.com/dcunum", "") == "8";
  })) << Log();
}

TEST_F(NodeTest, AdvertisesPartsOfAllCardsAgainWhenSomebodyZeroesThem) {
  daemon_.reset();
  StartDaemon({"--advertise-parts", "--memory-unit", "Gi"});
  int64_t gib = 0;
  const json status = DcuNode()["status"];
  for (const json& card : status["devices"]) {
    const std::string memory = card["memory"];
    ASSERT_TRUE(memory.ends_with("Mi")) << memory;
    gib += std::stoll(memory) / 1024;
  }
  ASSERT_GT(gib, 0);
  const auto offers = [&](const char* which, const std::string& resource) {
    return Get("node", node_)["status"][which].value(resource, "");
  };
  const auto offers_all = [&] {
    for (const char* which : {"capacity", "allocatable"}) {
      if (offers(which, "hygon.com/dcumem") != std::to_string(gib)) return false;
      if (offers(which, "hygon.com/dcucores") != "200") return false;
    }
    return true;
  };
  EXPECT_TRUE(Until(offers_all)) << Log();
  // As a kubelet does that starts with a new checkpoint of its device plugins.
  const json zero{{"hygon.com/dcumem", "0"}, {"hygon.com/dcucores", "0"}};
  Require(
      cluster().Kubectl({"patch", "node", node_, "--subresource=status", "-p",
                         json{{"status", {{"capacity", zero}, {"allocatable", zero}}}}.dump()}));
  EXPECT_TRUE(Until(offers_all)) << Log();
}

TEST_F(NodeTest, ShowsItsCardsToToolsOfHamiAndWarnsWhereItsSchedulerAsks) {
  EXPECT_EQ(Get("node", node_)["metadata"].value("annotations", json::object()), json::object());
  daemon_.reset();
  StartDaemon({"--hami", "hcu"});
  const auto said = [&](const std::string& key) {
    const json annotations = Get("node", node_)["metadata"].value("annotations", json::object());
    return annotations.value("hami.io/" + key, "");
  };
  std::string want;
  const json shown = DcuNode();
  for (const json& card : shown["status"]["devices"]) {
    const std::string uuid = card["uuid"];
    const std::string index = std::to_string(card["index"].get<int>());
    want += "HCU-" + uuid.substr(4) + ",4,32768,100,HCU-Z100L," +
            std::to_string(card["numaNode"].get<int>()) + ",true," + index + ",vdcu:";
  }
  EXPECT_TRUE(Until([&] { return said("node-hcu-register") == want; }))
      << said("node-hcu-register") << ", want " << want << "\n"
      << Log();
  EXPECT_TRUE(said("node-handshake-hcu").starts_with("Reported 20")) << said("node-handshake-hcu");
  Require(cluster().Kubectl({"annotate", "node", node_, "--overwrite",
                             "hami.io/node-handshake-hcu=Requesting_2026-01-28 11:25:27"}));
  EXPECT_TRUE(Until([&] { return said("node-handshake-hcu").starts_with("Reported 20"); }))
      << Log();
  EXPECT_TRUE(Until([&] {
    return cluster().Kubectl({"get", "events", "-A"}).text.find("HamiSchedulerAsks") !=
           std::string::npos;
  })) << Log();
  EXPECT_TRUE(Until(
      [&] { return Metrics().find("\nvdcu_node_hami_requests_total 1\n") != std::string::npos; }));
  // As the other family, and it does not take its own register for another plugin's.
  daemon_.reset();
  StartDaemon({"--hami", "dcu"});
  EXPECT_TRUE(Until([&] {
    return said("node-dcu-register").starts_with("DCU-0,4,32768,100,DCU-Z100L,") &&
           said("node-hcu-register").empty() && said("node-handshake-hcu").empty();
  })) << Log();
}

TEST_F(NodeTest, PreparesRefusesAndLetsGo) {
  Apply(Partition("a", "0x00000000000001ff", 9, 0));
  ASSERT_TRUE(Becomes("a", "Ready", "True/Ready"));
  const std::string want = "PciBusId: " + host_->cards()[0].pci_bus_id +
                           "\ncu_mask: 0x00000000000001ff\ncu_mask: 0x0000000000000000\n"
                           "cu_count: 9\nmem: 2000 MiB\ndevice_id: 0\nvdev_id: 0\npipe_id: 0\n"
                           "enable: 1\n";
  const json partition = Get("vdcupartition", "a");
  EXPECT_TRUE(FileIs("/etc/vdev/vdev0.conf", want));
  EXPECT_TRUE(FileIs(
      "/etc/vdev/slices/" + partition["metadata"]["uid"].get<std::string>() + "/vdev0.conf", want));
  EXPECT_EQ(partition["status"]["vdevFile"], "/etc/vdev/vdev0.conf");

  Apply(Partition("b", "0x0000000000000300", 2, 1));
  ASSERT_TRUE(Becomes("b", "Prepared", "False/UnitsOverlap"));
  EXPECT_FALSE(host_->root().Exists("/etc/vdev/vdev1.conf"));
  EXPECT_TRUE(Until([] {
    return cluster().Kubectl({"get", "events"}).text.find("UnitsOverlap") != std::string::npos;
  })) << Log();
  // A mask that does not count what it says: the object does not even decode.
  Apply(Partition("c", "0x0000000000000c00", 3, 2));
  ASSERT_TRUE(Becomes("c", "Prepared", "False/Unreadable"));
  EXPECT_TRUE(Until([this] { return DcuNode()["status"]["vdcus"] == "1/8"; })) << Log();

  Require(cluster().Kubectl({"delete", "vdcupartition", "a", "--timeout=120s"}));
  ASSERT_TRUE(Becomes("b", "Ready", "True/Ready")) << "its units are free now";
  EXPECT_FALSE(host_->root().Exists("/etc/vdev/vdev0.conf"));
  Require(cluster().Kubectl({"delete", "vdcupartition", "b", "c", "--timeout=120s"}));
  EXPECT_TRUE(Files().empty());
  EXPECT_TRUE(Until([this] { return DcuNode()["status"]["vdcus"] == "0/8"; })) << Log();
}

TEST_F(NodeTest, CountsWhatFails) {
  std::filesystem::remove_all(Folder() + "/etc/vdev");
  ASSERT_TRUE(host_->root().WriteAtomic("/etc/vdev", "in the way"));
  EXPECT_FALSE(Counts("Unavailable"));
  Apply(Partition("late", "0x00000000000001ff", 9, 0));
  ASSERT_TRUE(Becomes("late", "Prepared", "False/WriteFailed"));
  EXPECT_TRUE(Until([this] { return Counts("Unavailable"); })) << "a key: " << Log();
  ASSERT_TRUE(host_->root().RemoveFile("/etc/vdev"));
  ASSERT_TRUE(Becomes("late", "Ready", "True/Ready")) << "it is tried again";

  json rights = Get("clusterrolebinding", "vdcu-node");
  Require(cluster().Kubectl({"delete", "clusterrolebinding", "vdcu-node"}));
  EXPECT_FALSE(Counts("Forbidden"));
  Apply(Partition("later", "0x0000000000000e00", 3, 1));
  EXPECT_TRUE(Until([this] { return Counts("Forbidden"); })) << "a write: " << Log();
  rights["metadata"] = {{"name", "vdcu-node"}};
  Apply(rights);
  ASSERT_TRUE(Becomes("later", "Ready", "True/Ready"));
  Require(cluster().Kubectl({"delete", "vdcupartition", "late", "later", "--timeout=120s"}));
}

TEST_F(NodeTest, TellsOfASickCardAndOfItsRecovery) {
  Apply(Partition("sick", "0x00000000000001ff", 9, 0));
  ASSERT_TRUE(Becomes("sick", "Ready", "True/Ready"));
  ASSERT_TRUE(host_->MakeSick(0, hosts::Sickness::kRas));
  ASSERT_TRUE(Becomes("sick", "Ready", "False/UncorrectableErrors"));
  EXPECT_EQ(Condition("sick", "Prepared"), "True/Prepared");
  EXPECT_TRUE(Until([this] { return DcuNode()["status"]["healthy"] == "1/2"; }));
  ASSERT_TRUE(host_->Heal(0));
  ASSERT_TRUE(Becomes("sick", "Ready", "True/Ready"));
  ASSERT_TRUE(host_->SetVanished(0, true));
  ASSERT_TRUE(Becomes("sick", "Ready", "False/Vanished"));
  EXPECT_EQ(DcuNode()["status"]["devices"].size(), 2u);
  ASSERT_TRUE(host_->SetVanished(0, false));
  ASSERT_TRUE(Becomes("sick", "Ready", "True/Ready"));
  Require(cluster().Kubectl({"delete", "vdcupartition", "sick", "--timeout=120s"}));
}

TEST_F(NodeTest, SurvivesSigkillWithoutAWriteAndMendsTheDisk) {
  Apply(Partition("kept", "0x00000000000001ff", 9, 0));
  ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready"));
  ASSERT_TRUE(Until([this] { return DcuNode()["status"]["vdcus"] == "1/8"; })) << Log();
  const auto files = Files();
  const auto version = [this](const std::string& kind, const std::string& name) {
    return Get(kind, name)["metadata"]["resourceVersion"];
  };
  const json partition = version("vdcupartition", "kept");
  const json dcunode = version("dcunode", node_);
  daemon_->Signal(SIGKILL);
  EXPECT_EQ(daemon_->Wait(seconds(20)), 128 + SIGKILL);
  ASSERT_TRUE(host_->root().RemoveFile("/daemon.log"));
  StartDaemon();
  ASSERT_TRUE(Until([this] { return Log().find("ready to prepare") != std::string::npos; }));
  // What it writes it has written once a new partition, which comes last, is ready.
  Apply(Partition("later", "0x0000000000000e00", 3, 1));
  ASSERT_TRUE(Becomes("later", "Ready", "True/Ready"));
  EXPECT_EQ(version("vdcupartition", "kept"), partition);
  const json now = DcuNode();
  EXPECT_TRUE(now["metadata"]["resourceVersion"] == dcunode || now["status"]["vdcus"] == "2/8")
      << "written for something else than the new partition: " << now;
  Require(cluster().Kubectl({"delete", "vdcupartition", "later", "--timeout=120s"}));
  EXPECT_EQ(Files(), files);

  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(seconds(20)), 0);
  const std::string bytes = files.at("/etc/vdev/vdev0.conf").first;
  ASSERT_TRUE(host_->root().WriteAtomic("/etc/vdev/vdev0.conf", "wrong"));
  ASSERT_TRUE(host_->root().WriteAtomic("/etc/vdev/vdev9.conf", "nobody's"));
  StartDaemon();
  EXPECT_TRUE(Until([&] {
    return FileIs("/etc/vdev/vdev0.conf", bytes) && !host_->root().Exists("/etc/vdev/vdev9.conf");
  })) << Log();
  Require(cluster().Kubectl({"delete", "vdcupartition", "kept", "--timeout=120s"}));
}

TEST_F(NodeTest, KeepsASliceWhileItsPodRuns) {
  Apply(Pod("runs"));
  const json pod = Get("pod", "runs");
  json partition = Partition("used", "0x00000000000001ff", 9, 0);
  partition["spec"]["podRef"] = {
      {"name", "runs"}, {"uid", pod["metadata"]["uid"]}, {"container", "main"}};
  Apply(partition);
  ASSERT_TRUE(Becomes("used", "Ready", "True/Ready"));
  Require(cluster().Kubectl({"delete", "vdcupartition", "used", "--wait=false"}));
  // The finalizer is lifted by force: the slice is published as held.
  Require(cluster().Kubectl({kController, kMasters, "patch", "vdcupartition", "used",
                             "--type=merge", "-p", R"({"metadata": {"finalizers": []}})"}));
  ASSERT_TRUE(Until([this] {
    return DcuNode()["status"].value("held", json::array()).size() == 1;
  })) << Log();
  EXPECT_EQ(DcuNode()["status"]["held"][0]["podUID"], pod["metadata"]["uid"]);
  EXPECT_TRUE(host_->root().Exists("/etc/vdev/vdev0.conf"));
  Apply(Partition("wants", "0x00000000000001ff", 9, 1));
  ASSERT_TRUE(Becomes("wants", "Prepared", "False/UnitsOverlap"));

  Require(cluster().Kubectl({"delete", "pod", "runs", "--force", "--grace-period=0"}));
  ASSERT_TRUE(Becomes("wants", "Ready", "True/Ready"));
  EXPECT_TRUE(Until([this] { return DcuNode()["status"]["held"].empty(); })) << Log();
  EXPECT_FALSE(host_->root().Exists("/etc/vdev/vdev0.conf"));
  Require(cluster().Kubectl({"delete", "vdcupartition", "wants", "--timeout=120s"}));
}

TEST_F(NodeTest, ItsMetricsNamePodsOnlyWhereThatIsAskedFor) {
  Apply(Pod("named-pod"));
  json partition = Partition("of-pod", "0x00000000000001ff", 9, 0);
  partition["spec"]["podRef"] = {{"name", "named-pod"},
                                 {"uid", Get("pod", "named-pod")["metadata"]["uid"]},
                                 {"container", "main"}};
  Apply(partition);
  ASSERT_TRUE(Becomes("of-pod", "Ready", "True/Ready"));
  const auto serves = [this](const std::string& series) {
    return Until([&] { return Metrics().find(series) != std::string::npos; });
  };
  const std::string card = "node=\"" + node_ + "\",card=\"" + host_->Uuid(0) + "\"";
  const std::string granted = "vdcu_card_granted_compute_units{" + card + ",model=\"Z100L\"} 9";
  ASSERT_TRUE(serves(granted)) << Metrics();
  EXPECT_TRUE(serves("vdcu_card_temperature_celsius{" + card)) << Metrics();
  EXPECT_THAT(Metrics(), Not(HasSubstr("named-pod")));
  EXPECT_THAT(Metrics(), Not(HasSubstr("\nhami_")));

  daemon_.reset();
  StartDaemon({"--pod-metrics", "--metric-names", "hami"});
  EXPECT_TRUE(
      serves("vdcu_slice_compute_units{" + card +
             R"(,namespace="default",pod="named-pod",container="main",partition="of-pod"} 9)"))
      << Metrics();
  EXPECT_TRUE(serves("hami_vgpu_memory_allocated_bytes{")) << Metrics();
  EXPECT_THAT(Metrics(), Not(HasSubstr("volcano_")));
  Require(cluster().Kubectl({"delete", "vdcupartition", "of-pod", "--wait=false"}));
  Require(cluster().Kubectl({"delete", "pod", "named-pod", "--force", "--grace-period=0"}));
  EXPECT_TRUE(Until([this] { return Metrics().find("named-pod") == std::string::npos; }))
      << "a series goes with its slice";
}

TEST_F(NodeTest, ShowsWhoUsesAReservedPartition) {
  Apply(Partition("reserved", "0x00000000000001ff", 9, 0));
  ASSERT_TRUE(Becomes("reserved", "Ready", "True/Ready"));
  Apply(Pod("user"));
  const std::string uid = Get("pod", "user")["metadata"]["uid"];
  Require(
      cluster().Kubectl({"annotate", "pod", "user", "vdcu.io/bound-partition=reserved/" + uid}));
  ASSERT_TRUE(Until([this] {
    const json status = Get("vdcupartition", "reserved")["status"];
    return status.value("usedBy", json::object()).value("name", "") == "user";
  })) << Log();
  Require(cluster().Kubectl({"delete", "vdcupartition", "reserved", "--wait=false"}));
  Require(cluster().Kubectl({"patch", "pod", "user", "--subresource=status", "--type=merge", "-p",
                             R"({"status": {"phase": "Succeeded"}})"}));
  EXPECT_TRUE(Until([this] { return Get("vdcupartition", "reserved").empty(); })) << Log();
  EXPECT_TRUE(Files().empty());
  Require(cluster().Kubectl({"delete", "pod", "user", "--force", "--grace-period=0"}));
}

}  // namespace
}  // namespace vdcu::integration
