// A kubeconfig's exec plugin: a program that prints credentials (client.authentication.k8s.io, v1
// and v1beta1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vdcu::kclient {

struct ExecPlugin {
  std::string where;  // "FILE: users[jane].user.exec", for messages
  std::string api_version = "";
  std::string command = "";
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> environment = {};  // with KUBERNETES_EXEC_INFO
  std::string install_hint = "";
};

struct ExecCredential {
  std::string token;      // empty: none
  std::string cert_data;  // PEM; empty: none
  std::string key_data;
  std::optional<base::WallTime> expires;
};

// What the plugin printed. Errors: kInvalid; they name the field, and hold nothing of it.
base::Result<ExecCredential> ParseExecCredential(const ExecPlugin& plugin, const std::string& text);

}  // namespace vdcu::kclient
