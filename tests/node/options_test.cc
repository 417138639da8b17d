#include "node/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <variant>
#include <vector>

namespace vdcu::node {
namespace {

std::variant<Options, int> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "vdcu-node");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

// What goes to standard error with exit code 2.
std::string Refusal(const std::vector<const char*>& arguments) {
  testing::internal::CaptureStderr();
  const auto parsed = Parse(arguments);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::holds_alternative<int>(parsed));
  EXPECT_EQ(std::get<int>(parsed), 2) << text;
  return text;
}

TEST(Options, HaveTheirDefaults) {
  const auto parsed = Parse({"--node-name", "node-1"});
  ASSERT_TRUE(std::holds_alternative<Options>(parsed));
  const auto& options = std::get<Options>(parsed);
  EXPECT_EQ(options.node_name, "node-1");
  EXPECT_EQ(options.host_root, "/");
  EXPECT_EQ(options.kubelet_dir, "/var/lib/kubelet");
  EXPECT_EQ(options.kubelet_root_dir, "") << "the same";
  EXPECT_FALSE(options.advertise);
  EXPECT_FALSE(options.advertise_parts);
  EXPECT_EQ(options.memory_unit, crds::MemoryUnit::kMi);
  EXPECT_TRUE(options.metric_names.empty());
  EXPECT_EQ(options.resource_names, std::vector<std::string>{"hygon.com/dcunum"});
  EXPECT_EQ(options.common.listen, "");
  EXPECT_EQ(options.common.kubeconfig, "");
}

TEST(Options, TakeFlagsAndEnvironment) {
  setenv("VDCU_NODE_NAME", "from-env", 1);
  setenv("VDCU_LOG_LEVEL", "error", 1);
  setenv("VDCU_ADVERTISE", "true", 1);
  const auto parsed = Parse({"--kubelet-dir", "", "--host-root", "/tmp", "--resource-names",
                             "hygon.com/dcunum,hygon.com/hcunum", "--log-level", "debug",
                             "--advertise-parts", "--memory-unit", "Gi"});
  unsetenv("VDCU_NODE_NAME");
  unsetenv("VDCU_LOG_LEVEL");
  unsetenv("VDCU_ADVERTISE");
  ASSERT_TRUE(std::holds_alternative<Options>(parsed));
  const auto& options = std::get<Options>(parsed);
  EXPECT_EQ(options.node_name, "from-env");
  EXPECT_EQ(options.kubelet_dir, "");
  EXPECT_EQ(options.host_root, "/tmp");
  EXPECT_TRUE(options.advertise);
  EXPECT_TRUE(options.advertise_parts);
  EXPECT_EQ(options.memory_unit, crds::MemoryUnit::kGi);
  EXPECT_EQ(options.resource_names.size(), 2u);
  EXPECT_EQ(options.common.log_level, base::Level::kDebug) << "a flag wins";
}

TEST(Options, RefuseWrongValuesByNameValueAndWhatIsRight) {
  struct Case {
    std::vector<const char*> arguments;
    std::vector<std::string> want;
  };
  for (const Case& c : std::vector<Case>{
           {{}, {"--node-name"}},
           {{"--node-name", "Node,x=y"}, {"--node-name", "Node,x=y", "a-z"}},
           {{"--node-name", "n", "--host-root", "/no/such"}, {"--host-root", "/no/such", "folder"}},
           {{"--node-name", "n", "--kubelet-dir", "here"}, {"--kubelet-dir", "here", "absolute"}},
           {{"--node-name", "n", "--kubelet-root-dir", "here"},
            {"--kubelet-root-dir", "here", "absolute"}},
           {{"--node-name", "n", "--kubelet-dir", "", "--kubelet-root-dir", "/data/kubelet"},
            {"--kubelet-root-dir", "/data/kubelet", "no kubelet runs here"}},
           {{"--node-name", "n", "--resource-names", "hygon.com/dcunum,nvidia.com/gpu"},
            {"--resource-names", "nvidia.com/gpu", "hygon.com/dcunum"}},
           {{"--node-name", "n", "--memory-unit", "GB"}, {"--memory-unit", "GB", "Gi|Mi"}},
           {{"--node-name", "n", "--log-level", "loud"}, {"--log-level", "loud", "debug"}},
           {{"--node-name", "n", "--log-format", "xml"}, {"--log-format", "xml", "json"}},
           {{"--node-name", "n", "--bogus"}, {"--bogus"}}}) {
    const std::string text = Refusal(c.arguments);
    for (const std::string& want : c.want) {
      EXPECT_NE(text.find(want), std::string::npos) << want << " is not in: " << text;
    }
  }
}

TEST(Options, HelpAndVersionEndWell) {
  for (const char* flag : {"--help", "--version"}) {
    testing::internal::CaptureStdout();
    const auto parsed = Parse({flag});
    ASSERT_TRUE(std::holds_alternative<int>(parsed));
    EXPECT_EQ(std::get<int>(parsed), 0);
    EXPECT_NE(testing::internal::GetCapturedStdout(), "");
  }
}

}  // namespace
}  // namespace vdcu::node
