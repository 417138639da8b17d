#include "kclient/exec_plugin.h"

#include "kclient/core/json.h"
#include "kclient/kubeconfig_file.h"
#include "kclient/pem.h"

namespace vdcu::kclient {

using base::Result;

Result<ExecCredential> ParseExecCredential(const ExecPlugin& plugin, const std::string& text) {
  const std::string what = plugin.where + ": " + plugin.command + ": the output's ";
  JsonParser parser;
  const auto parsed = parser.Parse(text);
  if (!parsed) {
    return base::Invalid(plugin.where + ": " + plugin.command + ": the output is not JSON");
  }
  const JsonView answer = *parsed;
  if (GetStringOr(answer, "kind") != "ExecCredential") {
    return base::Invalid(what + "kind: want ExecCredential");
  }
  if (GetStringOr(answer, "apiVersion") != plugin.api_version) {
    return base::Invalid(what + "apiVersion: want " + plugin.api_version);
  }
  const auto status = Get(answer, "status");
  if (!status) return base::Invalid(what + "status: is missing");
  ExecCredential credential{.token = GetStringOr(*status, "token"),
                            .cert_data = GetStringOr(*status, "clientCertificateData"),
                            .key_data = GetStringOr(*status, "clientKeyData"),
                            .expires = std::nullopt};
  if (credential.cert_data.empty() != credential.key_data.empty()) {
    return base::Invalid(what +
                         "status.clientCertificateData: must come with clientKeyData, and "
                         "clientKeyData with it");
  }
  if (credential.token.empty() && credential.cert_data.empty()) {
    return base::Invalid(what + "status: want a token, or a client certificate and its key");
  }
  RETURN_IF_ERROR(CheckToken(what + "status.token", credential.token));
  if (!credential.cert_data.empty()) {
    RETURN_IF_ERROR(CheckCertificates(what + "status.clientCertificateData", credential.cert_data));
    RETURN_IF_ERROR(
        CheckKey(what + "status.clientKeyData", credential.key_data, credential.cert_data));
  }
  const std::string expires = GetStringOr(*status, "expirationTimestamp");
  if (expires.empty()) return credential;
  const auto time = base::ParseTime(expires);
  if (!time) return base::Invalid(what + "status.expirationTimestamp: want a time (RFC 3339)");
  credential.expires = *time;
  return credential;
}

}  // namespace vdcu::kclient
