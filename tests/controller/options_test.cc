#include "controller/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace vdcu::controller {
namespace {

std::variant<Options, int> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "vdcu-controller");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, HaveTheirDefaults) {
  const auto parsed = Parse({});
  const Options* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->scheduler_name, "vdcu-scheduler");
  EXPECT_EQ(options->policy, dcu::Policy::kBinPack);
  EXPECT_EQ(options->share_cards, dcu::Sharing::kCluster);
  EXPECT_EQ(options->memory_unit, crds::MemoryUnit::kMi);
  EXPECT_TRUE(options->preemption);
  EXPECT_EQ(options->node_taint, "");
  EXPECT_FALSE(options->leader_elect);
  EXPECT_EQ(options->lease_namespace, "");
  EXPECT_EQ(options->webhook.listen, "");
  EXPECT_FALSE(options->webhook.fence);
  EXPECT_EQ(options->webhook.controller_account, "vdcu-controller");
  EXPECT_EQ(options->webhook.node_account, "vdcu-node");
  EXPECT_EQ(options->extender.listen, "");
  EXPECT_EQ(options->extender.volcano, "");
  EXPECT_EQ(options->extender.hold_timeout, base::Duration(30'000));
  EXPECT_EQ(options->common.kubeconfig, "");
  EXPECT_EQ(options->common.listen, "");
}

TEST(Options, TakeFlagsAndEnvironment) {
  setenv("VDCU_POLICY", "Spread", 1);
  setenv("VDCU_SCHEDULER_NAME", "from-env", 1);
  setenv("VDCU_LEADER_ELECT", "true", 1);
  const auto parsed = Parse({"--scheduler-name", "from-flag", "--share-cards", "namespace",
                             "--memory-unit", "Gi", "--lease-namespace", "infra", "--kubeconfig",
                             "k", "--listen", "127.0.0.1:0", "--preemption=false"});
  unsetenv("VDCU_POLICY");
  unsetenv("VDCU_SCHEDULER_NAME");
  unsetenv("VDCU_LEADER_ELECT");
  const Options* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->scheduler_name, "from-flag") << "a flag wins";
  EXPECT_EQ(options->policy, dcu::Policy::kSpread);
  EXPECT_EQ(options->share_cards, dcu::Sharing::kNamespace);
  EXPECT_EQ(options->memory_unit, crds::MemoryUnit::kGi);
  EXPECT_FALSE(options->preemption);
  EXPECT_TRUE(options->leader_elect);
  EXPECT_EQ(options->lease_namespace, "infra");
  EXPECT_EQ(options->common.kubeconfig, "k");
  EXPECT_EQ(options->common.listen, "127.0.0.1:0");
}

TEST(Options, TakeTheWebhooksSchedulersWithCommas) {
  const auto parsed = Parse({"--webhook", ":9443", "--webhook-schedulers", "volcano,mine"});
  const Options* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->webhook.schedulers, (std::vector<std::string>{"volcano", "mine"}));
}

TEST(Options, TakeWhatTheFenceNeeds) {
  const auto parsed = Parse({"--webhook", ":9443", "--webhook-fence", "--webhook-node-account",
                             "daemons", "--webhook-controller-account", "own"});
  const Options* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_TRUE(options->webhook.fence);
  EXPECT_EQ(options->webhook.node_account, "daemons");
  EXPECT_EQ(options->webhook.controller_account, "own");
}

