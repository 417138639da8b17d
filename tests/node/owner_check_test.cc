// Whether the cards are ours to give out, by a host's folders and the Node as the API answers.
#include "node/owner_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/node/socket.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::HasSubstr;

constexpr char kPodFolder[] = "/usr/local/vgpu/dcu/uid-x_main";
constexpr char kNode[] = R"({"metadata": {"name": "n"}})";

class OwnerCheckTest : public testing::Test {
 protected:
  OwnerCheckTest() {
    EXPECT_TRUE(root_.MakeFolder("/sys/fs/cgroup/pids/kubepods"));
    EXPECT_TRUE(root_.MakeFolder(kPodFolder));
    EXPECT_TRUE(root_.MakeFolder("/device-plugins"));
  }
  void Run(bool take_over) {
    check_ = std::make_unique<OwnerCheck>(
        OwnerCheck::Sources{loop_, client_, root_, cgroups_, slices_},
        OwnerCheck::Options{.node = "n",
                            .plugin_folder = folder_.path() + "/device-plugins",
                            .resource_names = {"hygon.com/dcunum"},
                            .take_over = take_over});
    outcome_.reset();
    check_->Run([this](const base::Status& ours) {
      outcome_ = ours ? "" : ours.error().message;
      check_.reset();
    });
  }
  // The outcome when the API has answered so: "" where the cards are ours.
  std::string Judge(bool take_over, int status, const std::string& body) {
    Run(take_over);
    transport_.Answer(transport_.requests().size() - 1, status, body);
    return outcome_.value_or("none");
  }

  std::string Plugin(const std::string& name) const {
    return folder_.path() + "/device-plugins/" + name;
  }

  TempFolder folder_;
  base::Root root_{folder_.path()};
  fakes::SimulatedLoop loop_;
  kubelet::Cgroups cgroups_{loop_, root_, "/", [](const std::string&) {}};
  fakes::FakeTransport transport_;
  kclient::Client client_{transport_};
  Slices slices_;
  std::unique_ptr<OwnerCheck> check_;
  std::optional<std::string> outcome_;  // once there is one
};

TEST_F(OwnerCheckTest, RemovesWhatIsDeadOnlyWhereItMayTakeOver) {
  EXPECT_THAT(Judge(false, 200, kNode), HasSubstr(kPodFolder));
  EXPECT_TRUE(root_.Exists(kPodFolder));
  EXPECT_EQ(Judge(true, 200, kNode), "");
  EXPECT_FALSE(root_.Exists(kPodFolder));
  EXPECT_EQ(Judge(false, 404, ""), "") << "there need be no Node";
}

TEST_F(OwnerCheckTest, RemovesNothingWhereSomethingLives) {
  const std::string node =
      R"({"metadata": {"name": "n", "annotations": {"hami.io/node-dcu-register": "x"}}})";
  EXPECT_THAT(Judge(true, 200, node), HasSubstr("hami.io/node-dcu-register"));
  EXPECT_TRUE(root_.Exists(kPodFolder));
}

TEST_F(OwnerCheckTest, WhosePodRunsIsNotDead) {
  const std::string pod = "/sys/fs/cgroup/pids/kubepods/poduid-x";
  ASSERT_TRUE(root_.MakeFolder(pod));
  ASSERT_TRUE(root_.WriteAtomic(pod + "/pids.current", "1\n"));
  EXPECT_THAT(Judge(true, 200, kNode), HasSubstr("not known to be unused"));
  EXPECT_TRUE(root_.Exists(kPodFolder));
  ASSERT_TRUE(root_.WriteAtomic(pod + "/pids.current", "0\n"));
  EXPECT_EQ(Judge(true, 200, kNode), "");
}

TEST_F(OwnerCheckTest, SocketsOfOursAreOthersOnlyWhereAnotherListens) {
  ASSERT_TRUE(root_.RemoveFolder(kPodFolder));
  const Socket own(Plugin("vdcu-hygon.com_dcunum.sock"), true);
  EXPECT_EQ(Judge(false, 200, kNode), "") << "it is replaced";
  {
    const Socket former(Plugin("vdcu-hygon.com_hcunum.sock"), true);
    EXPECT_THAT(Judge(false, 200, kNode), HasSubstr("vdcu-hygon.com_hcunum.sock"));
  }
  EXPECT_EQ(Judge(false, 200, kNode), "") << "of a vdcu-node of other --resource-names";
}

TEST_F(OwnerCheckTest, NothingIsDeadWhereTheCgroupsAreNotFound) {
  ASSERT_TRUE(root_.RemoveFolder("/sys/fs/cgroup/pids/kubepods"));
  EXPECT_THAT(Judge(true, 200, kNode), HasSubstr("not known to be unused"));
  EXPECT_TRUE(root_.Exists(kPodFolder));
}

TEST_F(OwnerCheckTest, TriesUntilTheNodeCanBeRead) {
  EXPECT_EQ(Judge(true, 503, ""), "none");
  EXPECT_TRUE(root_.Exists(kPodFolder)) << "nothing changes before it is known";
  loop_.Advance(base::Duration(5'000));
  ASSERT_EQ(transport_.requests().size(), 2u);
  transport_.Answer(1, 200, kNode);
  EXPECT_EQ(outcome_, "");
}

}  // namespace
}  // namespace vdcu::node
