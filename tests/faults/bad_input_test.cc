// What a cluster or a host may lack: the kinds, room on the disk, the node's name of yesterday.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tests/faults/fault_test.h"
#include "tests/world/paths.h"
#include "tests/world/process.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using world::Background;
using world::kControllerUser;
using world::kPartitions;
using world::Partition;
using world::RunProgram;
using world::Until;

class NotInstalledTest : public FaultTest {
 protected:
  static bool Says(const std::string& log, const std::string& what) {
    return log.find(what) != std::string::npos;
  }
};

TEST_F(NotInstalledTest, BothWaitForTheKindsAndSaySo) {
  StopLooking();
  tends_ = false;
  world().controller.reset();
  world().node.Kill();
  for (const char* log : {"/controller.log", "/node.log"}) {
    std::filesystem::remove(world().cluster.folder() + log);
  }
  const auto deleted = world().cluster.Kubectl({"delete", "crd", "--all", "--timeout=30s"});
  ASSERT_EQ(deleted.exit_code, 0) << deleted.text;
  tends_ = true;
  StartAnew();
  for (const char* kind : {"vdcupartitions.vdcu.io", "dcunodes.vdcu.io"}) {
    const std::string want = std::string("waiting for a kind that is not installed kind=") + kind;
    Reach("both say that they wait for " + std::string(kind), [&] {
      return Says(world().LogOf("controller"), want) && Says(world().node.Log(), want);
    });
  }
  EXPECT_FALSE(Says(world().LogOf("controller"), "placing begins"));
  EXPECT_EQ(deaths_, 0);
  world().cluster.Install("advertising");
  ASSERT_TRUE(Reach("the cards are published", [] { return world().node.Published(); }));
  Look();
  ExpectTheSameEnd();
}

// The controller does not run: it would place elsewhere what the daemon refuses.
class DiskTest : public FaultTest {
 protected:
  static constexpr char kFolder[] = "/etc/vdev";

  // The daemon with an /etc/vdev of its own, of 64 KiB, that only its mount namespace has.
  void SetUp() override {
    FaultTest::SetUp();
    if (RunProgram({"unshare", "-rm", "true"}).exit_code != 0) {
      GTEST_SKIP() << "needs mount namespaces (unshare -rm)";
    }
    tends_ = false;
    world().controller.reset();
    world().node.Kill();
    const std::string host = world().cluster.folder() + "/" + kNode;
    std::filesystem::create_directories(host + kFolder);
    daemon_ = std::make_unique<Background>(
        std::vector<std::string>{
            "unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k none \"$0\" && exec \"$@\"",
            host + kFolder, world::NodeBinary(), "--kubeconfig",
            world().cluster.folder() + "/token-vdcu-system-vdcu-node-" + kNode, "--node-name",
            kNode, "--host-root", host, "--kubelet-dir", "", "--advertise"},
        host + ".log");
    mount_ = host + kFolder;
    seen_ = "/proc/" + std::to_string(daemon_->pid()) + "/root" + mount_;
    Assign("first", 0);
    ASSERT_TRUE(Becomes("first", "Ready", "True/Ready"));
    ASSERT_TRUE(std::filesystem::exists(seen_ + "/vdev0.conf")) << "the namespace's own";
  }

  void TearDown() override {
    if (daemon_) {
      api().Call("DELETE", kPartitions);
      Reach("all are gone", [] { return api().List(kPartitions).empty(); });
      daemon_.reset();
    }
    tends_ = true;
    FaultTest::TearDown();
  }

  // As the controller would: units 9 * slot to 9 * slot + 8 of the first card.
  void Assign(const std::string& name, int slot) {
    char mask[20];
    std::snprintf(mask, sizeof mask, "0x%016llx", 0x1ffull << (9 * slot));
    json partition = Partition(name, {{"computeUnits", 9}, {"memory", "2000Mi"}});
    partition["metadata"]["finalizers"] = {"vdcu.io/in-use"};
    partition["spec"]["assignment"] = {{"node", kNode},
                                       {"device", world().node.host().Uuid(0)},
                                       {"pciBusID", world().node.host().cards()[0].pci_bus_id},
                                       {"computeUnits", 9},
                                       {"cuMasks", {mask, "0x0000000000000000"}},
                                       {"memory", "2000Mi"},
                                       {"pipe", slot},
                                       {"vdev", slot}};
    Create(partition, kControllerUser);
  }

  void Remount(const std::string& option) {
    const auto output =
        RunProgram({"nsenter", "-t", std::to_string(daemon_->pid()), "-U", "-m",
                    "--preserve-credentials", "mount", "-o", "remount," + option, mount_});
    ASSERT_EQ(output.exit_code, 0) << output.text;
  }
  static std::string MessageOf(const std::string& partition) {
    const json found = world::Condition(api().Find(kPartitions, partition), "Prepared");
    return found.is_object() ? found["message"].get<std::string>() : "";
  }

