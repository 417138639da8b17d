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

#include "kclient/credentials.h"
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
      WriteKubeconfig(std::string(kServer) + ", certificate-authority: ca.crt",
                      "client-certificate: user.crt, client-key: user.key, tokenFile: token"));
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
  const auto config = LoadKubeconfig(WriteKubeconfig(
      std::string(kServer) + ", certificate-authority: absent, certificate-authority-data: " +
          kCertData + ", tls-server-name: kubernetes",
      std::string("client-certificate-data: ") + kCertData + ", client-key-data: " + kKeyData));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_data, kCert);
  EXPECT_EQ(config->cert_data, kCert);
  EXPECT_EQ(config->key_data, kKey);
  EXPECT_EQ(config->tls_server_name, "kubernetes");
}

TEST_F(ConfigTest, JsonIsAKubeconfigToo) {
  const auto config = LoadKubeconfig(Write(
      "config",
      R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
      "clusters":[{"name":"k","cluster":{"server":"https://h","insecure-skip-tls-verify":true}}],
      "users":[{"name":"u","user":{"token":"t"}}]})"));
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
      {"a proxy", server + ", proxy-url: 'http://p'", "token: t",
       "clusters[k].cluster.proxy-url: proxies are not supported"},
      {"a program for credentials", server, "exec: {command: aws}",
       "users[u].user.exec: no programs are run for credentials"},
      {"an auth provider", server, "auth-provider: {name: gcp}",
       "users[u].user.auth-provider: no programs are run"},
      {"a password", server, "username: a, password: b", "users[u].user.username: "},
      {"impersonation", server, "token: t, as: root", "users[u].user.as: impersonation"},
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
    const auto config = LoadKubeconfig(path);
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
      {"a huge file", std::string((1 << 20) + 1, ' '), "config"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    const auto config = LoadKubeconfig(Write("config", test.text));
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().message.find(test.want_message), std::string::npos)
        << config.error().message;
  }
  EXPECT_EQ(LoadKubeconfig(folder_ / "absent").error().code, ErrorCode::kNotFound);
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
  const auto missing = LoadConfig("");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no --kubeconfig, no KUBECONFIG, not in a pod"),
            std::string::npos);
  server(".kube/config");
  EXPECT_EQ(LoadConfig("")->server, "https://.kube/config");
  const ScopedVariable variable("KUBECONFIG", server("variable"));
  EXPECT_EQ(LoadConfig("")->server, "https://variable");
  EXPECT_EQ(LoadConfig(server("flag"))->server, "https://flag");
  const ScopedVariable several("KUBECONFIG", "/a:/b");
  EXPECT_NE(LoadConfig("").error().message.find("names several files"), std::string::npos);
}

TEST_F(ConfigTest, AFieldThatIsEmptyIsAbsent) {
  const auto config = LoadKubeconfig(WriteKubeconfig(
      std::string(kServer) +
          R"(, proxy-url: "", certificate-authority: "", certificate-authority-data: "",
          tls-server-name: "", insecure-skip-tls-verify: false)",
      R"(token: t, tokenFile: "", client-certificate: "", client-certificate-data: "",
          client-key: "", client-key-data: "", username: "", password: "", as: "", as-uid: "",
          as-groups: [], as-user-extra: {}, exec: null, auth-provider: null)"));
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
        WriteKubeconfig(std::string(kServer) + ", certificate-authority: ca.crt",
                        "client-certificate: user.crt, client-key: user.key, tokenFile: token"));
    EXPECT_TRUE(config) << config.error().message;
    return Credentials(std::move(*config));
  }

  base::SimulatedClock clock_;
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
