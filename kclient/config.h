// How to reach an API server and as whom: read from a kubeconfig or from what a pod is given.
//
// Errors: kNotFound where a named file is absent, kInvalid or kCorrupt where one is wrong; the
// message names file and field. Files above 1 MiB are refused. Tokens and keys are never logged.
#pragma once

#include <string>

#include "base/result.h"

namespace vdcu::kclient {

struct Config {
  std::string server;           // "https://host:port", without a trailing "/"
  std::string ca_data;          // PEM; empty: the system's certificates
  std::string cert_data;        // PEM of the client certificate; empty: none
  std::string key_data;         // PEM of its key
  std::string token;            // bearer token; empty: none
  std::string token_file;       // wins over token; read anew when it changes
  std::string tls_server_name;  // the name that the server's certificate must have; empty: host
  bool insecure_skip_tls_verify = false;
  std::string namespace_name = "default";
};

// The current context of a kubeconfig. Relative paths in it are relative to its folder. Ways of
// authentication that run a program (exec, auth-provider), proxies and impersonation are kInvalid.
base::Result<Config> LoadKubeconfig(const std::string& path);

// The service account of the pod that this process runs in. `folder` is where its files are.
base::Result<Config> LoadInCluster(
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// A token file's content without the white space around it.
base::Result<std::string> ReadToken(const std::string& path);

// The first of: `path` where it is not empty, $KUBECONFIG, the service account, ~/.kube/config.
base::Result<Config> LoadConfig(const std::string& path);

}  // namespace vdcu::kclient
