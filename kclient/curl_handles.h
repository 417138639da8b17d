// CurlHandles: libcurl's easy handles for one server, with what is the same for all its requests
// (TLS, limits, time-outs) set once; used handles are kept for the next request.
//
// Promise: handles that were taken before a Use keep their config, and libcurl gives requests with
// another CA or client certificate another connection.
#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "kclient/config.h"
#include "kclient/transport.h"

namespace vdcu::kclient {

template <class Value>
void SetOption(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  CHECK(code == CURLE_OK, curl_easy_strerror(code));
}

using HeaderList = std::shared_ptr<curl_slist>;

// A config as libcurl needs it. Handles point into it.
struct Endpoint {
  std::shared_ptr<const Config> config;
  std::string base_url;  // the config's server, with tls_server_name as its host where there is one
  HeaderList connect_to;  // leads that name to the host; null: none
};
using EndpointPtr = std::shared_ptr<const Endpoint>;

class CurlHandles {
 public:
  // Use comes before all else.
  explicit CurlHandles(std::string user_agent);
  ~CurlHandles();
  CurlHandles(const CurlHandles&) = delete;
  CurlHandles& operator=(const CurlHandles&) = delete;

  // From now on.
  void Use(std::shared_ptr<const Config> config);
  // In use; must outlive the handles that are taken meanwhile.
  const EndpointPtr& endpoint() const { return endpoint_; }

  // A handle made ready for `request`, which must outlive the transfer, as must `headers`.
  CURL* Take(const HttpRequest& request, const HeaderList& headers);
  // `endpoint`: that it was taken for.
  void GiveBack(CURL* easy, const EndpointPtr& endpoint);

  // Of a request with this Content-Type (empty: none); made once for each config.
  HeaderList Headers(const std::string& content_type);
  // "https://host:port" and path, if any; for messages.
  const std::string& server() const { return endpoint_->config->server; }

 private:
  CURL* Make() const;
  void SetTls(CURL* easy) const;
  void SetProxy(CURL* easy) const;
  void CleanUp();

  const std::string user_agent_;
  EndpointPtr endpoint_;
  std::map<std::string, HeaderList> headers_;  // by Content-Type, with endpoint_'s token
  std::vector<CURL*> idle_;                    // for endpoint_
};

}  // namespace vdcu::kclient
