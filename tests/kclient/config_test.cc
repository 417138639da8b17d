#include "kclient/config.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kclient/credentials.h"
#include "tests/fakes/simulated_clock.h"
#include "tests/kclient/certificate.h"

namespace vdcu::kclient {
namespace {

using base::ErrorCode;
using std::chrono::seconds;

std::string Base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

const CertificatePem kPair = MakeCertificate();
const CertificatePem kOther = MakeCertificate();
const std::string& kCert = kPair.certificate;
const std::string& kKey = kPair.key;
const std::string kCertData = Base64(kCert);
const std::string kKeyData = Base64(kKey);

// Sets a variable of the environment, or takes it away, until it goes out of scope.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* old_value = std::getenv(name)) old_ = old_value;
    Set(value);
  }
  ~ScopedVariable() { Set(old_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void Set(const std::optional<std::string>& value) const {
    if (value) {
      setenv(name_, value->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

  const char* name_;
  std::optional<std::string> old_;
};

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string path = std::filesystem::temp_directory_path() / "vdcu-config-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    Write("ca.crt", kCert);
    Write("user.crt", kCert);
    Write("user.key", kKey);
    Write("token", "secret\n");
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::string WriteKubeconfig(const std::string& cluster, const std::string& user) const {
    return Write("config",
                 "current-context: c\ncontexts:\n- name: other\n- name: c\n  context: "
                 "{cluster: k, user: u, namespace: team-a}\nclusters:\n- name: k\n  "
                 "cluster: {" +
                     cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n");
  }

  std::filesystem::path folder_;
};

constexpr const char* kServer = "server: 'https://10.0.0.1:6443/'";

TEST_F(ConfigTest, FilesAreRelativeToTheKubeconfig) {
  const auto config = LoadKubeconfig(
      {WriteKubeconfig(std::string(kServer) + ", certificate-authority: ca.crt",
                       "client-certificate: user.crt, client-key: user.key, tokenFile: token")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->ca_data, kCert);
  EXPECT_EQ(config->cert_data, kCert);
  EXPECT_EQ(config->key_data, kKey);
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->token_file, folder_ / "token");
  EXPECT_EQ(config->namespace_name, "team-a");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
}

TEST_F(ConfigTest, InlineDataWinsOverFiles) {
  const auto config = LoadKubeconfig({WriteKubeconfig(
      std::string(kServer) + ", certificate-authority: absent, certificate-authority-data: " +
          kCertData + ", tls-server-name: kubernetes",
      std::string("client-certificate-data: ") + kCertData + ", client-key-data: " + kKeyData)});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_data, kCert);
  EXPECT_EQ(config->cert_data, kCert);
  EXPECT_EQ(config->key_data, kKey);
  EXPECT_EQ(config->tls_server_name, "kubernetes");
}

TEST_F(ConfigTest, JsonIsAKubeconfigToo) {
  const auto config = LoadKubeconfig({Write(
      "config",
      R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
      "clusters":[{"name":"k","cluster":{"server":"https://h","insecure-skip-tls-verify":true}}],
      "users":[{"name":"u","user":{"token":"t"}}]})")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->insecure_skip_tls_verify);
  EXPECT_EQ(config->token, "t");
  EXPECT_EQ(config->namespace_name, "default");
}

TEST_F(ConfigTest, EachMistakeIsNamedWithFileAndField) {
  const std::string server = kServer;
  const struct {
    const char* description;
    std::string cluster;
    std::string user;
    const char* want_message;
  } kCases[] = {
      {"no server", "", "token: t", "config: clusters[k].cluster.server: is missing"},
      {"a server without TLS", "server: 'http://h:80'", "token: t",
       R"(clusters[k].cluster.server: "http://h:80" must be https://HOST:PORT)"},
      {"a server that is a list", "server: [a]", "token: t",
       "clusters[k].cluster.server: must be a string"},
      {"a CA file that is absent", server + ", certificate-authority: absent.crt", "token: t",
       "clusters[k].cluster.certificate-authority: "},
      {"a CA that is no PEM", server + ", certificate-authority: token", "token: t",
       "token: is not PEM"},
      {"CA data that is no base64", server + ", certificate-authority-data: '#!'", "token: t",
       "clusters[k].cluster.certificate-authority-data: is not base64"},
      {"a boolean that is none", server + ", insecure-skip-tls-verify: maybe", "token: t",
       R"(insecure-skip-tls-verify: "maybe" must be true or false)"},
      {"a CA that nobody looks at",
       server + ", certificate-authority: ca.crt, insecure-skip-tls-verify: true", "token: t",
       "insecure-skip-tls-verify: true contradicts certificate-authority"},
      {"a proxy of another kind", server + ", proxy-url: 'ftp://p'", "token: t",
       "clusters[k].cluster.proxy-url: \"ftp://p\": want http://HOST:PORT, https://HOST:PORT or "
       "socks5://HOST:PORT"},
      {"a proxy without a scheme", server + ", proxy-url: 'p:80'", "token: t",
       "clusters[k].cluster.proxy-url: \"p:80\": want"},
      {"a program of no known kind", server, "exec: {command: aws}",
       "users[u].user.exec.apiVersion: is missing"},
      {"a program of an old kind", server,
       "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "users[u].user.exec.apiVersion: \"client.authentication.k8s.io/v1alpha1\": want"},
      {"no program", server, "exec: {apiVersion: client.authentication.k8s.io/v1}",
       "users[u].user.exec.command: is missing"},
      {"a program that v1 wants to know more of", server,
       "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}",
       "users[u].user.exec.interactiveMode: \"\": want Never or IfAvailable"},
      {"a program that asks", server,
       "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, interactiveMode: "
       "Always}",
       "users[u].user.exec.interactiveMode: \"Always\": want Never or IfAvailable"},
      {"a variable without a name", server,
       "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, env: [{value: x}]}",
       "users[u].user.exec.env[].name: is missing"},
      {"an auth provider", server, "auth-provider: {name: gcp}",
       "users[u].user.auth-provider: Kubernetes has none any more; use exec"},
      {"a password", server, "username: a, password: b", "users[u].user.username: "},
      {"groups without a user", server, "token: t, as-groups: [a]", "users[u].user.as: is missing"},
      {"groups that are no list", server, "token: t, as: a, as-groups: b",
       "users[u].user.as-groups: must be a list of strings"},
      {"extras that are no map", server, "token: t, as: a, as-user-extra: [b]",
       "users[u].user.as-user-extra: must be a map of lists"},
      {"an extra that is no list", server, "token: t, as: a, as-user-extra: {k: v}",
       "users[u].user.as-user-extra[k]: must be a list of strings"},
      {"a user with a line break", server, R"(token: t, as: "a\nHost: b")",
       "users[u].user.as: want text without control characters"},
      {"a certificate without its key", server, "client-certificate: user.crt",
       "users[u].user.client-certificate: must come with client-key"},
      {"a certificate that is half written",
       server + ", certificate-authority-data: " + Base64(kCert.substr(0, kCert.size() / 2)), "",
       "certificate-authority-data: holds a certificate that cannot be read"},
      {"a second certificate that is half written",
       server + ", certificate-authority-data: " +
           Base64(kOther.certificate + kCert.substr(0, kCert.size() / 2)),
       "", "certificate-authority-data: holds a certificate that cannot be read"},
      {"a certificate of another key", server,
       "client-certificate: user.crt, client-key-data: " + Base64(kOther.key),
       "users[u].user.client-key-data: is not the key of the client certificate"},
      {"a key in a certificate's place", server,
       "client-certificate: user.key, client-key: user.key", "users[u].user.client-certificate: "},
      {"a token with a line break", server, R"(token: "a\nHost: b")",
       "users[u].user.token: a token has no space"},
      {"a token file that is absent", server, "tokenFile: absent", "users[u].user.tokenFile: "},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    const std::string path = WriteKubeconfig(test.cluster, test.user);
    const auto config = LoadKubeconfig({path});
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().message.find(test.want_message), std::string::npos)
        << config.error().message;
    EXPECT_EQ(config.error().message.find(path), 0u) << config.error().message;
  }
}

TEST_F(ConfigTest, WhatIsNoKubeconfigIsRefused) {
  const struct {
    const char* description;
    std::string text;
    const char* want_message;
  } kCases[] = {
      {"nothing", "", "is not a kubeconfig"},
      {"a list", "- a", "is not a kubeconfig"},
      {"a namespace that is no name",
       "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: "
       "../x}}]\n"
       "clusters: [{name: k, cluster: {server: 'https://h'}}]\nusers: [{name: u, user: {token: "
       "t}}]",
       "contexts[c].context.namespace: \"../x\": want a namespace's name"},
      {"no YAML", "a: [b", "config: yaml-cpp: error at line"},
      {"no current context", "contexts: []", "config: current-context: is missing"},
      {"a context that is not there", "current-context: c", "contexts[c]: no such entry"},
      {"a context that is none", "current-context: c\ncontexts: [{name: c, context: x}]",
       "contexts[c].context: must be a map"},
      {"a cluster that is not there",
       "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [7]",
       "clusters[k]: no such entry"},
      {"deep nesting", std::string(100'000, '['), "config"},
      {"a huge file", "current-context: c\n#" + std::string(1 << 20, ' '),
       "config is longer than 1048576 bytes"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    const auto config = LoadKubeconfig({Write("config", test.text)});
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().message.find(test.want_message), std::string::npos)
        << config.error().message;
  }
  const auto absent = LoadKubeconfig({folder_ / "absent"});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(absent.error().message.find("open " + std::string(folder_ / "absent")), 0u)
      << absent.error().message;
}

TEST_F(ConfigTest, InAPodTheServiceAccountIsRead) {
  Write("namespace", "vdcu-system");
  const ScopedVariable host("KUBERNETES_SERVICE_HOST", "fd00::1");
  const ScopedVariable port("KUBERNETES_SERVICE_PORT", "443");
  const auto config = LoadInCluster(folder_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://[fd00::1]:443");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->token_file, folder_ / "token");
  EXPECT_EQ(config->ca_data, kCert);
  EXPECT_EQ(config->namespace_name, "vdcu-system");
  std::filesystem::remove(folder_ / "token");
  EXPECT_EQ(LoadInCluster(folder_).error().code, ErrorCode::kNotFound);
}

TEST_F(ConfigTest, TheFirstPlaceThatIsNamedIsTaken) {
  const ScopedVariable no_host("KUBERNETES_SERVICE_HOST", std::nullopt);
  const ScopedVariable home("HOME", folder_);
  const auto server = [this](const std::string& name) {
    const std::string path = WriteKubeconfig("server: 'https://" + name + "'", "token: t");
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::filesystem::rename(path, folder_ / name);
    return folder_ / name;
  };
  const ScopedVariable none("KUBECONFIG", std::nullopt);
  const auto missing = LoadConfig("", "");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no --kubeconfig, no KUBECONFIG, not in a pod"),
            std::string::npos);
  server(".kube/config");
  EXPECT_EQ(LoadConfig("", "")->server, "https://.kube/config");
  const ScopedVariable variable("KUBECONFIG", server("variable"));
  EXPECT_EQ(LoadConfig("", "")->server, "https://variable");
  EXPECT_EQ(LoadConfig(server("flag"), "")->server, "https://flag");
}

TEST_F(ConfigTest, APodsAccountHasNoContext) {
  const ScopedVariable none("KUBECONFIG", std::nullopt);
  const ScopedVariable host("KUBERNETES_SERVICE_HOST", "10.0.0.1");
  const auto config = LoadConfig("", "mine");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message,
            "--context \"mine\": a pod's service account has none: want a kubeconfig, too");
}

TEST_F(ConfigTest, AContextMayBeAskedFor) {
  const std::string path = Write(
      "config",
      "current-context: a\ncontexts:\n- {name: a, context: {cluster: a, user: u}}\n"
      "- {name: b, context: {cluster: b, user: u}}\nclusters:\n"
      "- {name: a, cluster: {server: 'https://a'}}\n- {name: b, cluster: {server: 'https://b'}}\n"
      "users: [{name: u, user: {token: t}}]\n");
  EXPECT_EQ(LoadConfig(path, "")->server, "https://a");
  EXPECT_EQ(LoadConfig(path, "b")->server, "https://b");
  const auto none = LoadConfig(path, "c");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, path + ": contexts[c]: no such entry: want one of a, b");
}

class SeveralKubeconfigsTest : public ConfigTest {
 protected:
  SeveralKubeconfigsTest() {
    std::filesystem::create_directory(folder_ / "one");
    std::filesystem::create_directory(folder_ / "two");
    Write("one/token", "of-one");
    Write("two/token", "of-two");
  }
  std::string Path(const std::string& name) const { return folder_ / name; }
  base::Result<Config> Load(const std::string& names) const {
    const ScopedVariable variable("KUBECONFIG", names);
    return LoadConfig("", "");
  }
};

TEST_F(SeveralKubeconfigsTest, TheFirstThatHasAnEntryCounts) {
  Write("one/config",
        "contexts: [{name: c, context: {cluster: k, user: u, namespace: first}}]\n"
        "users: [{name: u, user: {tokenFile: token}}]\n");
  Write(
      "two/config",
      "current-context: c\n"
      "contexts: [{name: c, context: {cluster: other, user: other, namespace: second}}]\n"
      "clusters: [{name: k, cluster: {server: 'https://two', certificate-authority: ../ca.crt}}]\n"
      "users: [{name: u, user: {token: t, as: root}}]\n");
  Write("three", "current-context: nothing\nclusters: [{name: k, cluster: {server: 'https://3'}}]");
  const auto config = Load(Path("one/config") + "::" + Path("absent") + ":" + Path("two/config") +
                           ":" + Path("three") + ":" + Path("one/config"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://two");
  EXPECT_EQ(config->namespace_name, "first");
  EXPECT_EQ(config->token, "of-one") << "relative to its own file";
  EXPECT_EQ(config->ca_data, kCert);
  EXPECT_EQ(config->impersonate.user, "") << "nothing of the second user u";
  EXPECT_EQ(config->kubeconfigs.size(), 4u);
}

TEST_F(SeveralKubeconfigsTest, MistakesNameTheFileThatHasThem) {
  Write("one/config", "users: [{name: u, user: {tokenFile: nowhere}}]");
  Write("two/config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://two'}}]\n");
  const std::string both = Path("one/config") + ":" + Path("two/config");
  EXPECT_EQ(Load(both).error().message.find(Path("one/config") + ": users[u].user.tokenFile: "),
            0u);
  Write("one/config", "users: [");
  EXPECT_EQ(Load(both).error().message.find(Path("one/config") + ": yaml-cpp"), 0u);
  Write("one/config", "users: []");
  EXPECT_EQ(Load(both).error().message, both + ": users[u]: no such entry");
  const std::string none = Path("x") + ":" + Path("y");
  EXPECT_EQ(Load(none).error().message, none + ": none of these kubeconfigs is there");
}

TEST_F(SeveralKubeconfigsTest, AllAreReadAgain) {
  Write("one/config", "users: [{name: u, user: {token: a}}]");
  Write("two/config",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://two'}}]\n");
  Credentials credentials(
      *Load(Path("zero") + ":" + Path("one/config") + ":" + Path("two/config")));
  EXPECT_EQ(credentials.config()->token, "a");
  Write("one/config", "users: [{name: u, user: {token: longer}}]");
  credentials.OnRefused();
  EXPECT_EQ(credentials.config()->token, "longer");
  Write("zero", "users: [{name: u, user: {token: new}}]");
  credentials.OnRefused();
  EXPECT_EQ(credentials.config()->token, "new") << "one that was absent";
}

TEST_F(ConfigTest, AnImpersonatedUserGoesIntoHeaders) {
  const auto config = LoadKubeconfig(
      {WriteKubeconfig(kServer,
                       "token: t, as: jane, as-uid: '7', as-groups: [a, b c], as-user-extra: "
                       "{'example.com/Scope%': [x, y], plain: [z]}")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(HeadersOf(config->impersonate),
            (std::vector<std::string>{
                "Impersonate-User: jane", "Impersonate-Uid: 7", "Impersonate-Group: a",
                "Impersonate-Group: b c", "Impersonate-Extra-example.com%2FScope%25: x",
                "Impersonate-Extra-example.com%2FScope%25: y", "Impersonate-Extra-plain: z"}));
  EXPECT_TRUE(HeadersOf(Impersonation()).empty());
}

TEST_F(ConfigTest, AProxyIsTakenAsItIsOrRefusedWithoutItsPassword) {
  const struct {
    const char* url;
    const char* want;
  } kCases[] = {
      {"http://p:3128", "http://p:3128"},
      {"http://p/", "http://p:80"},
      {"https://p", "https://p:443"},
      {"socks5://p", "socks5h://p:1080"},
      {"http://me:se%40cret@p:1", "http://me:se%40cret@p:1"},
      {"http://[fd00::1]:8080", "http://[fd00::1]:8080"},
  };
  const ScopedVariable ignored("NO_PROXY", "*");
  for (const auto& test : kCases) {
    const auto config = LoadKubeconfig(
        {WriteKubeconfig(std::string(kServer) + ", proxy-url: '" + test.url + "'", "token: t")});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->proxy, test.want);
  }
  const auto wrong = LoadKubeconfig(
      {WriteKubeconfig(std::string(kServer) + ", proxy-url: 'ftp://me:secret@p'", "token: t")});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message.find("secret"), std::string::npos) << wrong.error().message;
}

TEST_F(ConfigTest, AnExecPluginIsReadWithWhatItIsTold) {
  const auto config = LoadKubeconfig({WriteKubeconfig(
      std::string(kServer) + ", certificate-authority: ca.crt, tls-server-name: k8s",
      "exec: {command: bin/get, apiVersion: client.authentication.k8s.io/v1, interactiveMode: "
      "IfAvailable, args: [a, b], env: [{name: N, value: V}], provideClusterInfo: true}")});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(config->exec->command, folder_ / "bin/get");
  EXPECT_EQ(config->exec->arguments, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config->exec->environment.at("N"), "V");
  EXPECT_EQ(
      config->exec->environment.at("KUBERNETES_EXEC_INFO"),
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":)"
      R"({"cluster":{"certificate-authority-data":")" +
          kCertData +
          R"(","server":"https://10.0.0.1:6443","tls-server-name":"k8s"},"interactive":false}})");
}

TEST(ExecPluginTest, WhatItPrintsIsTakenWholeOrRefusedWithoutShowingIt) {
  const ExecPlugin plugin{.where = "F: users[u].user.exec",
                          .api_version = "client.authentication.k8s.io/v1",
                          .command = "get"};
  const auto output = [](const std::string& status) {
    return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1")" + status +
           "}";
  };
  const auto good = ParseExecCredential(
      plugin,
      output(R"(,"status":{"token":"s3cret","expirationTimestamp":"2026-01-02T03:04:05Z"})"));
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->token, "s3cret");
  ASSERT_TRUE(good->expires);
  EXPECT_EQ(base::FormatTime(*good->expires), "2026-01-02T03:04:05Z");
  const struct {
    std::string text;
    const char* want;
  } kCases[] = {
      {"s3cret", "the output is not JSON"},
      {"{}", "kind: want ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
       "apiVersion: want client.authentication.k8s.io/v1"},
      {output(""), "status: is missing"},
      {output(R"(,"status":{})"), "status: want a token, or a client certificate and its key"},
      {output(R"(,"status":{"token":"s3cret\n"})"), "status.token: a token has no space"},
      {output(R"(,"status":{"clientKeyData":"s3cret"})"),
       "status.clientCertificateData: must come with"},
      {output(R"(,"status":{"clientKeyData":"s3cret","clientCertificateData":"s3cret"})"),
       "status.clientCertificateData: is not PEM"},
      {output(R"(,"status":{"token":"s3cret","expirationTimestamp":"soon"})"),
       "status.expirationTimestamp: want a time"},
  };
  for (const auto& test : kCases) {
    const auto credential = ParseExecCredential(plugin, test.text);
    ASSERT_FALSE(credential) << test.text;
    const std::string& message = credential.error().message;
    EXPECT_NE(message.find(test.want), std::string::npos) << message;
    EXPECT_EQ(message.find("F: users[u].user.exec: get: "), 0u) << message;
    EXPECT_EQ(message.find("s3cret"), std::string::npos) << message;
  }
}

// As golang.org/x/net/http/httpproxy has it.
TEST_F(ConfigTest, TheEnvironmentNamesAProxy) {
  const struct {
    const char* server;
    const char* proxy;
    const char* no_proxy;
    const char* want;
  } kCases[] = {
      {"https://h:6443", "http://p:1", "", "http://p:1"},
      {"https://h:6443", "p:1", "", "http://p:1"},
      {"https://h:6443", "socks5://p:1", "", "socks5h://p:1"},
      {"https://localhost:6443", "http://p:1", "", ""},
      {"https://127.1.2.3:6443", "http://p:1", "", ""},
      {"https://[::1]:6443", "http://p:1", "", ""},
      {"https://h:6443", "http://p:1", "*", ""},
      {"https://h:6443", "http://p:1", " a , h ", ""},
      {"https://H:6443", "http://p:1", "h", ""},
      {"https://h:6443", "http://p:1", "hh", "http://p:1"},
      {"https://a.h:6443", "http://p:1", "h", ""},
      {"https://ah:6443", "http://p:1", "h", "http://p:1"},
      {"https://h:6443", "http://p:1", ".h", "http://p:1"},
      {"https://a.h:6443", "http://p:1", ".h", ""},
      {"https://a.h:6443", "http://p:1", "*.h", ""},
      {"https://h:6443", "http://p:1", "*.h", "http://p:1"},
      {"https://h:6443", "http://p:1", "h:6443", ""},
      {"https://h:6443", "http://p:1", "h:443", "http://p:1"},
      {"https://h", "http://p:1", "h:443", ""},
      {"https://10.1.2.3:6443", "http://p:1", "10.0.0.0/8", ""},
      {"https://11.1.2.3:6443", "http://p:1", "10.0.0.0/8", "http://p:1"},
      {"https://10.1.2.3:6443", "http://p:1", "10.1.2.3", ""},
      {"https://10.1.2.3:6443", "http://p:1", "10.1.2.3:6443", ""},
      {"https://10.1.2.3:6443", "http://p:1", "10.1.2.3:1", "http://p:1"},
      {"https://[fd00::1]:6443", "http://p:1", "fd00::/16", ""},
      {"https://[fd00::1]:6443", "http://p:1", "[fd00::1]:6443", ""},
      {"https://[fd00::1]:6443", "http://p:1", "fd00::2", "http://p:1"},
      {"https://h:6443", "http://p:1", ",:80,/8,10.0.0.0/99", "http://p:1"},
  };
  const ScopedVariable lower("https_proxy", "http://lower:1");
  const ScopedVariable lower_no("no_proxy", std::nullopt);
  for (const auto& test : kCases) {
    SCOPED_TRACE(std::string(test.server) + " NO_PROXY=" + test.no_proxy);
    const ScopedVariable proxy("HTTPS_PROXY", test.proxy);
    const ScopedVariable no_proxy("NO_PROXY", test.no_proxy);
    const auto config =
        LoadKubeconfig({WriteKubeconfig("server: '" + std::string(test.server) + "'", "token: t")});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->proxy, test.want);
  }
  const ScopedVariable no_upper("HTTPS_PROXY", std::nullopt);
  const ScopedVariable http_only("HTTP_PROXY", "http://http:1");
  EXPECT_EQ(LoadKubeconfig({WriteKubeconfig(kServer, "token: t")})->proxy, "http://lower:1");
  const ScopedVariable wrong("HTTPS_PROXY", "gopher://me:secret@p");
  const auto refused = LoadKubeconfig({WriteKubeconfig(kServer, "token: t")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "HTTPS_PROXY: the URL: want http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT");
}

TEST_F(ConfigTest, AFieldThatIsEmptyIsAbsent) {
  const auto config = LoadKubeconfig({WriteKubeconfig(
      std::string(kServer) +
          R"(, proxy-url: "", certificate-authority: "", certificate-authority-data: "",
          tls-server-name: "", insecure-skip-tls-verify: false)",
      R"(token: t, tokenFile: "", client-certificate: "", client-certificate-data: "",
          client-key: "", client-key-data: "", username: "", password: "", as: "", as-uid: "",
          as-groups: [], as-user-extra: {}, exec: null, auth-provider: null)")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->token, "t");
  EXPECT_EQ(config->ca_data, "");
}

class CredentialsTest : public ConfigTest {
 protected:
  // As a rename does it, so that nobody sees half of it.
  void Replace(const std::string& name, const std::string& text) const {
    std::filesystem::rename(Write(name + ".new", text), folder_ / name);
  }
  Credentials Load() const {
    auto config = LoadKubeconfig(
        {WriteKubeconfig(std::string(kServer) + ", certificate-authority: ca.crt",
                         "client-certificate: user.crt, client-key: user.key, tokenFile: token")});
    EXPECT_TRUE(config) << config.error().message;
    return Credentials(std::move(*config));
  }

  fakes::SimulatedClock clock_;
};

TEST_F(CredentialsTest, EachFileIsReadAgainWhenItChanges) {
  Credentials credentials = Load();
  const auto first = credentials.config();
  credentials.Refresh(clock_.Now());
  EXPECT_EQ(credentials.config(), first) << "the same files";
  Replace("token", "second");
  credentials.Refresh(clock_.Now());
  EXPECT_EQ(credentials.config(), first) << "looked at a moment ago";
  clock_.Advance(seconds(4));
  credentials.Refresh(clock_.Now());
  EXPECT_EQ(credentials.config()->token, "second");
  Replace("ca.crt", kCert + kOther.certificate);
  credentials.OnRefused();
  EXPECT_EQ(credentials.config()->ca_data, kCert + kOther.certificate) << "at once";
  Replace("config",
          "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
          "clusters: [{name: k, cluster: {server: 'https://10.0.0.1:6443'}}]\n"
          "users: [{name: u, user: {token: third}}]\n");
  credentials.OnRefused();
  EXPECT_EQ(credentials.config()->token, "third") << "the kubeconfig, too";
  EXPECT_EQ(first->token, "secret") << "who uses the first keeps it";
}

TEST_F(CredentialsTest, WhatCannotBeUsedIsSaidOnceAndTheOldStays) {
  const struct {
    const char* description;
    const char* file;
    std::string bad;
    std::string good;
  } kCases[] = {
      {"half a CA", "ca.crt", kCert.substr(0, 100), kCert},
      {"no CA at all", "ca.crt", "", kCert},
      {"garbage for a token", "token", "bro ken", "secret"},
      {"the key of another certificate", "user.key", kOther.key, kKey},
      {"half a kubeconfig", "config", "current-context: [", ""},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    Credentials credentials = Load();
    const auto before = credentials.config();
    testing::internal::CaptureStdout();
    Replace(test.file, test.bad);
    for (int i = 0; i < 3; ++i) credentials.OnRefused();
    std::string log = testing::internal::GetCapturedStdout();
    EXPECT_EQ(credentials.config(), before);
    const size_t at = log.find((folder_ / test.file).string());
    EXPECT_NE(at, std::string::npos) << log;
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
    if (test.good.empty()) continue;
    Replace(test.file, test.good);
    credentials.OnRefused();
    EXPECT_NE(credentials.config(), before);
    EXPECT_EQ(credentials.config()->key_data, kKey);
  }
}

TEST_F(CredentialsTest, AnotherServerIsNotGoneTo) {
  Credentials credentials = Load();
  const auto before = credentials.config();
  WriteKubeconfig("server: 'https://elsewhere'", "token: t");
  credentials.OnRefused();
  EXPECT_EQ(credentials.config(), before);
}

TEST_F(CredentialsTest, AProjectedVolumeIsReadAgainWhenItsLinkChanges) {
  for (const char* folder : {"first", "second"}) {
    std::filesystem::create_directory(folder_ / folder);
    Write(std::string(folder) + "/token", folder);
    Write(std::string(folder) + "/ca.crt", kCert);
  }
  namespace fs = std::filesystem;
  fs::create_directory(folder_ / "account");
  fs::create_symlink("../first", folder_ / "account/..data");
  for (const char* name : {"token", "ca.crt"}) {
    fs::create_symlink(fs::path("..data") / name, folder_ / "account" / name);
  }
  const ScopedVariable host("KUBERNETES_SERVICE_HOST", "10.0.0.1");
  const ScopedVariable port("KUBERNETES_SERVICE_PORT", "443");
  auto config = LoadInCluster(folder_ / "account");
  ASSERT_TRUE(config) << config.error().message;
  Credentials credentials(std::move(*config));
  EXPECT_EQ(credentials.config()->token, "first");
  fs::create_symlink("../second", folder_ / "account/..data_tmp");
  fs::rename(folder_ / "account/..data_tmp", folder_ / "account/..data");
  credentials.OnRefused();
  EXPECT_EQ(credentials.config()->token, "second");
}

}  // namespace
}  // namespace vdcu::kclient
