// How to reach an API server and as whom: read from a kubeconfig or from what a pod is given.
//
// Errors: kNotFound where a named file is absent, kInvalid or kCorrupt where one is wrong; the
// message names file and field. Files above 1 MiB are refused. Tokens and keys are never logged.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file_stamp.h"
#include "base/result.h"

namespace vdcu::kclient {

// By path.
using SourceFiles = std::map<std::string, base::FileStamp>;

struct Config {
  std::string server;           // "https://host:port", without a trailing "/"
  std::string ca_data;          // PEM; empty: the system's certificates
  std::string cert_data;        // PEM of the client certificate; empty: none
  std::string key_data;         // PEM of its key
  std::string key_file;         // where the key is from; empty: from the kubeconfig
  std::string token;            // bearer token; empty: none
  std::string token_file;       // wins over token
  std::string tls_server_name;  // the name that the server's certificate must have; empty: host
  bool insecure_skip_tls_verify = false;
  std::string namespace_name = "default";

  // Where all this is from, so that it can be read again; both empty: it cannot.
  std::string kubeconfig;       // file
  std::string service_account;  // folder
  SourceFiles files;            // as they were before they were read
};

// The current context of a kubeconfig. A field that is empty counts as absent. Relative paths in it
// are relative to its folder. Ways of authentication that run a program (exec, auth-provider),
// proxies and impersonation are kInvalid.
base::Result<Config> LoadKubeconfig(const std::string& path);

// The service account of the pod that this process runs in. `folder` is where its files are.
base::Result<Config> LoadInCluster(
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// The first of: `path` where it is not empty, $KUBECONFIG, the service account, ~/.kube/config.
base::Result<Config> LoadConfig(const std::string& path);

// What makes it easy to take the credentials, a sentence each: the server is not verified; others
// of the host may read the kubeconfig, the key or the token. What a pod is given only it can read.
std::vector<std::string> WarningsOf(const Config& config);

// LoadConfig; the log gets its warnings.
base::Result<Config> LoadConfigAndWarn(const std::string& path);

}  // namespace vdcu::kclient
