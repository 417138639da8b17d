#include "kclient/curl_handles.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace vdcu::kclient {

namespace {

constexpr long kConnectMilliseconds = 5000;  // with the TLS handshake
constexpr size_t kMostIdle = 256;

HeaderList MakeList(const std::vector<std::string>& lines) {
  curl_slist* list = nullptr;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    CHECK(longer != nullptr, "curl_slist_append");
    list = longer;
  }
  return HeaderList(list, &curl_slist_free_all);
}

// The kernel ends a connection whose peer is gone without a word after 20 to 25 s; a peer that
// still acknowledges is the probe's to find.
int OnNewSocket(void* /*unused*/, curl_socket_t fd, curlsocktype /*purpose*/) noexcept {
  const int probes = 3;
  const unsigned int user_timeout = 20'000;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
  return CURL_SOCKOPT_OK;
}

// The bytes stay the config's.
void SetBlob(CURL* easy, CURLoption option, const std::string& bytes) {
  curl_blob blob{};
  blob.data = const_cast<char*>(bytes.data());
  blob.len = bytes.size();
  blob.flags = CURL_BLOB_NOCOPY;
  SetOption(easy, option, &blob);
}

// "https://HOST:PORT/PATH" -> the same with `name` as its host, and "NAME:PORT:HOST:PORT" for
// CURLOPT_CONNECT_TO: libcurl has no other way to verify another name than the one it connects to.
std::pair<std::string, std::string> UnderName(const std::string& server, const std::string& name) {
  const size_t host_begin = server.find("//") + 2;
  const size_t path_begin = std::min(server.find('/', host_begin), server.size());
  const std::string authority = server.substr(host_begin, path_begin - host_begin);
  size_t colon = authority.rfind(':');
  if (colon != std::string::npos && authority.find(']', colon) != std::string::npos) {
    colon = std::string::npos;  // within an IPv6 address
  }
  const std::string port = colon == std::string::npos ? "443" : authority.substr(colon + 1);
  const std::string host = authority.substr(0, colon);
  return {"https://" + name + ":" + port + server.substr(path_begin),
          name + ":" + port + ":" + host + ":" + port};
}

}  // namespace

CurlHandles::CurlHandles(std::string user_agent) : user_agent_(std::move(user_agent)) {}

CurlHandles::~CurlHandles() { CleanUp(); }

void CurlHandles::CleanUp() {
  for (CURL* easy : std::exchange(idle_, {})) curl_easy_cleanup(easy);
}

void CurlHandles::Use(std::shared_ptr<const Config> config) {
  CleanUp();
  headers_.clear();
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->base_url = config->server;
  if (!config->tls_server_name.empty()) {
    auto [url, connect_to] = UnderName(config->server, config->tls_server_name);
    endpoint->base_url = std::move(url);
    endpoint->connect_to = MakeList({connect_to});
  }
  endpoint->config = std::move(config);
  endpoint_ = std::move(endpoint);
}

CURL* CurlHandles::Take(const HttpRequest& request, const HeaderList& headers) {
  CURL* easy = nullptr;
  if (idle_.empty()) {
    easy = Make();
  } else {
    easy = idle_.back();
    idle_.pop_back();
  }
  SetOption(easy, CURLOPT_URL, (endpoint_->base_url + request.path).c_str());
  // First to GET, which also drops what the request before had for a body.
  SetOption(easy, CURLOPT_HTTPGET, 1L);
  if (request.method == "GET") {
    SetOption(easy, CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
  } else {
    SetOption(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    SetOption(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    SetOption(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  SetOption(easy, CURLOPT_HTTPHEADER, headers.get());
  return easy;
}

void CurlHandles::GiveBack(CURL* easy, const EndpointPtr& endpoint) {
  if (endpoint == endpoint_ && idle_.size() < kMostIdle) {
    idle_.push_back(easy);
  } else {
    curl_easy_cleanup(easy);
  }
}

HeaderList CurlHandles::Headers(const std::string& content_type) {
  const std::string& token = endpoint_->config->token;
  HeaderList& list = headers_[content_type];
  if (list == nullptr) {
    // "Expect:" takes away libcurl's own, which would cost long bodies a round trip.
    std::vector<std::string> lines{"Accept: application/json", "Expect:"};
    if (!token.empty()) lines.push_back("Authorization: Bearer " + token);
    const std::vector<std::string> who = HeadersOf(endpoint_->config->impersonate);
    lines.insert(lines.end(), who.begin(), who.end());
    if (!content_type.empty()) lines.push_back("Content-Type: " + content_type);
    list = MakeList(lines);
  }
  return list;
}

CURL* CurlHandles::Make() const {
  CURL* easy = curl_easy_init();
  CHECK(easy != nullptr, "curl_easy_init");
  SetTls(easy);
  SetProxy(easy);
  SetOption(easy, CURLOPT_NOSIGNAL, 1L);
  SetOption(easy, CURLOPT_PROTOCOLS_STR, "https");
  SetOption(easy, CURLOPT_PATH_AS_IS, 1L);
  SetOption(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  SetOption(easy, CURLOPT_PIPEWAIT, 1L);
  SetOption(easy, CURLOPT_USERAGENT, user_agent_.c_str());
  SetOption(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  SetOption(easy, CURLOPT_TCP_NODELAY, 1L);
  SetOption(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  SetOption(easy, CURLOPT_TCP_KEEPIDLE, 10L);
  SetOption(easy, CURLOPT_TCP_KEEPINTVL, 5L);
  SetOption(easy, CURLOPT_SOCKOPTFUNCTION, &OnNewSocket);
  SetOption(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
  if (endpoint_->connect_to) {
    SetOption(easy, CURLOPT_CONNECT_TO, endpoint_->connect_to.get());
  }
  return easy;
}

// The config says all; libcurl must not look into the environment.
void CurlHandles::SetProxy(CURL* easy) const {
  const Config& config = *endpoint_->config;
  SetOption(easy, CURLOPT_PROXY, config.proxy.c_str());
  SetOption(easy, CURLOPT_NOPROXY, "");
  if (!config.proxy.starts_with("https://")) return;
  // As Go does it: a proxy is verified as the server is.
  if (config.insecure_skip_tls_verify) {
    SetOption(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
    SetOption(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
  } else if (!config.ca_data.empty()) {
    SetBlob(easy, CURLOPT_PROXY_CAINFO_BLOB, config.ca_data);
    SetOption(easy, CURLOPT_PROXY_CAPATH, static_cast<const char*>(nullptr));
  }
}

void CurlHandles::SetTls(CURL* easy) const {
  const Config& config = *endpoint_->config;
  SetOption(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (config.insecure_skip_tls_verify) {
    SetOption(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    SetOption(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (!config.ca_data.empty()) {
    SetBlob(easy, CURLOPT_CAINFO_BLOB, config.ca_data);
    // The blob takes the place of the system's bundle, but not of its folder of certificates.
    SetOption(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!config.cert_data.empty()) {
    SetBlob(easy, CURLOPT_SSLCERT_BLOB, config.cert_data);
    SetBlob(easy, CURLOPT_SSLKEY_BLOB, config.key_data);
  }
}

}  // namespace vdcu::kclient
