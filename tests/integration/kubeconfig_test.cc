// Kubeconfigs as people have them, on a real API server: whom it sees, beside whom it sees when the
// real kubectl reads the same files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/integration/kclient_session.h"
#include "tests/integration/tunnel.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr kclient::Resource kReviews{"authentication.k8s.io", "v1", "selfsubjectreviews",
                                     "SelfSubjectReview"};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class KubeconfigTest : public testing::Test {
 protected:
  ~KubeconfigTest() override { unsetenv("KUBECONFIG"); }

  static std::string Write(const std::string& name, const std::string& text) {
    const std::string path = cluster().folder() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  // A copy of `path` with one line put in after the first that has `after`.
  static std::string With(const std::string& path, const std::string& name,
                          const std::string& after, const std::string& lines) {
    std::string text = ReadAll(path);
    const size_t at = text.find(after);
    EXPECT_NE(at, std::string::npos) << after << " is not in " << text;
    text.insert(text.find('\n', at) + 1, lines);
    return Write(name, text);
  }
  // The server's line of the administrator's cluster begins with it.
  static std::string AdminWith(const std::string& name, const std::string& cluster_line,
                               const std::string& user_lines = "") {
    std::string path = cluster().admin_kubeconfig();
    if (!cluster_line.empty())
      path = With(path, name, "    server: ", "    " + cluster_line + "\n");
    if (!user_lines.empty()) path = With(path, name, "  user:", user_lines);
    return path;
  }

  // Whom the API server sees.
  static base::Result<json> Ours(const std::string& context = "") {
    ASSIGN_OR_RETURN(const kclient::Config config, kclient::LoadConfig("", context));
    ASSIGN_OR_RETURN(const json review,
                     Session(config).Apply(kclient::MakeCreate(kReviews, "", "who", {})));
    return review["status"]["userInfo"];
  }
  static json Kubectls(const std::string& context = "") {
    std::vector<std::string> command{"env",
                                     "KUBECACHEDIR=" + cluster().folder() + "/cache",
                                     cluster().folder() + "/c/bin/kubectl",
                                     "auth",
                                     "whoami",
                                     "-o",
                                     "json"};
    if (!context.empty()) command.push_back("--context=" + context);
    const Output output = RunProgram(command);
    EXPECT_EQ(output.exit_code, 0) << output.text;
    const json review = json::parse(output.text, nullptr, false);
    return review.is_discarded() ? json() : review["status"]["userInfo"];
  }
  // Of KUBECONFIG, which both read.
  static json Seen(const std::string& kubeconfigs, const std::string& context = "") {
    setenv("KUBECONFIG", kubeconfigs.c_str(), 1);
    const auto ours = Ours(context);
    EXPECT_TRUE(ours) << ours.error().message;
    json kubectls = Kubectls(context);
    if (!ours) return {};
    json same = *ours;
    // Which credential it was is of each connection.
    EXPECT_EQ(same["username"], kubectls["username"]);
    EXPECT_EQ(same["uid"], kubectls["uid"]);
    EXPECT_EQ(same["groups"], kubectls["groups"]);
    EXPECT_EQ(same["extra"], kubectls["extra"]);
    return same;
  }
};

TEST_F(KubeconfigTest, TheImpersonatedUserIsSeen) {
  const json seen = Seen(AdminWith("as", "",
                                   "    as: jane\n    as-uid: \"17\"\n    as-groups: [dev, ops]\n"
                                   "    as-user-extra: {example.com/scope: [a, b]}\n"));
  EXPECT_EQ(seen["username"], "jane");
  EXPECT_EQ(seen["uid"], "17");
  EXPECT_THAT(seen["groups"].dump(), HasSubstr("\"dev\",\"ops\""));
  EXPECT_EQ(seen["extra"]["example.com/scope"], json({"a", "b"}));
}

TEST_F(KubeconfigTest, SeveralFilesAreReadAsOne) {
  const std::string jane = cluster().UserKubeconfig("jane", {"nobodies"});
  EXPECT_EQ(Seen(jane + ":" + cluster().admin_kubeconfig())["username"], "jane");
  const std::string only_context = Write(
      "only-context",
      "apiVersion: v1\nkind: Config\ncurrent-context: mine\ncontexts:\n- name: mine\n  context: "
      "{cluster: elsewhere, user: robot}\n");
  const std::string only_user =
      Write("below/only-user",
            "apiVersion: v1\nkind: Config\nusers:\n- name: robot\n  user: {tokenFile: token}\n");
  Write("below/token", ReadAll(cluster().TokenKubeconfig("below", "robot") + ".token"));
  std::string only_cluster = ReadAll(cluster().admin_kubeconfig());
  only_cluster.erase(only_cluster.find("users:"));
  only_cluster.erase(0, only_cluster.find("clusters:"));
  const size_t name = only_cluster.find("name: ");
  only_cluster.replace(name, only_cluster.find('\n', name) - name, "name: elsewhere");
  const json seen = Seen(only_context + ":" + cluster().folder() + "/absent:" + only_user + ":" +
                         Write("only-cluster", only_cluster));
  EXPECT_EQ(seen["username"], "system:serviceaccount:below:robot");
}

TEST_F(KubeconfigTest, AContextIsAskedFor) {
  const std::string path =
      With(cluster().admin_kubeconfig(), "contexts",
           "contexts:", "- name: other\n  context: {cluster: none, user: none}\n");
  std::string text = ReadAll(path);
  const size_t current = text.find("current-context: ") + 17;
  const std::string real = text.substr(current, text.find('\n', current) - current);
  text.replace(current, real.size(), "other");
  EXPECT_EQ(Seen(Write("contexts", text), real)["username"],
            Seen(cluster().admin_kubeconfig())["username"]);
  setenv("KUBECONFIG", path.c_str(), 1);
  const auto none = Ours("nowhere");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("contexts[nowhere]: no such entry: want one of"));
}

