// A kubelet with a --root-dir of its own has its pod-resources there, and its device-plugins in
// /var/lib/kubelet all the same.
#include <fstream>
#include <iterator>
#include <string>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

class RootDirTest : public E2eTest {
 protected:
  static constexpr char kElsewhere[] = "/var/lib/elsewhere";

  void TearDown() override {
    if (checker_) {
      machine().StopDaemon();
      RestartKubeletIn("/var/lib/kubelet");
    }
    E2eTest::TearDown();
  }

  static void RestartKubeletIn(const std::string& folder) {
    machine().Do("stop", {"kubelet"});
    const std::string path = machine().dir() + "/args/kubelet";
    std::ifstream old(path);
    std::string text(std::istreambuf_iterator<char>(old), {});
    const size_t begin = text.find("--root-dir=");
    text.replace(begin, text.find('\n', begin) - begin, "--root-dir=" + folder);
    std::ofstream(path) << text;
    machine().Do("start", {"kubelet"});
  }
};

TEST_F(RootDirTest, IsSaidByAFlagAndAWrongOneIsNamed) {
  ASSERT_EQ(machine().StopDaemon(), 0);
  RestartKubeletIn(kElsewhere);
  std::ifstream log(machine().DaemonLogFile(), std::ios::ate);
  machine().StartDaemon();
  std::string said;
  ASSERT_TRUE(Eventually("it says which socket it looks for", [&] {
    log.clear();
    said.append(std::istreambuf_iterator<char>(log), {});
    return said.find("/var/lib/kubelet/pod-resources/kubelet.sock") != std::string::npos &&
           said.find("--kubelet-root-dir") != std::string::npos;
  })) << said;
  ASSERT_EQ(machine().StopDaemon(), 0);
  machine().StartDaemon({.flags = {"--kubelet-root-dir", kElsewhere}});
  ASSERT_TRUE(DaemonIsReady());
  Create(RealPod("runs", Slice(15, 2000)));
  ASSERT_TRUE(Runs("runs"));
  ExpectOwnSlice("runs");
  Delete("runs");
  ASSERT_TRUE(IsGone("runs"));
}

}  // namespace
}  // namespace vdcu::e2e
