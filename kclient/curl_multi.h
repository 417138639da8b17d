// CurlMulti: libcurl's multi handle (its connections, and the transfers on them) run by the loop.
//
// Promise: on_turn runs after libcurl has worked, never inside a function of libcurl, so it may add
// and remove handles. Ownership: handles must be removed before it is destroyed; it may not be
// destroyed within on_turn.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/uv_loop.h"

namespace vdcu::kclient {

class CurlMulti {
 public:
  using Finished = std::vector<std::pair<CURL*, CURLcode>>;

  // `on_turn` gets the handles whose transfers have ended; they are still to be removed.
  CurlMulti(base::UvLoop& loop, std::function<void(const Finished&)> on_turn);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  void Add(CURL* easy);
  void Remove(CURL* easy);

 private:
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket) noexcept;
  static int OnTimeout(CURLM* multi, long milliseconds, void* self) noexcept;
  void Watch(curl_socket_t fd, int what);
  void Act(curl_socket_t fd, int events);

  base::UvLoop& loop_;
  const std::function<void(const Finished&)> on_turn_;
  CURLM* const multi_;
  const base::TimerPtr timer_;
  std::map<curl_socket_t, std::unique_ptr<base::Poll>> polls_;
};

}  // namespace vdcu::kclient