TEST_F(KubeconfigTest, TheServerIsReachedThroughAProxy) {
  for (const std::string scheme : {"http", "socks5"}) {
    SCOPED_TRACE(scheme);
    const Tunnel tunnel;
    const std::string proxy = "proxy-url: " + scheme + "://" + tunnel.address();
    Seen(AdminWith("proxy-" + scheme, proxy));
    EXPECT_EQ(tunnel.count(), 2) << "ours and kubectl's";
    Seen(AdminWith("named-" + scheme, proxy + "\n    tls-server-name: kubernetes.default.svc"));
    EXPECT_EQ(tunnel.count(), 4);
    EXPECT_THAT(tunnel.target(), HasSubstr("127.0.0.1:"));
  }
}

// Where the name of the server is none that this host knows, the proxy is asked for it.
TEST_F(KubeconfigTest, TheProxyOfTheEnvironmentIsUsedUnlessItIsExcepted) {
  const Tunnel tunnel;
  std::string text = ReadAll(cluster().admin_kubeconfig());
  const size_t host = text.find("https://127.0.0.1:");
  ASSERT_NE(host, std::string::npos) << text;
  text.replace(host, 17, "https://kubernetes.default.svc");
  const std::string path = Write("by-name", text);
  setenv("HTTPS_PROXY", ("socks5://" + tunnel.address()).c_str(), 1);
  Seen(path);
  EXPECT_EQ(tunnel.count(), 2);
  EXPECT_THAT(tunnel.target(), HasSubstr("kubernetes.default.svc:"));
  Seen(cluster().admin_kubeconfig());
  EXPECT_EQ(tunnel.count(), 2) << "not for 127.0.0.1";
  setenv("NO_PROXY", ".default.svc", 1);
  setenv("KUBECONFIG", path.c_str(), 1);
  const auto without = Ours();
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().message, HasSubstr("resolve host"));
  unsetenv("HTTPS_PROXY");
  unsetenv("NO_PROXY");
}

// A plugin that prints what stands in files beside it, and notes each run.
class ExecPluginTest : public KubeconfigTest {
 protected:
  void SetUp() override {
    folder_ = cluster().folder() + "/exec";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Write("exec/get",
          "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho run >>runs\n"
          "echo \"$1 $SPOKEN $KUBERNETES_EXEC_INFO\" >told\n"
          "[ -e broken ] && { echo s3cret; exit 3; }\ncat output\n");
    std::string text = ReadAll(cluster().admin_kubeconfig());
    text.erase(text.find("  user:"));
    kubeconfig_ = Write("exec/config",
                        text +
                            "  user:\n    exec:\n      apiVersion: "
                            "client.authentication.k8s.io/v1\n      command: ./get\n      args: "
                            "[word]\n      env: [{name: SPOKEN, value: other}]\n      "
                            "interactiveMode: Never\n      provideClusterInfo: true\n");
    setenv("KUBECONFIG", kubeconfig_.c_str(), 1);
  }
  static void Print(const json& status) {
    Write("exec/output", json({{"apiVersion", "client.authentication.k8s.io/v1"},
                               {"kind", "ExecCredential"},
                               {"status", status}})
                             .dump());
  }
  static std::string TokenOf(const std::string& account) {
    std::string token = ReadAll(cluster().TokenKubeconfig("exec", account) + ".token");
    while (token.ends_with('\n')) token.pop_back();
    return token;
  }
  static std::string In(base::Duration time) {
    return base::FormatTime(base::SystemClock().Wall() + time);
  }
  long Runs() const {
    const std::string runs = ReadAll(folder_ + "/runs");
    return std::count(runs.begin(), runs.end(), '\n');
  }
  static base::Result<json> Who(Session& session) {
    ASSIGN_OR_RETURN(const json review,
                     session.Apply(kclient::MakeCreate(kReviews, "", "who", {})));
    return review["status"]["userInfo"]["username"];
  }

