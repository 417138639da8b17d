#include "base/program/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace vdcu::base {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(const std::string& name, const std::string& help, MetricType type,
                    double value) {
  prometheus::ClientMetric metric;
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {.name = name, .help = help, .type = type, .metric = {metric}};
}

// proc(5): the fields of /proc/self/stat from the third on; the second, the program's name, may
// hold anything and ends with the last ")".
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream rest(text.substr(std::min(text.rfind(')'), text.size() - 1) + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

// The host's, in seconds since 1970; nothing: /proc does not say it.
std::optional<double> BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return std::nullopt;
}

void AddMemoryAndStart(std::vector<MetricFamily>& families) {
  constexpr size_t kFirst = 3;  // the number of the first of StatFields() in proc(5)
  const std::vector<std::string> fields = StatFields();
  if (fields.size() <= 24 - kFirst) return;
  const auto field = [&](size_t number) {
    return std::strtod(fields[number - kFirst].c_str(), nullptr);
  };
  families.push_back(Family("process_virtual_memory_bytes", "Virtual memory in bytes",
                            MetricType::Gauge, field(23)));
  families.push_back(Family("process_resident_memory_bytes", "Resident memory in bytes",
                            MetricType::Gauge,
                            field(24) * static_cast<double>(sysconf(_SC_PAGESIZE))));
  if (const auto boot = BootTime()) {
    families.push_back(
        Family("process_start_time_seconds", "When the process was started, in seconds since 1970",
               MetricType::Gauge, *boot + field(22) / static_cast<double>(sysconf(_SC_CLK_TCK))));
  }
}

void AddDescriptors(std::vector<MetricFamily>& families) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error) {
    const auto count = std::distance(begin(open), end(open)) - 1;  // without the one that reads it
    families.push_back(Family("process_open_fds", "Open file descriptors", MetricType::Gauge,
                              static_cast<double>(count)));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  families.push_back(Family("process_max_fds", "How many file descriptors may be open",
                            MetricType::Gauge, static_cast<double>(limit.rlim_cur)));
}

}  // namespace

std::vector<MetricFamily> CollectProcessMetrics() {
  std::vector<MetricFamily> families;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  families.push_back(Family("process_cpu_seconds_total", "CPU time spent, user and system",
                            MetricType::Counter,
                            seconds(usage.ru_utime) + seconds(usage.ru_stime)));
  AddMemoryAndStart(families);
  AddDescriptors(families);
  return families;
}

}  // namespace vdcu::base
