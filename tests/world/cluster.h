// A real control plane for the tests of one binary: started in a temporary folder, ended and
// removed with it, and with the process (test_folder.h). A cluster that does not start aborts the
// test.
//
//   Cluster& cluster() {
//     static Cluster one({"kube-controller-manager"});
//     return one;
//   }
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/world/process.h"

namespace vdcu::world {

class Cluster {
 public:
  // etcd and kube-apiserver run always, of kube-controller-manager and kube-scheduler those named.
  // What the audit policy in that file selects is in audit_log(), a JSON object a line. The flags
  // are further ones of kube-apiserver, with blanks between them.
  explicit Cluster(const std::vector<std::string>& with = {}, const std::string& audit_policy = "",
                   const std::string& apiserver_flags = "");
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const std::string& folder() const { return folder_; }
  std::string admin_kubeconfig() const { return folder_ + "/c/admin.kubeconfig"; }
  std::string audit_log() const { return folder_ + "/c/logs/audit.log"; }

  // What an administrator applies, of tests/world/config/WHICH; its kinds can be used then.
  // Policies and roles work a moment later.
  void Install(const std::string& which) const;

  // As the administrator. `input` is for `-f -`.
  Output Kubectl(std::vector<std::string> arguments, std::string_view input = "") const;

  // Paths of kubeconfigs below folder(): with a client certificate, and with a service account's
  // token (in PATH.token), bound to `node` where it is not empty.
  std::string UserKubeconfig(const std::string& user, const std::vector<std::string>& groups) const;
  std::string TokenKubeconfig(const std::string& ns, const std::string& account,
                              const std::string& node = "") const;

  void StopApiServer() const { Script({"stop-apiserver"}); }    // SIGKILL
  void StartApiServer() const { Script({"start-apiserver"}); }  // on the same port; waits
  // A new CA: pki/ca.crt below folder() + "/c" then holds it and the one before, in this order. The
  // server is of the new one after it was started again; an Api of before does not trust it.
  void RenewCa() const { Script({"renew-ca"}); }
  void StopEtcd() const { Script({"stop-etcd"}); }    // SIGTERM; the data is folder() + "/c/etcd"
  void StartEtcd() const { Script({"start-etcd"}); }  // on the same ports
  void PauseApiServer() const { Script({"pause-apiserver"}); }  // SIGSTOP
  void ResumeApiServer() const { Script({"resume-apiserver"}); }

 private:
  void Script(std::vector<std::string> arguments) const;

  std::string folder_;
};

}  // namespace vdcu::world
