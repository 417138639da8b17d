// How to reach an API server and as whom: read from a kubeconfig or from what a pod is given.
//
// Errors: kNotFound where a named file is absent, kInvalid or kCorrupt where one is wrong; the
// message names file and field. Files above 1 MiB are refused. Tokens and keys are never logged.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_stamp.h"
#include "base/flags.h"
#include "base/result.h"
#include "kclient/exec_plugin.h"
#include "kclient/impersonation.h"

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
  std::string proxy;  // for libcurl, with its password; empty: none
  Impersonation impersonate;
  std::optional<ExecPlugin> exec;  // gives token or client certificate where there is no token
  std::string namespace_name = "default";

  // Where all this is from, so that it can be read again; the first and the third empty: it cannot.
  std::vector<std::string> kubeconfigs;  // files
  std::string context;                   // that was asked for; empty: current-context
  std::string service_account;           // folder
  std::string cluster_file;              // the kubeconfig that describes the server
  SourceFiles files;                     // as they were before they were read
};

// `context`, or the current one, of files that are read as one, as kubectl does it: of each
// cluster, user and context, and for current-context, the first file counts that has it, and it
// alone. One of several may be absent. A field that is empty counts as absent. Relative paths are
// relative to the folder of the file that they stand in. Without `proxy-url` the proxy is that of
// HTTPS_PROXY and NO_PROXY. `auth-provider`, which Kubernetes has taken away, is kInvalid.
base::Result<Config> LoadKubeconfig(const std::vector<std::string>& paths,
                                    const std::string& context = "");

// The service account of the pod that this process runs in, with the proxy of the environment.
// `folder` is where its files are.
base::Result<Config> LoadInCluster(
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// The first of: `path` where it is not empty, the files that KUBECONFIG names (with colons), the
// service account, ~/.kube/config. `context` asks for one of a kubeconfig.
base::Result<Config> LoadConfig(const std::string& path, const std::string& context);

// What makes it easy to take the credentials, a sentence each: the server is not verified; others
// of the host may read the kubeconfig, the key or the token. What a pod is given only it can read.
std::vector<std::string> WarningsOf(const Config& config);

// What --kubeconfig and --context say; the log gets the warnings.
base::Result<Config> LoadConfigAndWarn(const base::CommonFlags& flags);

}  // namespace vdcu::kclient
