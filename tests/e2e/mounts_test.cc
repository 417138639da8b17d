// The vendor's libraries of the host, in containers.
#include <filesystem>
#include <string>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

class MountsTest : public E2eTest {
 protected:
  // As the vendor installs them: /opt/dtk is a link to the folder of one version.
  static void InstallLibraries() {
    const base::Root& root = machine().host().root();
    for (const char* folder : {"/opt/dtk-24.04/lib", "/opt/hyhal"}) {
      ASSERT_TRUE(root.MakeFolder(folder)) << folder;
    }
    ASSERT_TRUE(root.WriteAtomic("/opt/dtk-24.04/lib/libgalaxyhip.so", "the host's DTK"));
    ASSERT_TRUE(root.WriteAtomic("/opt/hyhal/version", "the host's HAL"));
    std::filesystem::create_directory_symlink("/opt/dtk-24.04", machine().folder() + "/opt/dtk");
  }
  static void RemoveLibraries() {
    for (const auto& entry : std::filesystem::directory_iterator(machine().folder() + "/opt")) {
      std::filesystem::remove_all(entry.path());
    }
  }

  void TearDown() override {
    if (checker_) RemoveLibraries();
    E2eTest::TearDown();
  }

  // What a shell in the pod's container prints.
  static std::string In(const std::string& pod, const std::string& command) {
    return world().cluster.Kubectl({"exec", pod, "--", "sh", "-c", command}).text;
  }
};

TEST_F(MountsTest, ContainersHaveThemReadOnlyWhereTheHostDoes) {
  InstallLibraries();
  Create(RealPod("slice", Slice(15, 2000)));
  Create(RealPod("card", kWholeCard));
  Create(On(kNode, RealPod("other", kNothing)));
  ASSERT_TRUE(Runs({"slice", "card", "other"}));
  for (const char* pod : {"slice", "card"}) {
    EXPECT_EQ(In(pod, "cat /opt/hygondriver/lib/* /opt/hyhal/*"), "the host's DTKthe host's HAL")
        << pod;
    EXPECT_EQ(In(pod,
                 "for file in /opt/hygondriver/lib/libgalaxyhip.so /opt/hygondriver/new "
                 "/opt/hyhal/version; do touch $file 2>&1 | grep -c 'Read-only file system'; done"),
              "1\n1\n1\n")
        << pod;
  }
  EXPECT_THAT(In("slice", "echo x >/etc/vdev/docker/vdev0.conf || true"),
              testing::HasSubstr("Read-only file system"));
  ExpectOwnSlice("slice");
  EXPECT_EQ(In("other", "ls -d /opt/hygondriver /opt/hyhal 2>/dev/null || true"), "")
      << "asks for no card";
  EXPECT_EQ(machine().host().root().Read("/opt/hyhal/version").value_or(""), "the host's HAL");
}

TEST_F(MountsTest, AHostWithoutThemRunsPods) {
  Create(RealPod("slice", Slice(15, 2000)));
  ASSERT_TRUE(Runs("slice"));
  EXPECT_EQ(In("slice", "ls -d /opt/hygondriver /opt/hyhal 2>/dev/null || true"), "");
  ExpectOwnSlice("slice");
  ExpectNoAdmissionError();
}

}  // namespace
}  // namespace vdcu::e2e
