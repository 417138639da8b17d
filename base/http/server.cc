#include "base/http/server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <iterator>
#include <list>
#include <utility>

#include "base/http/process_metrics.h"
#include "base/listen_address.h"

namespace vdcu::base {

namespace {

constexpr unsigned kMostConnections = 64;
// One misbehaving client leaves room for the kubelet's probes.
constexpr unsigned kMostConnectionsOfOneAddress = 16;
constexpr unsigned kMostAccepts = 16;  // a turn
constexpr unsigned kIdleSeconds = 10;
constexpr size_t kMostRequestBytes = size_t{16} << 10;
// After each turn HTTP leaves the loop to others, for this and four times what the turn took.
constexpr Duration kRest{4};
constexpr Duration kRestWithoutDescriptors{100};
constexpr Duration kMetricsAge{1'000};

constexpr const char* kPlainText = "text/plain; charset=utf-8";
constexpr const char* kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

struct Reply {
  unsigned status = MHD_HTTP_OK;
  std::string body;
  const char* content_type = kPlainText;
};

Reply Readiness(const std::vector<std::string>& reasons) {
  if (reasons.empty()) return {.body = "ok\n"};
  Reply reply{.status = MHD_HTTP_SERVICE_UNAVAILABLE, .body = ""};
  for (const std::string& reason : reasons) (reply.body += reason) += '\n';
  return reply;
}

std::string RenderMetrics(const HttpServer::Sources& sources) {
  if (sources.before_metrics) sources.before_metrics();
  std::vector<prometheus::MetricFamily> families = sources.metrics->Collect();
  std::vector<prometheus::MetricFamily> process = CollectProcessMetrics();
  families.insert(families.end(), std::make_move_iterator(process.begin()),
                  std::make_move_iterator(process.end()));
  return prometheus::TextSerializer().Serialize(families);
}

bool HasBody(MHD_Connection* connection) {
  const auto has = [connection](const char* header) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, header) != nullptr;
  };
  return has(MHD_HTTP_HEADER_CONTENT_LENGTH) || has(MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

MHD_Result Queue(MHD_Connection* connection, Reply reply) {
  MHD_Response* response =
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type);
  if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
  }
  // A body is not read, so what follows it cannot be either.
  if (HasBody(connection)) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  }
  const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

// libmicrohttpd without threads: its epoll descriptor is polled by the loop, its time-outs are the
// loop's timer. The listening socket is ours: libmicrohttpd takes its own out of its epoll set at
// its bound, and puts it back only in a later MHD_run, which nothing might cause.
class HttpServer::Daemon {
 public:
  Daemon(UvLoop& loop, Sources sources, int socket)
      : clock_(loop.clock()), sources_(std::move(sources)), socket_(socket) {}
  ~Daemon() {
    connecting_.reset();
    poll_.reset();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
    close(socket_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Status Start(UvLoop& loop);
  uint16_t port() const;

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path,
                              const char* method, const char* version, const char* upload,
                              size_t* upload_size, void** request) noexcept;
  static void OnConnection(void* self, MHD_Connection* connection, void** context,
                           MHD_ConnectionNotificationCode code) noexcept;
  void Turn();
  bool Accept();
  void OnTimer();
  Reply Answer(std::string_view method, std::string_view path);
  const std::string& Metrics();

  const Clock& clock_;
  const Sources sources_;
  const int socket_;
  MHD_Daemon* daemon_ = nullptr;
  std::list<MHD_socket> connections_;  // oldest first, without those that were shut down
  std::unique_ptr<Poll> connecting_;   // of socket_
  std::unique_ptr<Poll> poll_;         // of libmicrohttpd's connections
  bool rests_ = false;                 // neither is polled
  TimerPtr timer_;                     // the end of the rest, then libmicrohttpd's next time-out
  std::string metrics_;                // as rendered at metrics_at_; empty: never
  TimePoint metrics_at_;
};

Status HttpServer::Daemon::Start(UvLoop& loop) {
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr,  //
                             &Daemon::OnRequest, this,                                       //
                             MHD_OPTION_NOTIFY_CONNECTION, &Daemon::OnConnection, this,      //
                             // Those that were shut down are still there until the next run.
                             MHD_OPTION_CONNECTION_LIMIT, kMostConnections + kMostAccepts,      //
                             MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMostConnectionsOfOneAddress,  //
                             MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,                       //
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMostRequestBytes, MHD_OPTION_END);
  if (daemon_ == nullptr) return Error{ErrorCode::kUnavailable, "libmicrohttpd did not start"};
  const int epoll = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  timer_ = loop.MakeTimer([this] { OnTimer(); });
  poll_ = loop.MakePoll(epoll, [this](int /*events*/) { Turn(); });
  connecting_ = loop.MakePoll(socket_, [this](int /*events*/) { Turn(); });
  poll_->Start(Poll::kReadable);
  connecting_->Start(Poll::kReadable);
  return Ok();
}

uint16_t HttpServer::Daemon::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

MHD_Result HttpServer::Daemon::OnRequest(void* self, MHD_Connection* connection, const char* path,
                                         const char* method, const char* /*version*/,
                                         const char* /*upload*/, size_t* /*upload_size*/,
                                         void** request) noexcept {
  // An answer in the first call for a request closes the connection, so that a body is not read.
  if (*request == nullptr && !HasBody(connection)) {
    *request = self;
    return MHD_YES;
  }
  return Queue(connection, static_cast<Daemon*>(self)->Answer(method, path));
}

void HttpServer::Daemon::OnConnection(void* self, MHD_Connection* connection, void** /*context*/,
                                      MHD_ConnectionNotificationCode code) noexcept {
  const MHD_socket fd =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  auto& connections = static_cast<Daemon*>(self)->connections_;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    connections.push_back(fd);
  } else {
    connections.remove(fd);
  }
}

