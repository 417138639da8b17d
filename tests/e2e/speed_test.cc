// How long things take: printed, not judged, as other work runs beside the tests. VDCU_E2E_SAMPLES
// says how many pods of each kind are measured (default 50).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;

constexpr size_t kMostAtRest = 16 * 1024;  // KiB, with the code of its libraries; a burst needs 25

// "…21:30:12.123456…", the first in the text, as milliseconds of the day.
std::optional<double> MillisecondsIn(const std::string& text) {
  int hour = 0;
  int minute = 0;
  double second = 0;
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon < 2) return std::nullopt;
  if (std::sscanf(text.c_str() + colon - 2, "%d:%d:%lf", &hour, &minute, &second) != 3) {
    return std::nullopt;
  }
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

double Percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::ceil(last * percent / 100))];
}

class SpeedTest : public E2eTest {
 protected:
  void SetUp() override {
    E2eTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // It then says when a pod has come to it.
    machine().ConfigureKubelet("logging: {verbosity: 2}\n");
    machine().KillDaemon();  // its histograms begin anew
    machine().StartDaemon();
    ASSERT_TRUE(DaemonIsReady());
  }
  void TearDown() override {
    if (checker_) machine().ConfigureKubelet("");
    E2eTest::TearDown();
  }

  // From the kubelet's seeing the bound pod to its container's first output.
  std::optional<double> TimeToStart(const std::string& pod) {
    std::ifstream kubelet(machine().dir() + "/logs/kubelet.log");
    std::optional<double> added;
    for (std::string line; std::getline(kubelet, line);) {
      if (line.find("SyncLoop ADD") != std::string::npos &&
          line.find("default/" + pod + "\"") != std::string::npos) {
        added = MillisecondsIn(line);
      }
    }
    std::ifstream log(machine().dir() + "/var/log/pods/default_" + pod + "_" + UidOf(pod) +
                      "/main/0.log");
    std::string line;
    if (!added || !std::getline(log, line)) return std::nullopt;
    const auto printed = MillisecondsIn(line);
    if (!printed) return std::nullopt;
    return *printed - *added;
  }

  std::optional<double> Measure(const json& pod) {
    const std::string name = pod["metadata"]["name"];
    Create(pod);
    if (!Runs(name)) return std::nullopt;
    std::optional<double> taken;
    Eventually("its start is known", [&] { return (taken = TimeToStart(name)).has_value(); });
    End({name});
    Delete(name);
    IsGone(name);
    return taken;
  }

  // KiB that /proc/PID/status names.
  static size_t DaemonMemory(const std::string& field) {
    std::ifstream status("/proc/" + std::to_string(machine().DaemonPid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(field)) return std::stoul(line.substr(field.size()));
    }
    return 0;
  }

  // "vdcu_node_allocate_seconds", of all labels that contain the text.
  void PrintHistogram(const std::string& name, const std::string& label) {
    std::istringstream lines(machine().Metrics());
    double count = 0;
    double sum = 0;
    std::vector<std::pair<double, double>> buckets;  // bound, how many up to it
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(name) || line.find(label) == std::string::npos) continue;
      const double value = std::stod(line.substr(line.rfind(' ')));
      if (line.starts_with(name + "_count")) count = value;
      if (line.starts_with(name + "_sum")) sum = value;
      const size_t at = line.find("le=\"");
      if (at != std::string::npos && line.find("+Inf") == std::string::npos) {
        buckets.emplace_back(std::stod(line.substr(at + 4)), value);
      }
    }
    if (count == 0) return;
    const auto p99 = std::find_if(buckets.begin(), buckets.end(), [&](const auto& bucket) {
      return bucket.second >= count * 0.99;
    });
    std::cout << name << " " << label << ": " << count << " times, mean " << sum / count * 1000
              << " ms, p99 at most "
              << (p99 == buckets.end() ? std::string("?") : std::to_string(p99->first * 1000))
              << " ms\n";
  }
};

TEST_F(SpeedTest, OfAStartWithASliceAgainstOneWithout) {
  const char* given = std::getenv("VDCU_E2E_SAMPLES");
  const int samples = given == nullptr ? 50 : std::atoi(given);
  std::vector<double> with;
  std::vector<double> without;
  for (int i = 0; i < samples && !HasFailure(); ++i) {
    const std::string number = std::to_string(i);
    if (const auto taken = Measure(RealPod("with-" + number, Slice(15, 2000)))) {
      with.push_back(*taken);
    }
    if (const auto taken = Measure(On(kNode, RealPod("without-" + number, kNothing)))) {
      without.push_back(*taken);
    }
  }
  ASSERT_FALSE(with.empty() || without.empty());
  for (const double percent : {50.0, 99.0}) {
    const double a = Percentile(with, percent);
    const double b = Percentile(without, percent);
    std::cout << "bound pod seen -> first output, p" << percent << ": " << a << " ms with a slice, "
              << b << " ms without, " << a - b << " ms more\n";
  }
  PrintHistogram("vdcu_node_allocate_seconds", "");
  for (const char* stage : {"bound", "allocated", "started"}) {
    PrintHistogram("vdcu_node_stage_seconds", "stage=\"" + std::string(stage) + "\"");
  }
  std::cout << "daemon after these pods: RSS " << DaemonMemory("VmRSS:") << " KiB, "
            << DaemonMemory("RssAnon:") << " KiB of that its own\n";
  ASSERT_TRUE(Eventually("it has given back what only the pods' starts needed",
                         [&] { return DaemonMemory("VmRSS:") < kMostAtRest; }));
  std::cout << "daemon at rest: RSS " << DaemonMemory("VmRSS:") << " KiB\n";
}

}  // namespace
}  // namespace vdcu::e2e
