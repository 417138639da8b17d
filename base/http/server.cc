#include "base/http/server.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/http/connection.h"
#include "base/http/loop_share.h"
#include "base/listen_address.h"

namespace vdcu::base {

namespace {

constexpr unsigned kMostAccepts = 16;  // a turn
constexpr size_t kMostRequestBytes = size_t{16} << 10;
// A body that is not wanted is read to its end when it is no longer, so that the client, which may
// look for an answer only then, gets it.
constexpr uint64_t kMostDiscarded = uint64_t{1} << 20;
constexpr Duration kMostOfTurn{5};
constexpr Duration kRestWithoutDescriptors{100};
constexpr const char* kTlsVersions = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

LoopShare::Time Microseconds() {
  return std::chrono::duration_cast<LoopShare::Time>(
      std::chrono::steady_clock::now().time_since_epoch());
}

// A client without one, or with one that the server's CAs have not signed for clients, fails the
// handshake.
void AskForCertificate(gnutls_session_t session) {
  static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
  static gnutls_typed_vdata_st want{GNUTLS_DT_KEY_PURPOSE_OID,
                                    reinterpret_cast<unsigned char*>(purpose), 0};
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  gnutls_session_set_verify_cert2(session, &want, 1, 0);
}

}  // namespace

// libmicrohttpd without threads: its epoll descriptor is polled by the loop. The listening socket
// is ours: libmicrohttpd takes its own out of its epoll set at its bound, and puts it back only in
// a later MHD_run, which nothing might cause. So are the time-outs: those of libmicrohttpd begin
// anew with each byte.
class HttpServer::Daemon {
 public:
  Daemon(UvLoop& loop, std::vector<HttpRoute> routes, HttpOptions options, int socket)
      : clock_(loop.clock()),
        routes_(std::move(routes)),
        options_(std::move(options)),
        socket_(socket),
        bodies_{.most = options_.bodies} {}
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Status Start(UvLoop& loop);
  uint16_t port() const;

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* handle, const char* path,
                              const char* method, const char* version, const char* upload,
                              size_t* upload_size, void** request) noexcept;
  static void OnRequestEnd(void* self, MHD_Connection* handle, void** request,
                           MHD_RequestTerminationCode code) noexcept;
  static void OnConnection(void* self, MHD_Connection* handle, void** context,
                           MHD_ConnectionNotificationCode code) noexcept;
  Status StartMhd();
  void Add(MHD_Connection* handle, void** context);
  MHD_Result Begin(Connection& connection, const char* method, const char* path);
  MHD_Result Continue(Connection& connection);
  void Handle(Connection& connection);
  void Answer(Connection& connection, HttpAnswer answer);
  MHD_Result Send(Connection& connection, bool ends);
  void Resume(Connection& connection);
  void Shut(Connection& connection);
  void MakeRoom();
  void EndOverdue();
  bool IsOver() const { return handled_ && clock_.Now() - turn_began_ >= kMostOfTurn; }
  void Turn();
  bool Accept();
  void Rest(Duration time);
  void OnTimer();
  void AwaitNext();

  const Clock& clock_;
  const std::vector<HttpRoute> routes_;
  const HttpOptions options_;
  const int socket_;
  Exchange::Bodies bodies_;
  MHD_Daemon* daemon_ = nullptr;
  Connections connections_;
  size_t open_ = 0;                   // of them, without those that were shut
  std::unique_ptr<Poll> connecting_;  // of socket_
  std::unique_ptr<Poll> poll_;        // of libmicrohttpd's connections
  TimePoint turn_began_;
  bool handled_ = false;  // a request, in this turn
  bool resumed_ = false;  // a connection, since libmicrohttpd ran
  bool rests_ = false;    // neither is polled
  LoopShare share_;
  TimerPtr timer_;  // the end of the rest, then the next deadline
};

HttpServer::Daemon::~Daemon() {
  connecting_.reset();
  poll_.reset();
  for (Connection& connection : connections_) Shut(connection);
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  close(socket_);
}

Status HttpServer::Daemon::Start(UvLoop& loop) {
  RETURN_IF_ERROR(StartMhd());
  const int epoll = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  timer_ = loop.MakeTimer([this] { OnTimer(); });
  poll_ = loop.MakePoll(epoll, [this](int /*events*/) { Turn(); });
  connecting_ = loop.MakePoll(socket_, [this](int /*events*/) { Turn(); });
  poll_->Start(Poll::kReadable);
  connecting_->Start(Poll::kReadable);
  return Ok();
}