  std::string folder_;
  std::string kubeconfig_;
};

TEST_F(ExecPluginTest, ItsTokenIsSeenAndItIsToldTheSameAsByKubectl) {
  Print({{"token", TokenOf("one")}});
  setenv("KUBECONFIG", kubeconfig_.c_str(), 1);
  const auto ours = Ours();
  ASSERT_TRUE(ours) << ours.error().message;
  EXPECT_EQ((*ours)["username"], "system:serviceaccount:exec:one");
  const std::string told = ReadAll(folder_ + "/told");
  EXPECT_THAT(told, testing::StartsWith("word other {"));
  EXPECT_EQ(Kubectls()["username"], (*ours)["username"]);
  const std::string kubectl_told = ReadAll(folder_ + "/told");
  const auto info = [](const std::string& line) { return json::parse(line.substr(11)); };
  json kubectls = info(kubectl_told);
  kubectls["spec"]["cluster"].erase("config");
  EXPECT_EQ(info(told), kubectls);
}

TEST_F(ExecPluginTest, ItsClientCertificateIsSeen) {
  const auto jane = kclient::LoadKubeconfig({cluster().UserKubeconfig("jane", {"nobodies"})});
  ASSERT_TRUE(jane) << jane.error().message;
  Print({{"clientCertificateData", jane->cert_data}, {"clientKeyData", jane->key_data}});
  EXPECT_EQ(Seen(kubeconfig_)["username"], "jane");
}

TEST_F(ExecPluginTest, ItRunsOnceUntilItsCredentialExpires) {
  Print({{"token", TokenOf("one")}, {"expirationTimestamp", In(std::chrono::seconds(3))}});
  const auto config = kclient::LoadConfig("", "");
  ASSERT_TRUE(config) << config.error().message;
  Session session(*config);
  EXPECT_EQ(Runs(), 0) << "nothing was asked yet";
  EXPECT_EQ(Who(session).value(), "system:serviceaccount:exec:one");
  EXPECT_EQ(Who(session).value(), "system:serviceaccount:exec:one");
  EXPECT_EQ(Runs(), 1);
  Print({{"token", TokenOf("two")}, {"expirationTimestamp", In(std::chrono::hours(1))}});
  EXPECT_TRUE(
      session.Until([&] { return Who(session).value() == "system:serviceaccount:exec:two"; }));
  EXPECT_EQ(Runs(), 2);
}

TEST_F(ExecPluginTest, ItRunsAgainWhenItsTokenIsRefused) {
  Print({{"token", "not-a-token"}});
  const auto config = kclient::LoadConfig("", "");
  ASSERT_TRUE(config) << config.error().message;
  Session session(*config);
  EXPECT_FALSE(Who(session));
  Print({{"token", TokenOf("one")}});
  EXPECT_TRUE(session.Until([&] { return Who(session).has_value(); }));
  EXPECT_EQ(Who(session).value(), "system:serviceaccount:exec:one");
  EXPECT_EQ(Runs(), 2);
}

TEST_F(ExecPluginTest, OneThatFailsIsNamedAndTriedAgain) {
  Write("exec/broken", "");
  const auto config = kclient::LoadConfig("", "");
  ASSERT_TRUE(config) << config.error().message;
  Session session(*config);
  for (int i = 0; i < 3; ++i) {
    const auto none = Who(session);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr(kubeconfig_ + ": users[test].user.exec: "));
    EXPECT_THAT(none.error().message, HasSubstr("/get: ended with exit code 3"));
    EXPECT_THAT(none.error().message, testing::Not(HasSubstr("s3cret")));
  }
  EXPECT_LE(Runs(), 3);
  EXPECT_THAT(session.transport().NotReady(), testing::ElementsAre(HasSubstr("no credentials: ")));
  Print({{"token", TokenOf("one")}});
  std::filesystem::remove(folder_ + "/broken");
  EXPECT_TRUE(session.Until([&] { return Who(session).has_value(); }));
  EXPECT_THAT(session.transport().NotReady(), testing::IsEmpty());
}

}  // namespace
}  // namespace vdcu::integration
