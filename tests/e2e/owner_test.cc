// Another plugin of the cards: what it left behind is named and, with --take-over, removed; where
// it lives, the daemon does not start.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// As a device plugin makes it; the file stays when nobody listens any more.
class Socket {
 public:
  explicit Socket(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(path.size() < sizeof address.sun_path, path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, path);
    CHECK(listen(fd_, 1) == 0, path);
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

 private:
  const int fd_;
};

class OwnerTest : public E2eTest {
 protected:
  static constexpr char kPodFolders[] = "/usr/local/vgpu";
  static constexpr char kDeadFolder[] = "/usr/local/vgpu/dcu/5f3b8a0e-dead_main_0_0";
  static constexpr char kDeadVdev[] = "/etc/vdev/vdev31.conf";

  // A pod with a slice runs, and the daemon does not.
  void SetUp() override {
    E2eTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Create(RealPod("runs", Slice(15, 2000)));
    ASSERT_TRUE(Runs("runs"));
    identity_ = Identity("runs");
    ASSERT_EQ(machine().StopDaemon(), 0);
  }

  void TearDown() override {
    if (checker_) {
      Annotate("register", nullptr);
      Annotate("handshake", nullptr);
      for (const std::string& path :
           {Plugin("hygon.com_dcunum"), Plugin("nvidia.com_gpu"), Host(kPodFolders),
            Host("/etc/vdev/docker"), Host(kDeadVdev)}) {
        std::filesystem::remove_all(path);
      }
    }
    E2eTest::TearDown();
  }

  static std::string Plugin(const std::string& name) {
    return machine().dir() + "/var/lib/kubelet/device-plugins/" + name;
  }
  static std::string Host(const std::string& path) { return machine().folder() + path; }
  static void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(machine().host().root().MakeFolder(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(machine().host().root().WriteAtomic(path, content));
  }
  // Of the community plugin: what it has registered, or when it was last alive.
  static void Annotate(const std::string& what, const json& value) {
    const std::string key = what == "register" ? "node-dcu-register" : "node-handshake-dcu";
    const json patch{{"metadata", {{"annotations", {{"hami.io/" + key, value}}}}}};
    EXPECT_EQ(api().Call("PATCH", std::string("/api/v1/nodes/") + kNode, patch).code, 200);
  }
  static std::string Reported() {
    const time_t now = time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[sizeof "Reported 2026-01-02 03:04:05"];
    std::strftime(text, sizeof text, "Reported %Y-%m-%d %H:%M:%S", &utc);
    return text;
  }
  // A slice that the other plugin has given out, of a card that no pod of ours gets.
  static std::string Foreign(const std::string& mask) {
    return machine().VdevFile({{"device", machine().host().Uuid(7)},
                               {"cuMasks", {mask, "0x0000000000000000"}},
                               {"computeUnits", 1},
                               {"memory", "1000Mi"},
                               {"vdev", 31},
                               {"pipe", 3}});
  }
  // A dead plugin's socket, and a pod's folder with the vdev file that it copied.
  static void LeaveBehind() {
    {
      const Socket dead(Plugin("hygon.com_dcunum"));
    }
    Write(std::string(kDeadFolder) + "/vdev0.conf", Foreign("0x0000000000000001"));
    Write(kDeadVdev, Foreign("0x0000000000000001"));
  }
  static std::set<std::string> Everything() {
    std::set<std::string> paths;
    for (const std::string& top : {Plugin(""), Host(kPodFolders), Host("/etc/vdev")}) {
      std::error_code none;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(top, none)) {
        // The kubelet's own temporary files come and go.
        if (!entry.path().filename().string().starts_with(".")) paths.insert(entry.path());
      }
    }
    return paths;
  }

