// SIGKILL of the daemon while it mends what was damaged below pods that run: whenever it comes, the
// next start brings the same files back, and the containers have never been touched.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

namespace fs = std::filesystem;

class MendTest : public E2eTest {
 protected:
  // Without the checker: it would report, and rightly, what is damaged.
  void SetUp() override {
    E2eTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Create(RealPod("lost", Slice(15, 2000)));
    Create(RealPod("cut", Slice(40, 30000)));
    Create(RealPod("card", kWholeCard));
    ASSERT_TRUE(Runs(pods_));
    EXPECT_THAT(checker_->Breaches(), testing::IsEmpty());
    checker_.reset();
    library_ = world().cluster.folder() + "/die-at-mend.so";
    fs::copy_file(VDCU_DIE_AT_WRITE_LIBRARY, library_, fs::copy_options::overwrite_existing);
    files_ = machine().Files();
    shown_ = Shown();
    ASSERT_EQ(files_.size(), 7u);  // three checkpoints, two slices
  }
  void TearDown() override {
    if (!IsSkipped()) {
      machine().KillDaemon();  // it would die at a later change
      checker_ = std::make_unique<Checker>(api(), machine());
    }
    E2eTest::TearDown();
  }

  std::string Slices(const std::string& pod) const {
    return machine().folder() + "/etc/vdev/slices/" + PartitionUid(pod);
  }
  std::string HostFile(const std::string& pod) const {
    const auto vdev = PartitionsOf(pod).at(0)["spec"]["assignment"]["vdev"].get<int>();
    return machine().folder() + "/etc/vdev/vdev" + std::to_string(vdev) + ".conf";
  }
  std::string Checkpoint(const std::string& pod) const {
    return machine().folder() + "/var/lib/vdcu/slices/" + PartitionUid(pod) + ".json";
  }
  static std::string PartitionUid(const std::string& pod) {
    return PartitionsOf(pod).at(0)["metadata"]["uid"];
  }
  static void Write(const std::string& path, const std::string& content) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << content;
  }

  // All of "lost" is gone but its folder; of "cut" half is there, and foreign things are beside it.
  void DamageVdevFiles() const {
    fs::remove(Slices("lost") + "/vdev0.conf");
    fs::remove(HostFile("lost"));
    for (const std::string& file : {Slices("cut") + "/vdev0.conf", HostFile("cut")}) {
      fs::resize_file(file, fs::file_size(file) / 2);
    }
    Write(Slices("cut") + "/foreign.conf", "x");
    Write(Slices("cut") + "/.vdev0.conf.tmp", "PciBus");
    Write(machine().folder() + "/etc/vdev/.vdev9.conf.tmp", "PciBus");
    Write(machine().folder() + "/etc/vdev/slices/nobody/vdev0.conf", "x");
  }
  void DamageCheckpoints() const {
    fs::remove(Checkpoint("lost"));
    fs::resize_file(Checkpoint("cut"), 20);
    fs::remove(Checkpoint("card"));
    Write(machine().folder() + "/var/lib/vdcu/slices/.x.json.tmp", "{");
  }

  // Before each change of the files that mending what `damage` did needs; how many there were.
  int KillAtEachChange(const std::function<void()>& damage) {
    for (int nth = 1; !HasFailure(); ++nth) {
      SCOPED_TRACE("change " + std::to_string(nth));
      machine().KillDaemon();
      damage();
      machine().StartDaemon(
          {.environment = {"LD_PRELOAD=" + library_, "VDCU_DIE_AT_WRITE=" + std::to_string(nth)}});
      bool died = false;
      Eventually("it is ready, or dead", [&] {
        died = !machine().DaemonRuns();
        return died || machine().Ready();
      });
      if (died) {
        machine().StartDaemon();
        EXPECT_TRUE(DaemonIsReady());
      }
      ExpectAsBefore();
      if (!died) return nth - 1;
    }
    return 0;
  }

  void ExpectAsBefore() {
    Eventually(
        "the files are those that were there", [&] { return machine().Files() == files_; },
        std::chrono::seconds(60));
    EXPECT_EQ(machine().Files(), files_);
    EXPECT_EQ(Shown(), shown_);
    EXPECT_FALSE(fs::exists(machine().folder() + "/etc/vdev/slices/nobody"));
  }

 private:
  // The containers, and what they read.
  std::map<std::string, std::string> Shown() const {
    std::map<std::string, std::string> shown;
    for (const std::string& pod : pods_) {
      const auto container = ContainerOf(pod);
      shown[pod] = Identity(pod);
      if (!container) continue;
      shown[pod] += " pid " + std::to_string(container->pid) + " reads " +
                    container->vdev.value_or("nothing");
    }
    return shown;
  }

  const std::vector<std::string> pods_{"lost", "cut", "card"};
  std::string library_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> shown_;
};

TEST_F(MendTest, KilledAtEachChangeOfLostVdevFiles) {
  const int changes = KillAtEachChange([this] { DamageVdevFiles(); });
  EXPECT_GE(changes, 12);
  std::cout << changes << " changes of files\n";
}

TEST_F(MendTest, KilledAtEachChangeOfLostCheckpoints) {
  const int changes = KillAtEachChange([this] { DamageCheckpoints(); });
  EXPECT_GE(changes, 6);
  std::cout << changes << " changes of files\n";
}

}  // namespace
}  // namespace vdcu::e2e