Status HttpServer::Daemon::StartMhd() {
  std::vector<MHD_OptionItem> options;
  const auto text = [&options](MHD_OPTION option, const char* value) {
    options.push_back({option, 0, const_cast<char*>(value)});
  };
  unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
  if (options_.tls) {
    const TlsPair& pair = *options_.tls->Current(clock_.Now());
    flags |= MHD_USE_TLS;
    text(MHD_OPTION_HTTPS_MEM_CERT, pair.certificate().c_str());
    text(MHD_OPTION_HTTPS_MEM_KEY, pair.key().c_str());
    text(MHD_OPTION_HTTPS_PRIORITIES, kTlsVersions);
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ =
      MHD_start_daemon(flags, 0, nullptr, nullptr, &Daemon::OnRequest, this,      //
                       MHD_OPTION_NOTIFY_COMPLETED, &Daemon::OnRequestEnd, this,  //
                       MHD_OPTION_NOTIFY_CONNECTION, &Daemon::OnConnection, this,
                       // Those that were shut down are still there until the next run.
                       MHD_OPTION_CONNECTION_LIMIT, options_.connections + kMostAccepts,
                       MHD_OPTION_PER_IP_CONNECTION_LIMIT, options_.connections_of_one_address,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMostRequestBytes, MHD_OPTION_ARRAY,
                       options.data(), MHD_OPTION_END);
  if (daemon_ != nullptr) return Ok();
  return Error{ErrorCode::kUnavailable, "libmicrohttpd did not start"};
}

uint16_t HttpServer::Daemon::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

void HttpServer::Daemon::OnConnection(void* self, MHD_Connection* handle, void** context,
                                      MHD_ConnectionNotificationCode code) noexcept {
  auto& daemon = *static_cast<Daemon*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) return daemon.Add(handle, context);
  const auto* gone = static_cast<Connection*>(*context);
  if (!gone->shut) --daemon.open_;
  daemon.connections_.remove_if([gone](const Connection& each) { return &each == gone; });
}

// libmicrohttpd has made the session, with the certificate of its start.
void HttpServer::Daemon::Add(MHD_Connection* handle, void** context) {
  const TimePoint now = clock_.Now();
  Connection connection{
      .handle = handle,
      .fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
      .deadline = now + options_.idle};
  if (options_.tls) {
    connection.tls = options_.tls->Current(now);
    void* session =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    gnutls_credentials_set(static_cast<gnutls_session_t>(session), GNUTLS_CRD_CERTIFICATE,
                           connection.tls->credentials());
    if (connection.tls->asks_clients()) AskForCertificate(static_cast<gnutls_session_t>(session));
  }
  connections_.push_back(std::move(connection));
  *context = &connections_.back();
  ++open_;
}

MHD_Result HttpServer::Daemon::OnRequest(void* self, MHD_Connection* handle, const char* path,
                                         const char* method, const char* /*version*/,
                                         const char* upload, size_t* upload_size,
                                         void** request) noexcept {
  auto& daemon = *static_cast<Daemon*>(self);
  Connection& connection = ConnectionOf(handle);
  if (connection.shut) return MHD_NO;
  if (*request == nullptr) {
    *request = &connection;
    return daemon.Begin(connection, method, path);
  }
  if (*upload_size == 0) return daemon.Continue(connection);
  connection.exchange->Take({upload, *upload_size});
  *upload_size = 0;
  return MHD_YES;
}

MHD_Result HttpServer::Daemon::Begin(Connection& connection, const char* method, const char* path) {
  const auto self = std::find_if(connections_.begin(), connections_.end(),
                                 [&](const Connection& each) { return &each == &connection; });
  connections_.splice(connections_.end(), connections_, self);
  const uint64_t length = ContentLength(connection.handle);
  connection.deadline = clock_.Now() + options_.step;
  connection.exchange = std::make_shared<Exchange>(
      routes_, HttpRequest{.method = method, .path = path, .body = ""}, length, bodies_);
  // libmicrohttpd reads no body after an answer to the headers, and closes.
  if (length > kMostDiscarded && connection.exchange->answer()) return Send(connection, true);
  return MHD_YES;
}

// The body is complete, or the answer is there that was waited for.
MHD_Result HttpServer::Daemon::Continue(Connection& connection) {
  Exchange& exchange = *connection.exchange;
  if (!exchange.answer() && !exchange.handled()) {
    if (IsOver()) {
      // libmicrohttpd asks again in its next run, and does not read before, as it does once a
      // connection was suspended: a client that will send no more would be taken for one that left.
      connection.deadline = TimePoint::max();
      return MHD_YES;
    }
    Handle(connection);
  }
  if (exchange.answer()) return Send(connection, false);
  connection.suspended = true;
  MHD_suspend_connection(connection.handle);
  return MHD_YES;
}

// An exchange goes before its connection.
void HttpServer::Daemon::Handle(Connection& connection) {
  handled_ = true;
  connection.deadline = clock_.Now() + options_.step;
  const auto exchange = connection.exchange;
  const std::weak_ptr<Exchange> weak = exchange;
  exchange->Handle(HttpResponder([this, weak, &connection](HttpAnswer answer) {
    if (const auto there = weak.lock()) Answer(connection, std::move(answer));
  }));
}

