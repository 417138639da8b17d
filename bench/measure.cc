#include "bench/measure.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace vdcu::bench {

namespace {

// The value of `name="..."`.
std::string LabelOf(const std::string& line, const std::string& name) {
  const std::string start = name + "=\"";
  // After "{" or ",": "resource" also ends "subresource".
  size_t at = line.find("{" + start);
  if (at == std::string::npos) at = line.find("," + start);
  if (at == std::string::npos) return "";
  at += start.size() + 1;
  return line.substr(at, line.find('"', at) - at);
}

double StatusMebibytes(pid_t pid, const std::string& field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(field.size())) / 1024.0;
  }
  return 0;
}

std::string SystemName() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("PRETTY_NAME=\"")) return line.substr(13, line.size() - 14);
  }
  return "unknown system";
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

double CpuMilliseconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) * 1000.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ResidentMebibytes(pid_t pid) { return StatusMebibytes(pid, "VmRSS:"); }

double AnonymousMebibytes(pid_t pid) { return StatusMebibytes(pid, "RssAnon:"); }

std::string DescribeMachine() {
  std::ifstream file("/proc/loadavg");
  std::string load;
  file >> load;
  return std::to_string(std::thread::hardware_concurrency()) + " x " + ProcessorName() + ", " +
         SystemName() + ", load at the start " + load;
}

ApiCalls ParseApiCalls(const std::string& metrics) {
  ApiCalls calls;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("apiserver_request_total{")) continue;
    const std::string verb = LabelOf(line, "verb");
    if (verb == "WATCH" || verb == "LIST") continue;
    const std::string subresource = LabelOf(line, "subresource");
    const std::string call = verb + " " + LabelOf(line, "resource") +
                             (subresource.empty() ? "" : "/" + subresource) + " " +
                             LabelOf(line, "code");
    calls[call] += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return calls;
}

std::string CallsForEach(const ApiCalls& before, const ApiCalls& after, size_t count) {
  std::string text;
  for (const auto& [call, total] : after) {
    const auto earlier = before.find(call);
    const double each =
        (total - (earlier == before.end() ? 0 : earlier->second)) / static_cast<double>(count);
    if (each < 0.005) continue;
    char line[160];
    std::snprintf(line, sizeof line, "  %6.3f  %s\n", each, call.c_str());
    text += line;
  }
  return text;
}

double Quantile(std::vector<double> samples, double quantile) {
  if (samples.empty()) return 0;
  const auto at =
      samples.begin() + static_cast<long>(quantile * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

}  // namespace vdcu::bench