  // What the daemon says where it does not start; nothing has changed then.
  static std::string Refusal(const std::vector<std::string>& flags) {
    const auto before = Everything();
    std::ifstream log(machine().DaemonLogFile(), std::ios::ate);
    machine().StartDaemon({.flags = flags});
    EXPECT_EQ(machine().WaitForDaemon(), 1);
    EXPECT_EQ(Everything(), before);
    std::string text(std::istreambuf_iterator<char>(log), {});
    EXPECT_THAT(text, HasSubstr("cannot start"));
    return text;
  }
  void ExpectStarts(const std::vector<std::string>& flags = {}) {
    machine().StartDaemon({.flags = flags});
    ASSERT_TRUE(DaemonIsReady());
    Create(RealPod("next", Slice(20, 1000)));
    ASSERT_TRUE(Runs("next"));
    ExpectOwnSlice("next");
    ExpectOwnSlice("runs");
    EXPECT_EQ(Identity("runs"), identity_);
  }

 private:
  std::string identity_;
};

TEST_F(OwnerTest, WhatADeadPluginLeftBehindIsNamedAndTakenOver) {
  LeaveBehind();
  // None of these is another plugin's of these cards.
  {
    const Socket other_vendor(Plugin("nvidia.com_gpu"));
  }
  Write("/etc/vdev/docker/vdev0.conf", "a container's");
  Write(std::string(kPodFolders) + "/shared.cache", "no pod's");
  const auto before = Everything();

  EXPECT_THAT(Refusal({}),
              AllOf(HasSubstr("device-plugins/hygon.com_dcunum"), HasSubstr(kDeadFolder),
                    HasSubstr(kDeadVdev), HasSubstr("--take-over"), Not(HasSubstr("in use"))));
  ExpectStarts({"--take-over"});
  auto want = before;
  for (const std::string& gone : {Plugin("hygon.com_dcunum"), Host(kDeadFolder), Host(kDeadVdev),
                                  Host(std::string(kDeadFolder) + "/vdev0.conf")}) {
    EXPECT_EQ(want.erase(gone), 1u) << gone;
  }
  for (const std::string& path : Everything()) want.erase(path);
  EXPECT_THAT(want, testing::IsEmpty()) << "removed, and not dead";
  EXPECT_FALSE(std::filesystem::exists(Plugin("hygon.com_dcunum")));
  EXPECT_FALSE(std::filesystem::exists(Host(kDeadFolder)));
  EXPECT_FALSE(std::filesystem::exists(Host(kDeadVdev)));
}

TEST_F(OwnerTest, ALivingPluginIsRefusedWhateverIsSaid) {
  LeaveBehind();
  std::filesystem::remove(Plugin("hygon.com_dcunum"));
  {
    const Socket alive(Plugin("hygon.com_dcunum"));
    EXPECT_THAT(Refusal({"--take-over"}),
                AllOf(HasSubstr("in use"), HasSubstr("device-plugins/hygon.com_dcunum"),
                      HasSubstr(kDeadFolder)));
  }
  // What is dead now is removed only where nothing else lives.
  Annotate("handshake", Reported());
  EXPECT_THAT(Refusal({"--take-over"}), AllOf(HasSubstr("hami.io/node-handshake-dcu"),
                                              HasSubstr("device-plugins/hygon.com_dcunum")));
  Annotate("register", "DCU-0,4,65520,100,DCU-K100_AI,0,true:");
  EXPECT_THAT(Refusal({"--take-over"}), HasSubstr("hami.io/node-dcu-register"));
  Annotate("handshake", "Requesting_2024.01.02 03:04:05");
  EXPECT_THAT(Refusal({}), AllOf(HasSubstr("hami.io/node-dcu-register"), HasSubstr("--take-over")));

  // The folder of a pod that runs, and a file that no dead pod has.
  const std::string folder = std::string(kPodFolders) + "/dcu/" + UidOf("runs") + "_main_0_0";
  Write(folder + "/vdev0.conf", Foreign("0x0000000000000004"));
  EXPECT_THAT(Refusal({"--take-over"}), AllOf(HasSubstr("in use"), HasSubstr(folder)));
  std::filesystem::remove_all(Host(folder));
  Write(kDeadVdev, Foreign("0x0000000000000002"));
  EXPECT_THAT(Refusal({"--take-over"}), AllOf(HasSubstr("in use"), HasSubstr(kDeadVdev)));
  std::filesystem::remove(Host(kDeadVdev));
  ExpectStarts({"--take-over"});
}

}  // namespace
}  // namespace vdcu::e2e
