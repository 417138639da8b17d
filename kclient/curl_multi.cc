#include "kclient/curl_multi.h"

#include <chrono>
#include <csignal>
#include <cstdlib>

#include "base/check.h"

namespace vdcu::kclient {

namespace {

// More streams than the server allows wait within libcurl for one to end.
constexpr long kMostStreams = 1000;

// Writes to a closed connection raise SIGPIPE. With CURLOPT_NOSIGNAL that is ours to ignore, once;
// without, libcurl sets and restores the handler around each of its calls.
// libcurl writes the keys of all connections into the file that SSLKEYLOGFILE names.
CURLcode InitOnce() {
  unsetenv("SSLKEYLOGFILE");
  std::signal(SIGPIPE, SIG_IGN);
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURLM* MakeMulti() {
  static const CURLcode global = InitOnce();
  CHECK(global == CURLE_OK, "curl_global_init");
  CURLM* multi = curl_multi_init();
  CHECK(multi != nullptr, "curl_multi_init");
  return multi;
}

template <class Value>
void Set(CURLM* multi, CURLMoption option, Value value) {
  const CURLMcode code = curl_multi_setopt(multi, option, value);
  CHECK(code == CURLM_OK, curl_multi_strerror(code));
}

int ToCurl(int events) {
  if (events < 0) return CURL_CSELECT_ERR;
  return ((events & base::Poll::kReadable) != 0 ? CURL_CSELECT_IN : 0) |
         ((events & base::Poll::kWritable) != 0 ? CURL_CSELECT_OUT : 0);
}

}  // namespace

CurlMulti::CurlMulti(base::UvLoop& loop, std::function<void(const Finished&)> on_turn)
    : loop_(loop),
      on_turn_(std::move(on_turn)),
      multi_(MakeMulti()),
      timer_(loop.MakeTimer([this] { Act(CURL_SOCKET_TIMEOUT, 0); })) {
  Set(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  Set(multi_, CURLMOPT_SOCKETDATA, this);
  Set(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimeout);
  Set(multi_, CURLMOPT_TIMERDATA, this);
  Set(multi_, CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
  Set(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, kMostStreams);
}

CurlMulti::~CurlMulti() { curl_multi_cleanup(multi_); }

void CurlMulti::Add(CURL* easy) {
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  CHECK(code == CURLM_OK, curl_multi_strerror(code));
}

void CurlMulti::Remove(CURL* easy) {
  const CURLMcode code = curl_multi_remove_handle(multi_, easy);
  CHECK(code == CURLM_OK, curl_multi_strerror(code));
}

int CurlMulti::OnSocket(CURL* /*easy*/, curl_socket_t fd, int what, void* self,
                        void* /*socket*/) noexcept {
  static_cast<CurlMulti*>(self)->Watch(fd, what);
  return 0;
}

int CurlMulti::OnTimeout(CURLM* /*multi*/, long milliseconds, void* self) noexcept {
  const auto& timer = static_cast<CurlMulti*>(self)->timer_;
  if (milliseconds < 0) {
    timer->Stop();
  } else {
    timer->Start(std::chrono::milliseconds(milliseconds));
  }
  return 0;
}

void CurlMulti::Watch(curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    polls_.erase(fd);
    return;
  }
  auto& poll = polls_[fd];
  if (!poll) poll = loop_.MakePoll(fd, [this, fd](int events) { Act(fd, ToCurl(events)); });
  poll->Start(((what & CURL_POLL_IN) != 0 ? base::Poll::kReadable : 0) |
              ((what & CURL_POLL_OUT) != 0 ? base::Poll::kWritable : 0));
}

void CurlMulti::Act(curl_socket_t fd, int events) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_, fd, events, &running);
  CHECK(code == CURLM_OK, curl_multi_strerror(code));
  Finished finished;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) {
      finished.emplace_back(message->easy_handle, message->data.result);
    }
  }
  on_turn_(finished);
}

}  // namespace vdcu::kclient
