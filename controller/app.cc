#include "controller/app.h"

#include <unistd.h>
#include <chrono>
#include <optional>

#include <utility>

#include "base/log.h"
#include "base/program/endpoints.h"
#include "base/program/program.h"
#include "base/random.h"
#include "controller/extender/routes.h"
#include "controller/gate/gate.h"
#include "controller/webhook/routes.h"
#include "crds/guarantees.h"
#include "crds/keys.h"

namespace vdcu::controller {

namespace {

// SIGTERM must end the process within 2 s; each step of a stop is given a part of it.
constexpr base::Duration kStopTimeout{1'800};
constexpr base::Duration kFlushTimeout{400};
constexpr size_t kEventsBelow = 4;  // writes in flight: so few that no burst is under way
// Above it events do not wait for the burst's end: none shall be dropped. Half of the recorder's.
constexpr size_t kManyEvents = 4096;

constexpr char kLeaseName[] = "vdcu-controller";
constexpr size_t kReviewBytes = size_t{32} << 20;  // of all that are being read
// Of calls: Volcano makes 16 at once, with all pods of a node.
constexpr size_t kCallBytes = size_t{64} << 20;
// An API server waits for a review so long at most.
constexpr base::Duration kReviewTimeout{30'000};
// A scheduler's call ends at the latest then: longer than Settings::commit_timeout.
constexpr base::Duration kBindTimeout{25'000};
// A scheduler (Go) lets go of a connection that it does not use after 90 s; if we did first, its
// next call might meet a closed one.
constexpr base::Duration kIdle{100'000};
// An API server that is started anew is away for less.
constexpr base::Duration kLeaseGrace{10'000};

// Of a checked address.
uint16_t PortOf(const std::string& listen) {
  return static_cast<uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
}

std::string MakeIdentity() {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  const auto random = static_cast<uint32_t>(base::SystemRandom()() * 4294967296.0);
  return std::string(host) + "_" + std::to_string(random);
}

// A scheduler has a connection for each call under way.
base::HttpOptions SchedulerHttp() {
  return {.connections = 512,
          .connections_of_one_address = 256,
          .bodies = kCallBytes,
          .idle = kIdle,
          .step = kBindTimeout};
}

}  // namespace

App::App(base::UvLoop& loop, Options options, const kclient::Config& config)
    : loop_(loop),
      options_(std::move(options)),
      own_namespace_(crds::LeaseNamespace(config.namespace_name)),
      lease_namespace_(options_.lease_namespace.empty() ? own_namespace_
                                                        : options_.lease_namespace),
      identity_(MakeIdentity()),
      transport_(loop, config, "vdcu-controller"),
      counted_(transport_, [this](std::string_view verb,
                                  int code) { metrics_.api().CountRequest(verb, code); }),
      client_(counted_),
      events_(loop, client_,
              {.reporting_controller = "vdcu.io/controller",
               .reporting_instance = identity_,
               .idle = [this] { return MaySendEvents(); }},
              base::SystemRandom()),
      server_look_(
          loop, client_, base::SystemRandom(),
          [this](const kclient::ServerFacts& facts) { OnServer(facts); }, crds::kFenceWebhook),
      stop_timer_(loop.MakeTimer([this] { End(); })) {}

App::~App() = default;

base::Status App::Start() {
  RETURN_IF_ERROR(StartServing());
  RETURN_IF_ERROR(StartWebhook());
  server_look_.Start();
  RETURN_IF_ERROR(StartExtender());
  RETURN_IF_ERROR(StartVolcano());
  if (options_.leader_elect) return StartElection();
  Lead();
  return base::Ok();
}

base::Status App::StartServing() {
  auto endpoints = base::MakeEndpoints(loop_.clock(), {.not_ready = [this] { return NotReady(); },
                                                       .metrics = metrics_.registry(),
                                                       .before_metrics =
                                                           [this] {
                                                             if (leader_) leader_->UpdateMetrics();
                                                           }});
  ASSIGN_OR_RETURN(server_, base::Serve(loop_, options_.common, std::move(endpoints)));
  return base::Ok();
}

// Each replica serves it, whoever leads.
base::Status App::StartWebhook() {
  const Options::Webhook& of = options_.webhook;
  if (of.listen.empty()) return base::Ok();
  if (of.fence) StartFence();
  if (!of.gate_advertise.empty()) {
    Advertise({.ns = own_namespace_,
               .service = kGateName,
               .port_name = "webhook",
               .address = of.gate_advertise,
               .port = PortOf(of.listen)});
  }
  if (!of.certificate.empty()) {
    ASSIGN_OR_RETURN(auto files,
                     base::ReloadedTls::Load({.certificate = of.certificate, .key = of.key}));
    return ServeWebhook(std::move(files));
  }
  const std::string domain = "." + own_namespace_ + ".svc";
  TlsSettings settings{.hosts = {of.host.empty() ? kWebhookName + domain : of.host}};
  if (!of.gate_advertise.empty()) settings.hosts.push_back(kGateName + domain);
  keeper_ = std::make_unique<TlsKeeper>(
      TlsKeeper::Parts{loop_, client_, events_, [this] { return leader_ && MayWrite(); },
                       [this] { OnWebhookCertificate(); }, metrics_},
      own_namespace_, std::move(settings), base::SystemRandom());
  keeper_->Start();
  return base::Ok();
}

void App::StartFence() {
  daemon_pods_ = std::make_unique<DaemonPods>(client_, loop_, own_namespace_,
                                              options_.webhook.node_account, base::SystemRandom());
  daemon_pods_->Start();
}

// Each replica serves it, and answers while it leads.
base::Status App::StartExtender() {
  const Options::Extender& of = options_.extender;
  if (of.listen.empty()) return base::Ok();
  base::HttpOptions http = SchedulerHttp();
  if (!of.certificate.empty()) {
    ASSIGN_OR_RETURN(
        http.tls, base::ReloadedTls::Load(
                      {.certificate = of.certificate, .key = of.key, .client_ca = of.client_ca}));
  }
  const bool may_bind = MayBind(of.listen, !of.client_ca.empty());
  auto routes =
      ExtenderRoutes([this] { return leader_ ? &leader_->extender() : nullptr; }, may_bind);
  ASSIGN_OR_RETURN(extender_,
                   base::HttpServer::Listen(loop_, of.listen, std::move(routes), std::move(http)));
  if (!of.advertise.empty()) {
    Advertise({.ns = own_namespace_,
               .service = kExtenderName,
               .port_name = "extender",
               .address = of.advertise,
               .port = extender_->port()});
  }
  base::Log(base::Level::kInfo, "the extender is served",
            {{"listen", of.listen}, {"binds", may_bind ? "yes" : "no"}});
  return base::Ok();
}

// On a port of its own: what kube-scheduler calls asks for certificates, which Volcano has not.
base::Status App::StartVolcano() {
  const Options::Extender& of = options_.extender;
  if (of.volcano.empty()) return base::Ok();
  auto routes = VolcanoRoutes([this] { return leader_ ? &leader_->extender() : nullptr; });
  ASSIGN_OR_RETURN(volcano_,
                   base::HttpServer::Listen(loop_, of.volcano, std::move(routes), SchedulerHttp()));
  if (!of.advertise.empty()) {
    Advertise({.ns = own_namespace_,
               .service = kVolcanoName,
               .port_name = "volcano",
               .address = of.advertise,
               .port = volcano_->port()});
  }
  base::Log(base::Level::kInfo, "Volcano's extender is served", {{"listen", of.volcano}});
  return base::Ok();
}

void App::Advertise(const LeaderAddress::Of& of) {
  addresses_.push_back(std::make_unique<LeaderAddress>(
      LeaderAddress::Parts{loop_, client_, events_, [this] { return leader_ && MayWrite(); }}, of,
      base::SystemRandom()));
}

void App::OnWebhookCertificate() {
  const base::Status served = ServeWebhook(keeper_->tls());
  if (served) return;
  base::Log(base::Level::kError, "the webhook cannot be served: ending",
            {{"error", served.error().message}});
  exit_code_ = base::kExitFailure;
  stopping_ = true;
  End();
}

base::Status App::ServeWebhook(std::shared_ptr<base::TlsSource> tls) {
  const Options::Webhook& of = options_.webhook;
  // All reviews come from a few API servers, each on a connection of its own while it waits.
  base::HttpOptions http{.tls = std::move(tls),
                         .connections = 512,
                         .connections_of_one_address = 256,
                         .bodies = kReviewBytes,
                         .step = kReviewTimeout};
  const PodRules rules{.scheduler_name = options_.scheduler_name,
                       .schedulers = of.schedulers,
                       .tolerated_taint = of.tolerated_taint,
                       .memory_unit = options_.memory_unit};
  auto routes = WebhookRoutes(rules, metrics_);
  if (daemon_pods_) {
    const std::string accounts = "system:serviceaccount:" + own_namespace_ + ":";
    routes.push_back(FenceRoute(
        {.controller = accounts + of.controller_account, .daemon = accounts + of.node_account},
        [this](const Requester& daemon) { return daemon_pods_->NodeOf(daemon); }, metrics_));
  }
  routes.push_back(GateRoute([this] { return leader_ ? &leader_->gate() : nullptr; }));
  ASSIGN_OR_RETURN(webhook_,
                   base::HttpServer::Listen(loop_, of.listen, std::move(routes), std::move(http)));
  base::Log(base::Level::kInfo, "the webhook is served", {{"listen", of.listen}});
  return base::Ok();
}

base::Status App::StartElection() {
  kclient::LeaderElectionConfig config;
  config.ns = lease_namespace_;
  config.name = kLeaseName;
  config.identity = identity_;
  ASSIGN_OR_RETURN(
      elector_,
      kclient::LeaderElector::Create(
          loop_, client_, std::move(config),
          {.on_started_leading = [this] { Lead(); },
           .on_stopped_leading = [this](const std::string& reason) { OnLeaseLost(reason); },
           .on_new_leader =
               [](const std::string& identity) {
                 base::Log(base::Level::kInfo, "leader", {{"identity", identity}});
               },
           .on_trouble = [this](const std::string& error) { OnLeaseTrouble(error); }},
          base::SystemRandom()));
  elector_->Start();
  return base::Ok();
}

void App::Lead() {
  if (stopping_) return;
  base::Log(base::Level::kInfo, "leading", {{"identity", identity_}});
  metrics_.SetLeading(true);
  reconcilers::Settings settings;
  settings.scheduler_name = options_.scheduler_name;
  settings.policy = options_.policy;
  settings.share = options_.share_cards;
  settings.memory_unit = options_.memory_unit;
  settings.hami = options_.hami;
  settings.preemption = options_.preemption;
  settings.node_taint = options_.node_taint;
  settings.lease_namespace = own_namespace_;
  settings.hold_timeout = options_.extender.hold_timeout;
  leader_ = std::make_unique<LeaderState>(
      loop_, client_, events_, metrics_, std::move(settings), [this] { return MayWrite(); },
      base::SystemRandom());
  leader_->OnStarted([this] {
    for (const auto& address : addresses_) address->Publish();
  });
  leader_->Start();
  if (keeper_) keeper_->Lead();
}

bool App::MayWrite() const {
  return !elector_ || elector_->MayWrite(loop_.clock().Now(), kclient::kWriteTimeout);
}

bool App::MaySendEvents() const {
  if (!leader_) return true;
  const bool burst = leader_->runner().in_flight() >= kEventsBelow;
  return MayWrite() && (!burst || events_.pending() > kManyEvents);
}

// A standby is ready: it would lead if the leader went.
std::vector<std::string> App::NotReady() const {
  if (stopping_) return {"stopping"};
  std::vector<std::string> reasons = transport_.NotReady();
  if (const auto trouble = elector_ ? elector_->trouble() : std::nullopt) {
    const base::Duration length = loop_.clock().Now() - trouble->since;
    if (length >= kLeaseGrace) {
      reasons.push_back("the Lease " + lease_namespace_ + "/" + kLeaseName + " cannot be had for " +
                        std::to_string(length / std::chrono::seconds(1)) + " s: " + trouble->error);
    }
  }
  if (keeper_) {
    if (std::string why = keeper_->NotReady(); !why.empty()) reasons.push_back(std::move(why));
  }
  if (daemon_pods_) {
    if (std::string why = daemon_pods_->NotReady(); !why.empty()) reasons.push_back(std::move(why));
  }
  if (!leader_) return reasons;
  const std::vector<std::string> watches = leader_->NotReady();
  reasons.insert(reasons.end(), watches.begin(), watches.end());
  return reasons;
}

void App::OnServer(const kclient::ServerFacts& facts) {
  const base::Status judged =
      crds::JudgeServer(facts, [this](std::string_view guarantee, bool missing) {
        metrics_.api().SetMissing(guarantee, missing);
      });
  if (judged) return;
  exit_code_ = base::CannotStart(judged.error());
  stopping_ = true;
  End();
}

void App::OnLeaseTrouble(const std::string& error) const {
  const std::string lease = lease_namespace_ + "/" + kLeaseName;
  if (error.empty()) {
    return base::Log(base::Level::kInfo, "the Lease can be had again", {{"lease", lease}});
  }
  base::Log(base::Level::kWarning, "the Lease cannot be had, trying again",
            {{"lease", lease}, {"error", error}});
}

// Another may lead by now: nothing more may be written, and a restart is the way back.
void App::OnLeaseLost(const std::string& reason) {
  base::Log(base::Level::kError, "lease lost: ending", {{"reason", reason}});
  exit_code_ = base::kExitFailure;
  stopping_ = true;
  End();
}

void App::Stop() {
  if (std::exchange(stopping_, true)) return;
  base::Log(base::Level::kInfo, "stopping");
  stop_timer_->Start(kStopTimeout);
  if (leader_) {
    leader_->runner().Drain([this] { OnDrained(); });
  } else {
    ReleaseLease();
  }
}

// May run inside a callback of the runner: go on in a later turn.
void App::OnDrained() {
  loop_.Post([this] { events_.Flush(kFlushTimeout, [this] { ReleaseLease(); }); });
}

void App::ReleaseLease() {
  if (!elector_) return End();
  elector_->Release([this](const base::Status& status) {
    if (!status) {
      base::Log(base::Level::kWarning, "the lease was not released",
                {{"error", status.error().message}});
    }
    End();
  });
}

void App::End() { loop_.Stop(); }

}  // namespace vdcu::controller