TEST(Options, TakeWhatTheExtenderNeeds) {
  const auto parsed =
      Parse({"--extender", ":8443", "--extender-tls-cert", "c", "--extender-tls-key", "k",
             "--extender-client-ca", "ca", "--extender-advertise", "fd00::1", "--hold-timeout",
             "90s", "--volcano", ":8088"});
  const Options* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->extender.listen, ":8443");
  EXPECT_EQ(options->extender.certificate, "c");
  EXPECT_EQ(options->extender.key, "k");
  EXPECT_EQ(options->extender.client_ca, "ca");
  EXPECT_EQ(options->extender.advertise, "fd00::1");
  EXPECT_EQ(options->extender.volcano, ":8088");
  EXPECT_EQ(options->extender.hold_timeout, base::Duration(90'000));
}

TEST(Options, RefuseWrongValuesByNameValueAndWhatIsRight) {
  struct Case {
    std::vector<const char*> arguments;
    std::vector<std::string> want;
  };
  for (const Case& c : std::vector<Case>{
           {{"--policy", "binpack"}, {"--policy", "binpack", "BinPack|FragmentationAware|Spread"}},
           {{"--share-cards", "pod"}, {"--share-cards", "pod", "cluster|namespace"}},
           {{"--hami", "both"}, {"--hami", "both", "dcu"}},
           {{"--memory-unit", "GiB"}, {"--memory-unit", "GiB", "Gi|Mi"}},
           {{"--scheduler-name", ""}, {"--scheduler-name", "want a name"}},
           {{"--taint-nodes", "a b"}, {"--taint-nodes", "a b", "hygon.com/dcu"}},
           {{"--taint-nodes", "Hygon/dcu"}, {"--taint-nodes", "Hygon/dcu"}},
           {{"--webhook", "nowhere"}, {"--webhook", "nowhere"}},
           {{"--webhook", ":9443", "--webhook-cert", "c"}, {"--webhook-cert", "--webhook-key"}},
           {{"--webhook-cert", "c", "--webhook-key", "k"}, {"--webhook-cert", "--webhook"}},
           {{"--webhook-fence"}, {"--webhook-fence", "--webhook"}},
           {{"--extender", "nowhere"}, {"--extender", "nowhere"}},
           {{"--extender", ":1", "--extender-tls-cert", "c"},
            {"--extender-tls-cert", "--extender-tls-key"}},
           {{"--extender", ":1", "--extender-client-ca", "c"},
            {"--extender-client-ca", "--extender-tls-cert"}},
           {{"--extender", ":1", "--extender-advertise", "host"},
            {"--extender-advertise", "host", "want a numeric IP address"}},
           {{"--volcano", "8088"}, {"--volcano", "8088"}},
           {{"--extender-advertise", "10.0.0.1"},
            {"--extender-advertise", "want --extender or --volcano"}},
           {{"--hold-timeout", "30"}, {"--hold-timeout", "30", "want seconds from 1s"}},
           {{"--hold-timeout", "0s"}, {"--hold-timeout", "0s", "want seconds from 1s"}},
           {{"--lease-namespace", "UPPER case!"},
            {"--lease-namespace", "UPPER case!", "want a namespace's name"}},
           {{"--lease-namespace", "../x"},
            {"--lease-namespace", "../x", "want a namespace's name"}},
           {{"--log-level", "loud"}, {"--log-level", "loud", "debug"}},
           {{"--log-format", "xml"}, {"--log-format", "xml", "json"}},
           {{"--leader-elect=perhaps"}, {"--leader-elect", "perhaps"}},
           {{"--bogus"}, {"--bogus"}},
           {{"stray"}, {"stray"}}}) {
    testing::internal::CaptureStderr();
    const auto parsed = Parse(c.arguments);
    const std::string text = testing::internal::GetCapturedStderr();
    const int* code = std::get_if<int>(&parsed);
    ASSERT_NE(code, nullptr) << c.arguments[0];
    EXPECT_EQ(*code, 2) << text;
    for (const std::string& want : c.want) {
      EXPECT_NE(text.find(want), std::string::npos) << want << " is not in: " << text;
    }
  }
}

TEST(Options, HelpAndVersionEndWell) {
  for (const char* flag : {"--help", "--version"}) {
    testing::internal::CaptureStdout();
    const auto parsed = Parse({flag});
    EXPECT_FALSE(testing::internal::GetCapturedStdout().empty());
    ASSERT_NE(std::get_if<int>(&parsed), nullptr);
    EXPECT_EQ(std::get<int>(parsed), 0);
  }
}

}  // namespace
}  // namespace vdcu::controller
