// Folders as the kubelet makes them, of both cgroup versions and both drivers.
#include "node/kubelet/cgroups.h"

#include <gtest/gtest.h>

#include "base/uv_loop.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/node/temp_folder.h"

namespace vdcu::kubelet {
namespace {

constexpr char kUid[] = "12-34";

struct Layout {
  std::string sentence;
  std::string root;  // the kubelet's cgroupRoot
  bool v2;
  std::string kubepods;
  std::string pod;
};

const Layout kLayouts[] = {
    {"v1, cgroupfs", "/", false, "/pids/kubepods", "/pids/kubepods/pod12-34"},
    {"v1, cgroupfs, besteffort", "/", false, "/pids/kubepods",
     "/pids/kubepods/besteffort/pod12-34"},
    {"v1, a root of its own", "/kubelet", false, "/pids/kubelet/kubepods",
     "/pids/kubelet/kubepods/burstable/pod12-34"},
    {"v1, systemd", "/", false, "/pids/kubepods.slice",
     "/pids/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice"},
    {"v2, cgroupfs", "/", true, "/kubepods", "/kubepods/burstable/pod12-34"},
    {"v2, systemd", "/", true, "/kubepods.slice", "/kubepods.slice/kubepods-pod12_34.slice"},
    {"v2, systemd, a root of its own", "/kubelet", true, "/kubelet.slice/kubelet-kubepods.slice",
     "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
     "kubelet-kubepods-besteffort-pod12_34.slice"},
};

class Host {
 public:
  explicit Host(const Layout& layout) : layout_(layout) {
    Must(root_.MakeFolder("/sys/fs/cgroup"));
    if (layout.v2) Must(root_.WriteAtomic("/sys/fs/cgroup/cgroup.controllers", "pids\n"));
  }
  void AddKubepods() { Must(root_.MakeFolder("/sys/fs/cgroup" + layout_.kubepods)); }
  void SetProcesses(int count) {
    Must(root_.MakeFolder(pod()));
    if (layout_.v2) {
      const std::string populated = count > 0 ? "1" : "0";
      Must(root_.WriteAtomic(pod() + "/cgroup.events", "populated " + populated + "\nfrozen 0\n"));
    } else {
      Must(root_.WriteAtomic(pod() + "/pids.current", std::to_string(count) + "\n"));
    }
  }
  void RemovePod() {
    for (const char* file : {"/cgroup.events", "/pids.current"})
      Must(root_.RemoveFile(pod() + file));
    Must(root_.RemoveFolder(pod()));
  }
  void HideCount() {
    for (const char* file : {"/cgroup.events", "/pids.current"})
      Must(root_.RemoveFile(pod() + file));
  }
  const base::Root& root() const { return root_; }

 private:
  static void Must(const base::Status& status) { ASSERT_TRUE(status) << status.error().message; }
  std::string pod() const { return "/sys/fs/cgroup" + layout_.pod; }

  const Layout layout_;
  node::TempFolder folder_;
  base::Root root_{folder_.path()};
};

class CgroupsTest : public testing::TestWithParam<Layout> {
 protected:
  Host host_{GetParam()};
  base::UvLoop loop_;
  std::vector<std::string> ended_;
  Cgroups cgroups_{loop_, host_.root(), GetParam().root,
                   [this](const std::string& uid) { ended_.push_back(uid); }};

