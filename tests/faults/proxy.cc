#include "tests/faults/proxy.h"

#include <fstream>
#include <sstream>

#include "base/check.h"
#include "tests/world/api.h"
#include "tests/world/http.h"

namespace vdcu::faults {

using nlohmann::json;
using world::Cluster;

namespace {

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> Command(const Cluster& cluster, const std::string& clients) {
  std::string url = ReadFile(cluster.folder() + "/c/apiserver.url");
  url.erase(url.find_last_not_of('\n') + 1);
  return {VDCU_FAULT_PROXY_BINARY,     "-server",  url,    "-pki",
          cluster.folder() + "/c/pki", "-clients", clients};
}

}  // namespace

Proxy::Proxy(const Cluster& cluster, const std::string& clients)
    : process_(Command(cluster, clients), cluster.folder() + "/fault-proxy.log") {
  const std::string log = cluster.folder() + "/fault-proxy.log";
  CHECK(world::Until([&] { return ReadFile(log).ends_with("\n"); }), "the fault proxy");
  urls_ = json::parse(ReadFile(log));
}

void Proxy::Redirect(const std::string& kubeconfig, const std::string& client) const {
  std::istringstream lines(ReadFile(kubeconfig));
  std::string text;
  for (std::string line; std::getline(lines, line); text += line + "\n") {
    if (const size_t at = line.find("server: "); at != std::string::npos) {
      line.replace(at, std::string::npos, "server: " + urls_["clients"][client].get<std::string>());
    }
  }
  std::ofstream(kubeconfig) << text;
}

std::string Proxy::Control(const std::string& method, const std::string& path,
                           const std::string& body) const {
  const world::HttpAnswer answer = world::Fetch(
      {.method = method, .url = urls_["control"].get<std::string>() + path, .body = body});
  CHECK(answer.code / 100 == 2, "fault proxy: " + method + " " + path + ": " + answer.text);
  return answer.text;
}

void Proxy::Plan(const std::vector<json>& rules, const json& watches) const {
  Control("PUT", "/plan", json{{"rules", rules}, {"watches", watches}}.dump());
}

Proxy::Seen Proxy::Record() const {
  const json seen = json::parse(Control("GET", "/record"));
  return {seen["writes"].get<std::vector<json>>(), seen["fired"].get<std::vector<int>>()};
}

void Proxy::CutWatches(bool in_the_middle) const {
  Control("POST", in_the_middle ? "/cut?middle=true" : "/cut");
}

}  // namespace vdcu::faults
