#include "tests/world/http.h"

#include <curl/curl.h>

#include <memory>

#include "base/check.h"

namespace vdcu::world {

namespace {

size_t Append(char* bytes, size_t one, size_t count, void* text) noexcept {
  static_cast<std::string*>(text)->append(bytes, one * count);
  return one * count;
}

using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

Headers MakeHeaders(const std::vector<std::string>& lines) {
  Headers headers(nullptr, &curl_slist_free_all);
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    CHECK(longer != nullptr, "curl_slist_append");
    headers.release();
    headers.reset(longer);
  }
  return headers;
}

}  // namespace

HttpAnswer Fetch(const HttpCall& call) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(global == CURLE_OK, "curl_global_init");
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), &curl_easy_cleanup);
  CHECK(easy != nullptr, "curl_easy_init");
  const Headers headers = MakeHeaders(call.headers);
  HttpAnswer answer;
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_URL, call.url.c_str());
  if (!call.unix_socket.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH, call.unix_socket.c_str());
  }
  if (call.method != "GET") {
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body.size()));
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, call.body.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, call.method.c_str());
  }
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(call.most.count()));
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.text);
  const CURLcode done = curl_easy_perform(easy.get());
  if (done != CURLE_OK) return {.text = curl_easy_strerror(done)};
  long code = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &code);
  answer.code = static_cast<int>(code);
  return answer;
}

}  // namespace vdcu::world
