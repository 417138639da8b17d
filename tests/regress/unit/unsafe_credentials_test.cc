// A kubeconfig that everybody may read, or that switches TLS' checks off, was used without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "kclient/config.h"
#include "tests/kclient/certificate.h"
#include "tests/node/temp_folder.h"

namespace vdcu::kclient {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class UnsafeCredentialsTest : public testing::Test {
 protected:
  UnsafeCredentialsTest() {
    const CertificatePem pair = MakeCertificate();
    Write("cert", pair.certificate);
    Write("key", pair.key);
    Write("token", "secret");
  }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(Path(name)) << text;
    ASSERT_EQ(chmod(Path(name).c_str(), mode), 0);
  }
  std::vector<std::string> Warnings(const std::string& cluster = "", mode_t mode = 0600) {
    Write("kubeconfig",
          "clusters: [{name: c, cluster: {server: 'https://h:1'" + cluster +
              "}}]\n"
              "users: [{name: u, user: {client-certificate: cert, client-key: key, tokenFile: "
              "token}}]\n"
              "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n",
          mode);
    const auto config = LoadKubeconfig({Path("kubeconfig")});
    EXPECT_TRUE(config) << config.error().message;
    return config ? WarningsOf(*config) : std::vector<std::string>();
  }

  node::TempFolder folder_;
};

TEST_F(UnsafeCredentialsTest, WhatOnlyItsOwnerReadsIsFine) { EXPECT_THAT(Warnings(), IsEmpty()); }

TEST_F(UnsafeCredentialsTest, AServerThatIsNotVerifiedIsTold) {
  EXPECT_THAT(Warnings(", insecure-skip-tls-verify: true"),
              ElementsAre(HasSubstr("kubeconfig: insecure-skip-tls-verify: true: whoever")));
  EXPECT_THAT(Warnings(", insecure-skip-tls-verify: false"), IsEmpty());
}

TEST_F(UnsafeCredentialsTest, EachFileThatOthersMayReadIsTold) {
  EXPECT_THAT(Warnings("", 0640),
              ElementsAre(Path("kubeconfig") + ": the kubeconfig can be read by others, its mode "
                                               "is 0640: want 0600"));
  for (const mode_t mode : {0604, 0640, 0644, 0444}) {
    chmod(Path("key").c_str(), mode);
    chmod(Path("token").c_str(), mode);
    EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("/key: the client's key can be read by others"),
                                        HasSubstr("/token: the token can be read by others")));
  }
  chmod(Path("key").c_str(), 0622);
  chmod(Path("token").c_str(), 0711);
  chmod(Path("cert").c_str(), 0644);
  EXPECT_THAT(Warnings(), IsEmpty()) << "writing is not reading, and a certificate is no secret";
}

}  // namespace
}  // namespace vdcu::kclient