  // Waits for something to happen, a second or two at most.
  void WaitUntilTold() {
    while (ended_.empty()) loop_.RunOnce();
  }
};

TEST_P(CgroupsTest, SaysWhereItLookedInVain) {
  const base::Status missing = cgroups_.Check();
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("--cgroup-root"), std::string::npos);
  host_.AddKubepods();
  EXPECT_TRUE(cgroups_.Check());
}

TEST_P(CgroupsTest, CountsProcesses) {
  EXPECT_FALSE(cgroups_.HasProcesses(kUid)) << "no cgroup";
  host_.SetProcesses(2);
  EXPECT_TRUE(cgroups_.HasProcesses(kUid));
  EXPECT_FALSE(cgroups_.HasProcesses("another"));
  host_.SetProcesses(0);
  EXPECT_FALSE(cgroups_.HasProcesses(kUid)) << "a cgroup without processes";
  host_.HideCount();
  EXPECT_TRUE(cgroups_.HasProcesses(kUid)) << "what cannot be read counts as running";
}

TEST_P(CgroupsTest, TellsWhenTheLastProcessEnds) {
  host_.SetProcesses(1);
  EXPECT_TRUE(cgroups_.WaitForEnd(kUid));
  host_.SetProcesses(0);
  WaitUntilTold();
  EXPECT_EQ(ended_, std::vector<std::string>{kUid});
  EXPECT_FALSE(cgroups_.WaitForEnd(kUid));
}

TEST_P(CgroupsTest, TellsWhenTheCgroupGoes) {
  host_.SetProcesses(1);
  EXPECT_TRUE(cgroups_.WaitForEnd(kUid));
  host_.RemovePod();
  WaitUntilTold();
  EXPECT_EQ(ended_, std::vector<std::string>{kUid});
}

TEST_P(CgroupsTest, LooksByTimeWhereNothingTells) {
  fakes::SimulatedLoop loop;
  Cgroups cgroups(loop, host_.root(), GetParam().root,
                  [this](const std::string& uid) { ended_.push_back(uid); });
  host_.SetProcesses(1);
  EXPECT_TRUE(cgroups.WaitForEnd(kUid));
  loop.Advance(base::Duration(1'000));
  EXPECT_TRUE(ended_.empty());
  host_.RemovePod();
  loop.Advance(base::Duration(1'000));
  EXPECT_EQ(ended_, std::vector<std::string>{kUid});
}

// Where each runtime puts a container of a pod. Sources: containerd internal/cri/server/helpers.go,
// getCgroupsPath; cri-dockerd core/docker_service.go, GenerateExpectedCgroupParent, and moby
// daemon/oci_linux.go, WithCgroups; cri-o internal/config/cgmgr, ContainerCgroupPath. All are below
// the pod's group, which the kubelet makes, and the kernel counts what is below.
const struct Runtime {
  std::string sentence;
  bool v2;
  std::string container;
} kRuntimes[] = {
    {"containerd, cgroupfs, v1", false, "/pids/kubepods/burstable/pod12-34/0a1b"},
    {"containerd, cgroupfs, v2", true, "/kubepods/pod12-34/0a1b"},
    {"containerd, systemd, v1", false,
     "/pids/kubepods.slice/kubepods-pod12_34.slice/cri-containerd-0a1b.scope"},
    {"containerd, systemd, v2", true,
     "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice/"
     "cri-containerd-0a1b.scope"},
    {"cri-dockerd, cgroupfs, v1", false, "/pids/kubepods/besteffort/pod12-34/0a1b"},
    {"cri-dockerd, systemd, v1", false,
     "/pids/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod12_34.slice/"
     "docker-0a1b.scope"},
    {"cri-dockerd, systemd, v2", true, "/kubepods.slice/kubepods-pod12_34.slice/docker-0a1b.scope"},
    {"cri-o, cgroupfs, v1", false, "/pids/kubepods/burstable/pod12-34/crio-0a1b"},
    {"cri-o, systemd, v1", false,
     "/pids/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice/"
     "crio-0a1b.scope"},
    {"cri-o, systemd, v2", true,
     "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice/"
     "crio-0a1b.scope/container"},
};

// As the kernel shows it: in the container's group and in each above it.
void ShowProcesses(const base::Root& host, const Runtime& runtime, int count) {
  const std::string mount = "/sys/fs/cgroup";
  const std::string path = mount + runtime.container;
  for (size_t end = path.size(); end > mount.size(); end = path.rfind('/', end - 1)) {
    const std::string folder = path.substr(0, end);
    ASSERT_TRUE(host.MakeFolder(folder));
    ASSERT_TRUE(host.WriteAtomic(folder + (runtime.v2 ? "/cgroup.events" : "/pids.current"),
                                 (runtime.v2 ? "populated " : "") + std::to_string(count) + "\n"));
  }
}

TEST(RuntimesTest, AContainerIsFoundByItsPod) {
  for (const Runtime& runtime : kRuntimes) {
    const node::TempFolder folder;
    const base::Root host(folder.path());
    ASSERT_TRUE(host.MakeFolder("/sys/fs/cgroup"));
    if (runtime.v2) {
      ASSERT_TRUE(host.WriteAtomic("/sys/fs/cgroup/cgroup.controllers", "pids\n"));
    }
    base::UvLoop loop;
    const Cgroups cgroups(loop, host, "/", [](const std::string&) {});
    ShowProcesses(host, runtime, 1);
    EXPECT_TRUE(cgroups.Check()) << runtime.sentence;
    EXPECT_TRUE(cgroups.HasProcesses(kUid)) << runtime.sentence;
    EXPECT_FALSE(cgroups.HasProcesses("12-35")) << runtime.sentence;
    ShowProcesses(host, runtime, 0);
    EXPECT_FALSE(cgroups.HasProcesses(kUid)) << runtime.sentence;
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, CgroupsTest, testing::ValuesIn(kLayouts),
                         [](const auto& info) { return "Layout" + std::to_string(info.index); });

}  // namespace
}  // namespace vdcu::kubelet
