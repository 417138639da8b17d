// The process: what is started in which order, and ended in the reverse one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/http/server.h"
#include "base/uv_loop.h"
#include "controller/extender/leader_address.h"
#include "controller/leader_state.h"
#include "controller/metrics.h"
#include "controller/options.h"
#include "controller/webhook/daemon_pods.h"
#include "controller/webhook/keeper.h"
#include "kclient/config.h"
#include "kclient/counted_transport.h"
#include "kclient/curl_transport.h"
#include "kclient/event_recorder.h"
#include "kclient/leader_elector.h"
#include "kclient/server_look.h"

namespace vdcu::controller {

class App {
 public:
  App(base::UvLoop& loop, Options options, const kclient::Config& config);
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App();  // of many large members: compiled in app.cc alone

  // Errors: what of the options cannot be done (an address in use).
  base::Status Start();
  // Ends what is under way, gives the lease up and stops the loop.
  void Stop();
  // 0 after Stop, 1 after the lease was lost.
  int exit_code() const { return exit_code_; }

 private:
  base::Status StartServing();
  base::Status StartWebhook();
  void StartFence();
  base::Status StartExtender();
  base::Status StartVolcano();
  void Advertise(const LeaderAddress::Of& of);
  base::Status ServeWebhook(std::shared_ptr<base::TlsSource> tls);
  void OnWebhookCertificate();
  base::Status StartElection();
  void Lead();
  bool MayWrite() const;
  bool MaySendEvents() const;
  std::vector<std::string> NotReady() const;
  void OnServer(const kclient::ServerFacts& facts);
  void OnLeaseTrouble(const std::string& error) const;
  void OnLeaseLost(const std::string& reason);
  void OnDrained();
  void ReleaseLease();
  void End();

  base::UvLoop& loop_;
  const Options options_;
  const std::string own_namespace_;    // of the Leases of nodes
  const std::string lease_namespace_;  // of the one of --leader-elect
  const std::string identity_;
  Metrics metrics_;
  kclient::CurlTransport transport_;
  kclient::CountedTransport counted_;
  kclient::Client client_;
  kclient::EventRecorder events_;
  kclient::ServerLook server_look_;
  std::unique_ptr<kclient::LeaderElector> elector_;  // null without --leader-elect
  std::unique_ptr<LeaderState> leader_;              // null while not leading
  std::unique_ptr<base::HttpServer> server_;
  std::unique_ptr<TlsKeeper> keeper_;           // null: the webhook's certificate is given, or none
  std::unique_ptr<DaemonPods> daemon_pods_;     // null: there is no fence
  std::unique_ptr<base::HttpServer> webhook_;   // null: none is served (yet)
  std::unique_ptr<base::HttpServer> extender_;  // null: none is served
  std::unique_ptr<base::HttpServer> volcano_;   // null: none is served
  std::vector<std::unique_ptr<LeaderAddress>> addresses_;  // of those who are told
  base::TimerPtr stop_timer_;                              // ends a stop that takes too long
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace vdcu::controller
