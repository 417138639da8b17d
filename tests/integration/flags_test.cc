// The command lines of the binaries, as a user meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/world/paths.h"
#include "tests/world/process.h"

namespace vdcu::integration {
namespace {

using testing::HasSubstr;
using world::Output;
using world::RunProgram;

const std::string kController = world::ControllerBinary();
const std::string kNode = world::NodeBinary();

struct Case {
  const char* what;
  std::vector<std::string> arguments;
  std::vector<const char*> want;  // parts of the message
  std::vector<std::string> environment = {};
};

void Check(const std::string& binary, const std::vector<Case>& cases, int want_exit_code) {
  for (const Case& test : cases) {
    SCOPED_TRACE(binary + ": " + test.what);
    std::vector<std::string> command{"env"};
    command.insert(command.end(), test.environment.begin(), test.environment.end());
    command.push_back(binary);
    command.insert(command.end(), test.arguments.begin(), test.arguments.end());
    const Output output = RunProgram(command);
    EXPECT_EQ(output.exit_code, want_exit_code) << output.text;
    for (const char* part : test.want) EXPECT_THAT(output.text, HasSubstr(part));
  }
}

TEST(FlagsTest, WrongOnesEndWithAMessageThatNamesThem) {
  Check(kController,
        {{"no such flag", {"--no-such"}, {"--no-such"}},
         {"no such argument", {"extra"}, {"extra"}},
         {"no such policy",
          {"--policy", "Worst"},
          {"--policy", "Worst", "BinPack|FragmentationAware|Spread"}},
         {"neither true nor false",
          {"--preemption", "perhaps"},
          {"--preemption", "perhaps", "false|true"}},
         {"no such level", {"--log-level", "loud"}, {"--log-level", "loud", "warning"}},
         {"no such format", {"--log-format", "xml"}, {"--log-format", "xml", "json"}},
         {"no address", {"--listen", "nowhere"}, {"--listen", "nowhere", "ADDR:PORT"}},
         {"no value", {"--scheduler-name"}, {"--scheduler-name"}},
         {"by environment", {}, {"--policy", "Worst"}, {"VDCU_POLICY=Worst"}},
         {"no namespace", {"--lease-namespace", "../x"}, {"--lease-namespace", "../x", "a-z"}},
         {"a long namespace",
          {"--lease-namespace", std::string(64, 'a')},
          {"--lease-namespace", "63 characters"}},
         {"a flag by environment", {}, {"--leader-elect"}, {"VDCU_LEADER_ELECT=perhaps"}}},
        2);
  Check(kNode,
        {{"no node", {}, {"--node-name is required"}},
         {"no node's name", {"--node-name", "Bad_Name"}, {"--node-name", "Bad_Name", "a-z"}},
         {"no node's name with a path", {"--node-name", "a/../b"}, {"--node-name", "a/../b"}},
         {"no node's name with an empty part", {"--node-name", "a..b"}, {"--node-name", "a..b"}},
         {"not absolute", {"--node-name", "n", "--host-root", "x"}, {"--host-root", "absolute"}},
         {"no such folder",
          {"--node-name", "n", "--host-root", "/does/not/exist"},
          {"--host-root", "/does/not/exist"}},
         {"no port", {"--node-name", "n", "--listen", ":99999"}, {"--listen", ":99999"}},
         {"not ours",
          {"--node-name", "n", "--resource-names", "x.com/y"},
          {"--resource-names", "x.com/y", "hygon.com/dcunum"}},
         {"by environment", {}, {"--node-name", "Bad_Name"}, {"VDCU_NODE_NAME=Bad_Name"}}},
        2);
}

TEST(FlagsTest, HelpAndVersionAreNoErrors) {
  for (const std::string& binary : {kController, kNode}) {
    Check(binary,
          {{"help", {"--help"}, {"--kubeconfig", "--listen", "--log-level", "VDCU_LOG_LEVEL"}},
           {"version", {"--version"}, {"0.1.0"}}},
          0);
  }
  Check(
      kController,
      {{"its own", {"--help"}, {"--lease-namespace", "BinPack|FragmentationAware|Spread=BinPack"}}},
      0);
  Check(kNode, {{"its own", {"--help"}, {"--host-root", "--advertise", "VDCU_NODE_NAME"}}}, 0);
}

TEST(FlagsTest, AKubeconfigThatIsNotThereIsNamed) {
  const Case controller{
      "by environment", {}, {"/does/not/exist"}, {"VDCU_KUBECONFIG=/does/not/exist"}};
  Check(kController, {controller}, 1);
  Check(kNode, {{"by flag", {"--node-name", "n", "--kubeconfig", "/none"}, {"/none"}}}, 1);
}

}  // namespace
}  // namespace vdcu::integration