void HttpServer::Daemon::Answer(Connection& connection, HttpAnswer answer) {
  connection.exchange->Answer(std::move(answer));
  connection.deadline = clock_.Now() + options_.step;
  Resume(connection);
}

MHD_Result HttpServer::Daemon::Send(Connection& connection, bool ends) {
  HttpAnswer answer = connection.exchange->TakeAnswer();
  const auto status = static_cast<unsigned>(answer.status);
  MHD_Response* response = MakeResponse(std::move(answer));
  if (response == nullptr) return MHD_NO;
  if (ends) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  connection.deadline = clock_.Now() + options_.step;
  const MHD_Result queued = MHD_queue_response(connection.handle, status, response);
  MHD_destroy_response(response);
  return queued;
}

void HttpServer::Daemon::OnRequestEnd(void* self, MHD_Connection* handle, void** /*request*/,
                                      MHD_RequestTerminationCode /*code*/) noexcept {
  Connection& connection = ConnectionOf(handle);
  connection.exchange.reset();
  auto& daemon = *static_cast<Daemon*>(self);
  connection.deadline = daemon.clock_.Now() + daemon.options_.idle;
}

// libmicrohttpd asks again what to do, in its next run; its epoll descriptor does not tell that one
// is wanted.
void HttpServer::Daemon::Resume(Connection& connection) {
  if (!std::exchange(connection.suspended, false)) return;
  MHD_resume_connection(connection.handle);
  resumed_ = true;
  if (!rests_) timer_->Start(Duration(0));
}

// libmicrohttpd notices in its next run.
void HttpServer::Daemon::Shut(Connection& connection) {
  if (std::exchange(connection.shut, true)) return;
  --open_;
  // The kernel would keep what was sent and is not read for minutes.
  const linger none{.l_onoff = 1, .l_linger = 0};
  if (connection.exchange) setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  shutdown(connection.fd, SHUT_RDWR);
  Resume(connection);
}

void HttpServer::Daemon::MakeRoom() {
  if (open_ < options_.connections) return;
  const auto first = [this](bool idle) {
    return std::find_if(connections_.begin(), connections_.end(), [idle](const Connection& each) {
      return !each.shut && (!idle || each.exchange == nullptr);
    });
  };
  const auto waits = first(true);
  Shut(waits == connections_.end() ? *first(false) : *waits);
}

void HttpServer::Daemon::EndOverdue() {
  for (Connection& connection : connections_) {
    if (connection.shut || turn_began_ < connection.deadline) continue;
    if (connection.suspended) {
      Answer(connection, {.status = 503, .body = "no answer in time\n"});
    } else {
      Shut(connection);
    }
  }
}

void HttpServer::Daemon::Turn() {
  turn_began_ = clock_.Now();
  share_.Begin(Microseconds());
  const bool accepts = Accept();
  EndOverdue();
  resumed_ = handled_ = false;
  MHD_run(daemon_);
  const Duration rest = std::chrono::ceil<Duration>(share_.End(Microseconds()));
  if (!accepts) return Rest(kRestWithoutDescriptors);
  if (rest > Duration(0)) return Rest(rest);
  AwaitNext();
}

// Others have the loop.
void HttpServer::Daemon::Rest(Duration time) {
  poll_->Start(0);
  connecting_->Start(0);
  rests_ = true;
  timer_->Start(time);
}

void HttpServer::Daemon::OnTimer() {
  if (!std::exchange(rests_, false)) return Turn();
  poll_->Start(Poll::kReadable);
  connecting_->Start(Poll::kReadable);
  AwaitNext();
}

// The timer for what no descriptor tells.
void HttpServer::Daemon::AwaitNext() {
  MHD_UNSIGNED_LONG_LONG pending = 0;  // bytes that are not on a socket any more: at once
  if (resumed_ || MHD_get_timeout(daemon_, &pending) == MHD_YES) {
    return timer_->Start(Duration(0));
  }
  if (open_ == 0) return timer_->Stop();
  TimePoint next = TimePoint::max();
  for (const Connection& each : connections_) {
    if (!each.shut) next = std::min(next, each.deadline);
  }
  timer_->Start(std::max(next - clock_.Now(), Duration(0)));
}

// False: the process or the host has no descriptor left; who connects stays in the queue.
bool HttpServer::Daemon::Accept() {
  for (unsigned i = 0; i < kMostAccepts; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(socket_, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    }
    MakeRoom();
    // Closes it where there are too many of its address.
    MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&address), size);
  }
  return true;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(UvLoop& loop, std::string_view address,
                                                       std::vector<HttpRoute> routes,
                                                       HttpOptions options) {
  ASSIGN_OR_RETURN(const int socket, ListenOn(address));
  auto daemon = std::make_unique<Daemon>(loop, std::move(routes), std::move(options), socket);
  RETURN_IF_ERROR(daemon->Start(loop));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(daemon)));
}

HttpServer::HttpServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return daemon_->port(); }

}  // namespace vdcu::base
