#include "node/plugin/kubelet_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KubeletCheckpointTest : public testing::Test {
 protected:
  // As a kubelet 1.20 writes it.
  void Write(const std::string& registered) {
    ASSERT_TRUE(base::Root(folder_.path())
                    .WriteAtomic("/kubelet_internal_checkpoint",
                                 R"({"Data":{"PodDeviceEntries":null,"RegisteredDevices":)" +
                                     registered + R"(},"Checksum":3578131414})"));
  }
  std::set<std::string> Resources() { return checkpoint_.Resources().value(); }

  TempFolder folder_;
  KubeletCheckpoint checkpoint_{folder_.path()};
};

TEST_F(KubeletCheckpointTest, HasAResourceOnceTheKubeletHasTakenInItsList) {
  checkpoint_.Note("hygon.com/dcunum");
  EXPECT_FALSE(checkpoint_.Resources()) << "no file";
  Write(R"({"hygon.com/dcunum":[],"other/one":["a"]})");
  EXPECT_THAT(Resources(), IsEmpty()) << "it has no device of it";
  Write(R"({"hygon.com/dcunum":["vdcu-0","vdcu-1"],"other/one":["a"]})");
  EXPECT_THAT(Resources(), ElementsAre("hygon.com/dcunum"));
}

TEST_F(KubeletCheckpointTest, WhatIsThereBeforeARegistrationSaysNothing) {
  const std::string both = R"({"hygon.com/dcunum":["vdcu-0"],"hygon.com/hcunum":["vdcu-0"]})";
  Write(both);
  checkpoint_.Note("hygon.com/dcunum");
  EXPECT_THAT(Resources(), IsEmpty());
  Write(both);
  EXPECT_THAT(Resources(), ElementsAre("hygon.com/dcunum"));
  checkpoint_.Note("hygon.com/hcunum");
  EXPECT_THAT(Resources(), ElementsAre("hygon.com/dcunum")) << "the other is registered later";
  Write(both);
  EXPECT_THAT(Resources(), ElementsAre("hygon.com/dcunum", "hygon.com/hcunum"));
}

TEST_F(KubeletCheckpointTest, AFileThatIsNoCheckpointSaysSo) {
  checkpoint_.Note("hygon.com/dcunum");
  ASSERT_TRUE(base::Root(folder_.path()).WriteAtomic("/kubelet_internal_checkpoint", "{"));
  EXPECT_FALSE(checkpoint_.Resources());
  ASSERT_TRUE(base::Root(folder_.path()).WriteAtomic("/kubelet_internal_checkpoint", "{}"));
  EXPECT_THAT(Resources(), IsEmpty());
}

}  // namespace
}  // namespace vdcu::node