Reply HttpServer::Daemon::Answer(std::string_view method, std::string_view path) {
  const bool lives = path == "/livez" || path == "/healthz";
  if (!lives && path != "/readyz" && path != "/metrics") {
    return {.status = MHD_HTTP_NOT_FOUND, .body = "not found\n"};
  }
  if (method != MHD_HTTP_METHOD_GET) {
    return {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "only GET\n"};
  }
  if (path == "/readyz") return Readiness(sources_.not_ready());
  if (path == "/metrics") return {.body = Metrics(), .content_type = kPrometheusText};
  return {.body = "ok\n"};
}

const std::string& HttpServer::Daemon::Metrics() {
  const TimePoint now = clock_.Now();
  if (metrics_.empty() || now - metrics_at_ >= kMetricsAge) {
    metrics_ = RenderMetrics(sources_);
    metrics_at_ = now;
  }
  return metrics_;
}

void HttpServer::Daemon::Turn() {
  const TimePoint began = clock_.Now();
  const bool accepts = Accept();
  MHD_run(daemon_);
  poll_->Start(0);
  connecting_->Start(0);
  rests_ = true;
  timer_->Start(accepts ? kRest + 4 * (clock_.Now() - began) : kRestWithoutDescriptors);
}

void HttpServer::Daemon::OnTimer() {
  if (!std::exchange(rests_, false)) return Turn();
  poll_->Start(Poll::kReadable);
  connecting_->Start(Poll::kReadable);
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
    timer_->Start(Duration(static_cast<Duration::rep>(milliseconds)));
  }
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
    if (connections_.size() >= kMostConnections) {
      shutdown(connections_.front(), SHUT_RDWR);
      connections_.pop_front();
    }
    // Closes it where there are too many of its address.
    MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&address), size);
  }
  return true;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(UvLoop& loop, std::string_view address,
                                                       Sources sources) {
  ASSIGN_OR_RETURN(const int socket, ListenOn(address));
  auto daemon = std::make_unique<Daemon>(loop, std::move(sources), socket);
  RETURN_IF_ERROR(daemon->Start(loop));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(daemon)));
}

HttpServer::HttpServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return daemon_->port(); }

}  // namespace vdcu::base
