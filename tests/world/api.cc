#include "tests/world/api.h"

#include <thread>

#include "base/check.h"

namespace vdcu::world {

using nlohmann::json;
using std::chrono::seconds;

bool Until(const std::function<bool()>& done, base::Duration most) {
  const base::SystemClock clock;
  const base::TimePoint deadline = clock.Now() + most;
  while (!done()) {
    if (clock.Now() > deadline) return false;
    std::this_thread::sleep_for(base::Duration(20));
  }
  return true;
}

Api::Api(const Cluster& cluster)
    : socket_(cluster.folder() + "/proxy"),
      proxy_({cluster.folder() + "/c/kubectl", "proxy", "--unix-socket", socket_},
             cluster.folder() + "/proxy.log") {}

HttpAnswer Api::Request(const std::string& method, const std::string& path, const std::string& body,
                        const std::string& user) const {
  const std::string type = method == "PATCH" ? "application/merge-patch+json" : "application/json";
  HttpCall call{.method = method,
                .url = "http://localhost" + path,
                .unix_socket = socket_,
                .body = body,
                .headers = {"Content-Type: " + type}};
  if (!user.empty()) call.headers.push_back("Impersonate-User: " + user);
  return Fetch(call);
}

Api::Answer Api::Call(const std::string& method, const std::string& path, const json& body,
                      const std::string& user) const {
  HttpAnswer answer;
  const bool answered = Until([&] {
    answer = Request(method, path, body.is_null() ? "" : body.dump(), user);
    return answer.code != 0 && answer.code != 429 && answer.code < 500;
  });
  CHECK(answered, method + " " + path + ": no answer: " + answer.text);
  return {.code = answer.code, .body = json::parse(answer.text, nullptr, false)};
}

Api::Answer Api::CallOnce(const std::string& method, const std::string& path,
                          const json& body) const {
  const HttpAnswer answer = Request(method, path, body.is_null() ? "" : body.dump(), "");
  return {.code = answer.code, .body = json::parse(answer.text, nullptr, false)};
}

std::vector<json> Api::List(const std::string& path) const {
  const Answer answer = Call("GET", path);
  CHECK(answer.code == 200, path + ": " + answer.body.dump());
  return answer.body["items"].get<std::vector<json>>();
}

json Api::Find(const std::string& path, const std::string& name) const {
  const std::vector<json> found = List(path + "?fieldSelector=metadata.name%3D" + name);
  return found.empty() ? json() : found.front();
}

std::vector<std::string> Api::WatchCommand(const std::string& path) const {
  return {"curl",
          "--silent",
          "--show-error",
          "--no-buffer",
          "--unix-socket",
          socket_,
          "http://localhost" + path + "?watch=1&timeoutSeconds=86400"};
}

std::string Api::Text(const std::string& path) const {
  HttpAnswer answer;
  const bool answered = Until([&] {
    answer = Request("GET", path, "", "");
    return answer.code == 200;
  });
  CHECK(answered, path + ": " + answer.text);
  return answer.text;
}

}  // namespace vdcu::world
