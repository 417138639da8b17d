// CurlHandles: libcurl's easy handles for one server, with what is the same for all its requests
// (TLS, limits, time-outs) set once; used handles are kept for the next request.
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

class CurlHandles {
 public:
  CurlHandles(const Config& config, std::string user_agent);
  ~CurlHandles();
  CurlHandles(const CurlHandles&) = delete;
  CurlHandles& operator=(const CurlHandles&) = delete;

  // A handle made ready for `request`, which must outlive the transfer, as must `headers`.
  CURL* Take(const HttpRequest& request, const HeaderList& headers);
  void GiveBack(CURL* easy);

  // Of a request with this Content-Type (empty: none); made once for each token.
  HeaderList Headers(const std::string& content_type, const std::string& token);
  // "https://host:port" and path, if any; for messages.
  const std::string& server() const { return server_; }

 private:
  CURL* Make() const;
  void SetTls(CURL* easy) const;

  const Config config_;
  const std::string user_agent_;
  const std::string server_;
  std::string base_url_;   // server_, with tls_server_name as its host where there is one
  HeaderList connect_to_;  // leads that name to the host; null: none
  std::string headers_token_;
  std::map<std::string, HeaderList> headers_;  // by Content-Type, for headers_token_
  std::vector<CURL*> idle_;
};

}  // namespace vdcu::kclient
