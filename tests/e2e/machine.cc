#include "tests/e2e/machine.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/check.h"
#include "tests/world/http.h"
#include "tests/world/paths.h"

namespace vdcu::e2e {

using nlohmann::json;
using world::Background;
using world::Fetch;
using world::HttpAnswer;
using world::Output;
using world::RunProgram;

namespace {

constexpr char kDcuNodes[] = "/apis/vdcu.io/v1alpha1/dcunodes";
const std::string kMachine = world::Source("tests/machine/machine");

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Free at the moment. A daemon that is started again wants the same port: none of those that Linux
// gives to outgoing connections meanwhile.
std::string LocalAddress() {
  constexpr int kFirst = 10'000, kCount = 10'000;
  std::random_device random;
  for (;;) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int port = kFirst + static_cast<int>(random() % kCount);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const int taken = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    close(fd);
    if (taken == 0) return "127.0.0.1:" + std::to_string(port);
    CHECK(errno == EADDRINUSE, "bind 127.0.0.1:" + std::to_string(port));
  }
}

// The first child, or -1.
pid_t ChildOf(pid_t pid) {
  const std::string name = std::to_string(pid);
  const std::string line = FirstLine("/proc/" + name + "/task/" + name + "/children");
  return line.empty() ? -1 : std::stoi(line);
}

}  // namespace

Machine::Machine(const world::Cluster& cluster, const world::Api& api, const Options& options)
    : NodeHost(options.name, cluster.folder() + "/" + options.name + ".host", options.host),
      api_(api),
      dir_(cluster.folder() + "/" + options.name) {
  CHECK(host().root().MakeFolder("/opt").has_value(), folder());
  Do("up", {"--cluster", cluster.folder() + "/c", "--name", name(), "--host", folder(), "--mount",
            cluster.folder()});
  cgroup_ = FirstLine(dir_ + "/cgroup");
  kubeconfig_ = cluster.TokenKubeconfig("vdcu-system", "vdcu-node", name());
  listen_ = LocalAddress();
  ReplaceDaemonBinary();
}

Machine::~Machine() {
  daemon_.reset();
  Do("down");
}

void Machine::Do(const std::string& command, const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{kMachine, command, dir_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Output output = RunProgram(all);
  CHECK(output.exit_code == 0, "tests/machine/machine " + command + ": " + output.text);
}

void Machine::RestartKubelet(const std::string& how) const {
  Do(how, {"kubelet"});
  Do("start", {"kubelet"});
}

Output Machine::Exec(const std::vector<std::string>& command) const {
  std::vector<std::string> all{kMachine, "exec", dir_};
  all.insert(all.end(), command.begin(), command.end());
  return RunProgram(all);
}

pid_t Machine::Pid(const std::string& process) const {
  return std::stoi(FirstLine(dir_ + "/pids/" + process));
}

void Machine::ConfigureKubelet(const std::string& yaml) const {
  std::ofstream(dir_ + "/etc/kubernetes/kubelet.d/given.conf")
      << "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
      << yaml;
  RestartKubelet();
}

std::vector<std::string> Machine::DaemonCommand(const Start& start,
                                                const std::string& listen) const {
  std::vector<std::string> arguments{kMachine, "exec", dir_, "--confined", "env"};
  arguments.insert(arguments.end(), start.environment.begin(), start.environment.end());
  arguments.insert(arguments.end(),
                   {dir_ + ".vdcu-node", "--kubeconfig",
                    start.kubeconfig.empty() ? kubeconfig_ : start.kubeconfig, "--node-name",
                    name(), "--host-root", "/host", "--cgroup-root", cgroup_, "--listen", listen});
  arguments.insert(arguments.end(), start.flags.begin(), start.flags.end());
  return arguments;
}

void Machine::StartDaemon(const Start& start) {
  CHECK(!DaemonRuns(), "the daemon runs already");
  daemon_ = std::make_unique<Background>(DaemonCommand(start, listen_), DaemonLogFile());
}

Output Machine::RunSecondDaemon() const {
  return RunProgram(DaemonCommand({{}, "", {}}, LocalAddress()));
}

void Machine::KillDaemon() {
  if (const pid_t pid = DaemonPid(); pid > 0) kill(pid, SIGKILL);
  daemon_.reset();
}

int Machine::StopDaemon() {
  daemon_->Signal(SIGTERM);
  return WaitForDaemon();
}

int Machine::WaitForDaemon() {
  const int code = daemon_->Wait(std::chrono::seconds(60));
  daemon_.reset();
  return code;
}

void Machine::ReplaceDaemonBinary() const {
  const std::string next = dir_ + ".vdcu-node.next";
  std::filesystem::copy_file(world::NodeBinary(), next,
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(next, dir_ + ".vdcu-node");
}

bool Machine::DaemonRuns() { return daemon_ != nullptr && daemon_->Wait(base::Duration(0)) == -1; }

// machine -> enter -> enter -> vdcu-node; what is not there yet is found a moment later.
pid_t Machine::DaemonPid() const {
  if (daemon_ == nullptr) return -1;
  for (pid_t pid = daemon_->pid(); pid > 0; pid = ChildOf(pid)) {
    std::error_code gone;
    const auto program =
        std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone);
    if (program.filename().string().find("vdcu-node") != std::string::npos) return pid;
  }
  return -1;
}

std::string Machine::Get(const std::string& path) const {
  const HttpAnswer answer =
      Fetch({.url = "http://" + listen_ + path, .most = std::chrono::seconds(5)});
  return answer.code == 200 ? answer.text : "";
}

bool Machine::Ready() const { return !Get("/readyz").empty(); }

std::string Machine::Metrics() const { return Get("/metrics"); }

std::string Machine::DaemonLog(size_t lines) const {
  return RunProgram({"tail", "-n", std::to_string(lines), DaemonLogFile()}).text;
}

// "2026-11-22T20:55:45.242+00:00 info    registered with the kubelet …"
std::vector<double> Machine::Registrations() const {
  std::vector<double> found;
  std::ifstream log(DaemonLogFile());
  for (std::string line; std::getline(log, line);) {
    if (line.find("registered with the kubelet") == std::string::npos) continue;
    std::tm time{};
    double second = 0;
    std::sscanf(line.c_str(), "%d-%d-%dT%d:%d:%lf", &time.tm_year, &time.tm_mon, &time.tm_mday,
                &time.tm_hour, &time.tm_min, &second);
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    found.push_back(static_cast<double>(timegm(&time)) + second);
  }
  return found;
}

json Machine::DcuNode() const {
  json object = api_.Find(kDcuNodes, name());
  if (!object.contains("status")) object["status"] = json::object();
  return object;
}

}  // namespace vdcu::e2e
