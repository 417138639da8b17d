#include "base/http/server.h"

#include <microhttpd.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <utility>

#include "base/listen_address.h"

namespace vdcu::base {

namespace {

constexpr unsigned kMostConnections = 64;
// One misbehaving client leaves room for the kubelet's probes.
constexpr unsigned kMostConnectionsOfOneAddress = 16;
constexpr unsigned kIdleSeconds = 10;
constexpr size_t kMostRequestBytes = size_t{16} << 10;

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

Reply Metrics(const prometheus::Registry& registry) {
  return {.body = prometheus::TextSerializer().Serialize(registry.Collect()),
          .content_type = kPrometheusText};
}

Reply Answer(const HttpServer::Sources& sources, std::string_view method, std::string_view path) {
  if (path != "/healthz" && path != "/readyz" && path != "/metrics") {
    return {.status = MHD_HTTP_NOT_FOUND, .body = "not found\n"};
  }
  if (method != MHD_HTTP_METHOD_GET) {
    return {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "only GET\n"};
  }
  if (path == "/readyz") return Readiness(sources.not_ready());
  if (path == "/metrics") return Metrics(*sources.metrics);
  return {.body = "ok\n"};
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
// loop's timer.
class HttpServer::Daemon {
 public:
  explicit Daemon(Sources sources) : sources_(std::move(sources)) {}
  ~Daemon() {
    poll_.reset();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Takes the socket, also where it fails.
  Status Start(UvLoop& loop, int socket);
  uint16_t port() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path,
                              const char* method, const char* version, const char* upload,
                              size_t* upload_size, void** request) noexcept;
  void Turn();

  const Sources sources_;
  MHD_Daemon* daemon_ = nullptr;
  std::unique_ptr<Poll> poll_;
  TimerPtr timer_;
};

Status HttpServer::Daemon::Start(UvLoop& loop, int socket) {
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, &Daemon::OnRequest, this,      //
                             MHD_OPTION_LISTEN_SOCKET, socket,                                  //
                             MHD_OPTION_CONNECTION_LIMIT, kMostConnections,                     //
                             MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMostConnectionsOfOneAddress,  //
                             MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,                       //
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMostRequestBytes, MHD_OPTION_END);
  if (daemon_ == nullptr) {
    close(socket);
    return Error{ErrorCode::kUnavailable, "libmicrohttpd did not start"};
  }
  const int epoll = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  timer_ = loop.MakeTimer([this] { Turn(); });
  poll_ = loop.MakePoll(epoll, [this](int /*events*/) { Turn(); });
  poll_->Start(Poll::kReadable);
  return Ok();
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
  return Queue(connection, Answer(static_cast<Daemon*>(self)->sources_, method, path));
}

void HttpServer::Daemon::Turn() {
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
    timer_->Start(Duration(static_cast<Duration::rep>(milliseconds)));
  } else {
    timer_->Stop();
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(UvLoop& loop, std::string_view address,
                                                       Sources sources) {
  ASSIGN_OR_RETURN(const int socket, ListenOn(address));
  auto daemon = std::make_unique<Daemon>(std::move(sources));
  RETURN_IF_ERROR(daemon->Start(loop, socket));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(daemon)));
}

HttpServer::HttpServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return daemon_->port(); }

}  // namespace vdcu::base
