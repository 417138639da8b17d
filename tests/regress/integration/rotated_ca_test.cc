// A CA that was rotated was never read again: with each new connection TLS failed until somebody
// restarted us, and the probes stayed green. Right: files are read again when they change, and what
// cannot be used changes nothing.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using std::chrono::seconds;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Replace(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

class RotatedCaTest : public testing::Test {
 protected:
  RotatedCaTest() : kubeconfigs_{world_.kubeconfig} {
    for (const Worker* worker : world_.workers()) {
      kubeconfigs_.push_back(world_.cluster.folder() + "/token-vdcu-system-vdcu-node-" +
                             worker->name());
    }
    for (const std::string& path : kubeconfigs_) UseFile(path);
    for (Worker* worker : {&world_.big, &world_.small}) {
      worker->Kill();
      worker->Start();
    }
    world_.controller = world_.MakeController("controller");
  }

  // The CA is in a file beside it.
  void UseFile(const std::string& kubeconfig) {
    std::string text = Read(kubeconfig);
    const size_t begin = text.find("certificate-authority-data:");
    text.replace(begin, text.find('\n', begin) - begin,
                 "certificate-authority: " + kubeconfig + ".ca");
    WriteCas(Read(Ca()));
    Replace(kubeconfig, text);
  }
  std::string Ca() const { return world_.cluster.folder() + "/c/pki/ca.crt"; }
  void WriteCas(const std::string& pem) const {
    for (const std::string& path : kubeconfigs_) Replace(path + ".ca", pem);
  }
  // Whose logs say so, of the three.
  int Saying(const std::string& text) const {
    int count = 0;
    const std::string folder = world_.cluster.folder();
    for (const char* name : {"/controller.log", "/big.log", "/small.log"}) {
      count += Read(folder + name).find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  void ExpectBound(const Api& api, const std::string& name) const {
    ASSERT_EQ(api.Call("POST", kPods,
                       Pod(name, {{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "15"}}))
                  .code,
              201);
    EXPECT_TRUE(Until([&] {
      const auto pod = api.Find(kPods, name);
      return pod.is_object() && pod["spec"].contains("nodeName");
    })) << name
        << "\n"
        << world_.LogOf() << world_.big.Log();
  }
  World world_;  // of its own: nobody else shall meet this CA
  std::vector<std::string> kubeconfigs_;
};

TEST_F(RotatedCaTest, IsUsedWithoutARestart) {
  ExpectBound(world_.api, "before");
  const std::string good = Read(Ca());
  WriteCas(good.substr(0, good.size() / 2));
  // Nobody is disturbed by half a file, and each says so: while the server is away, as each tries
  // it again and again then.
  world_.cluster.StopApiServer();
  ASSERT_TRUE(Until([&] { return Saying("the old ones stay") == 3; }));
  world_.cluster.StartApiServer();
  EXPECT_EQ(Saying(".ca: "), 3) << world_.LogOf();
  ExpectBound(world_.api, "beside-garbage");

  world_.cluster.RenewCa();
  WriteCas(Read(Ca()));
  world_.cluster.StopApiServer();
  world_.cluster.StartApiServer();
  const Api api(world_.cluster);
  ExpectBound(api, "after");
  EXPECT_TRUE(Until([&] { return Saying("credentials were read again") == 3; }));
  EXPECT_EQ(world_.controller->Wait(base::Duration(0)), -1) << "it runs";
  for (Worker* worker : {&world_.big, &world_.small}) {
    EXPECT_EQ(worker->daemon().Wait(base::Duration(0)), -1) << worker->name() << " runs";
  }
}

}  // namespace
}  // namespace vdcu::integration