  std::unique_ptr<Background> daemon_;
  std::string mount_;
  std::string seen_;  // the folder as the daemon sees it
};

TEST_F(DiskTest, AFullDiskIsToldAndUsedOnceItHasRoom) {
  {
    std::ofstream filler(seen_ + "/filler");
    while (filler.put('x').flush()) {
    }
  }
  Assign("second", 1);
  ASSERT_TRUE(Becomes("second", "Prepared", "False/WriteFailed"));
  EXPECT_THAT(MessageOf("second"), testing::HasSubstr("No space left"));
  EXPECT_TRUE(Becomes("first", "Ready", "True/Ready")) << "it is as it was";
  std::filesystem::remove(seen_ + "/filler");
  EXPECT_TRUE(Becomes("second", "Ready", "True/Ready"));
  EXPECT_TRUE(std::filesystem::exists(seen_ + "/vdev1.conf"));
}

TEST_F(DiskTest, AReadOnlyDiskIsToldAndNothingIsLetGoThatStandsOnIt) {
  StopLooking();  // two are assigned by hand what only one can have
  Remount("ro");
  Assign("second", 1);
  ASSERT_TRUE(Becomes("second", "Prepared", "False/WriteFailed"));
  EXPECT_THAT(MessageOf("second"), testing::HasSubstr("Read-only"));
  Delete(kPartitions, "first");
  Assign("third", 0);
  ASSERT_TRUE(Becomes("third", "Prepared", "False/UnitsOverlap")) << "of first, still on the disk";
  EXPECT_TRUE(api().Find(kPartitions, "first").is_object());
  Remount("rw");
  EXPECT_TRUE(Becomes("second", "Ready", "True/Ready"));
  Reach("first is gone", [] { return api().Find(kPartitions, "first").is_null(); });
  EXPECT_TRUE(Becomes("third", "Ready", "True/Ready"));
}

class RenamedNodeTest : public FaultTest {};

TEST_F(RenamedNodeTest, ItsSlicesMoveToTheNewName) {
  const std::string old_path = std::string("/api/v1/nodes/") + kNode;
  Create(Partition("kept", {{"cores", 15}, {"memory", "2000Mi"}}));
  ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready"));
  StopLooking();  // it knows one node
  tends_ = false;
  world().node.Kill();

  json node = api().Call("GET", old_path).body;
  json renamed{{"apiVersion", "v1"},
               {"kind", "Node"},
               {"metadata", {{"name", "renamed"}}},
               {"status", node["status"]}};
  ASSERT_EQ(api().Call("DELETE", old_path).code, 200);
  ASSERT_EQ(api().Call("POST", "/api/v1/nodes", renamed).code, 201);
  api().Call("PATCH", "/api/v1/nodes/renamed", {{"spec", {{"taints", nullptr}}}});
  const std::string kubeconfig =
      world().cluster.TokenKubeconfig("vdcu-system", "vdcu-node", "renamed");
  {
    const Background daemon(
        {world::NodeBinary(), "--kubeconfig", kubeconfig, "--node-name", "renamed", "--host-root",
         world().cluster.folder() + "/" + kNode, "--kubelet-dir", "", "--advertise"},
        world().cluster.folder() + "/renamed.log");
    Reach("it is placed on the node of the new name", [] {
      const json spec = api().Find(kPartitions, "kept")["spec"];
      return spec.contains("assignment") && spec["assignment"]["node"] == "renamed";
    });
    ASSERT_TRUE(Becomes("kept", "Ready", "True/Ready")) << world().LogOf("renamed");
    const json assignment = api().Find(kPartitions, "kept")["spec"]["assignment"];
    Reach("the disk has its file and no other", [&] {
      const auto files = world().node.Files();
      const auto file = files.find("/etc/vdev/vdev" + assignment["vdev"].dump() + ".conf");
      return file != files.end() && file->second == world().node.VdevFile(assignment) &&
             files.size() == 3;  // the host's, the container's, the checkpoint
    });
    api().Call("DELETE", std::string(kPartitions) + "/kept");
    Reach("it is gone", [] { return api().List(kPartitions).empty(); });
  }
  api().Call("DELETE", "/api/v1/nodes/renamed");
  api().Call("DELETE", std::string(world::kDcuNodes) + "/renamed");
  world().node.Register();
  world().Redirect();
  tends_ = true;
  Look();
}

}  // namespace
}  // namespace vdcu::faults
