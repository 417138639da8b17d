#include "tests/integration/api.h"

#include <cstdlib>
#include <thread>

#include "base/check.h"
#include "tests/integration/process.h"

namespace vdcu::integration {

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

int Api::Request(const std::string& method, const std::string& path, const std::string& body,
                 const std::string& user, std::string& text) const {
  const std::string type = method == "PATCH" ? "application/merge-patch+json" : "application/json";
  std::vector<std::string> arguments{"curl",
                                     "-sg",
                                     "--max-time",
                                     "20",
                                     "-X",
                                     method,
                                     "--unix-socket",
                                     socket_,
                                     "-w",
                                     "\n%{http_code}",
                                     "--data-binary",
                                     "@-",
                                     "-H",
                                     "Content-Type: " + type};
  if (!user.empty()) arguments.insert(arguments.end(), {"-H", "Impersonate-User: " + user});
  arguments.push_back("http://localhost" + path);
  const Output output = RunProgram(arguments, body);
  const size_t code = output.text.rfind('\n');
  if (output.exit_code != 0 || code == std::string::npos) return 0;
  text = output.text.substr(0, code);
  return std::atoi(output.text.c_str() + code + 1);
}

Api::Answer Api::Call(const std::string& method, const std::string& path, const json& body,
                      const std::string& user) const {
  Answer answer;
  std::string text;
  const bool answered = Until([&] {
    answer.code = Request(method, path, body.is_null() ? "" : body.dump(), user, text);
    return answer.code != 0 && answer.code != 429 && answer.code < 500;
  });
  CHECK(answered, method + " " + path + ": no answer: " + text);
  answer.body = json::parse(text, nullptr, false);
  return answer;
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

std::string Api::Text(const std::string& path) const {
  std::string text;
  CHECK(Until([&] { return Request("GET", path, "", "", text) == 200; }), path + ": " + text);
  return text;
}

}  // namespace vdcu::integration
