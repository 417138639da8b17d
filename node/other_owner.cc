#include "node/other_owner.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "crds/hami.h"
#include "node/kubelet/plugin.h"
#include "node/slice_files.h"

namespace vdcu::node {

namespace {

constexpr char kPodFolders[] = "/usr/local/vgpu/dcu";
constexpr base::Duration kAliveFor{5 * 60 * 1000};
constexpr const char* kFamilies[] = {"dcu", "hcu"};

bool LooksLikeDcu(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return tolower(c); });
  return name.find("dcu") != std::string::npos || name.find("hcu") != std::string::npos ||
         name.find("hygon") != std::string::npos;
}

bool RefusesConnections(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const int code = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool refused = code != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

void FindSockets(const HostTraces& where, std::vector<Trace>& traces) {
  std::error_code code;
  std::filesystem::directory_iterator folder(where.plugin_folder, code);
  for (; !code && folder != std::filesystem::directory_iterator(); folder.increment(code)) {
    const std::string name = kubelet::Plugin::WithoutNumber(folder->path().filename());
    std::error_code ignored;
    if (!folder->is_socket(ignored) || where.own.contains(name) || !LooksLikeDcu(name)) continue;
    const std::string path = folder->path();
    const bool dead = RefusesConnections(path);
    if (dead && where.former.contains(name)) continue;
    traces.push_back({Trace::Kind::kSocket, path, dead});
  }
}

// Bytes of the vdev files in folders of pods that have ended.
std::set<std::string> FindPodFolders(const HostTraces& where, std::vector<Trace>& traces) {
  std::set<std::string> dead_files;
  const auto names = where.host.List(kPodFolders).value_or(std::vector<std::string>());
  for (const std::string& name : names) {
    const std::string path = std::string(kPodFolders) + "/" + name;
    const bool dead = !where.has_processes(name.substr(0, name.find('_')));
    traces.push_back({Trace::Kind::kPodFolder, path, dead});
    if (!dead) continue;
    for (const std::string& file : where.host.List(path).value_or(std::vector<std::string>())) {
      if (const auto bytes = where.host.Read(path + "/" + file)) dead_files.insert(*bytes);
    }
  }
  return dead_files;
}

// A slice of ours whose checkpoint was lost has its folder still.
std::set<std::string> OwnFiles(const base::Root& host) {
  std::set<std::string> files;
  for (const std::string& uid : host.List(kSlicesFolder).value_or(std::vector<std::string>())) {
    if (const auto bytes = host.Read(SliceFolder(uid) + "/vdev0.conf")) files.insert(*bytes);
  }
  return files;
}

void FindVdevFiles(const HostTraces& where, const std::set<std::string>& dead_files,
                   std::vector<Trace>& traces) {
  std::set<std::string> own_paths;
  for (const auto& [uid, slice] : where.slices) own_paths.insert(HostVdevPath(slice.assignment));
  const std::set<std::string> own_files = OwnFiles(where.host);
  for (const std::string& name :
       where.host.List(kVdevFolder).value_or(std::vector<std::string>())) {
    const std::string path = std::string(kVdevFolder) + "/" + name;
    // What is no file, and so no plugin's, is passed over by its number.
    if (!IsVdevName(name) || own_paths.contains(path) || !where.host.IsFile(path)) continue;
    const std::string bytes = where.host.Read(path).value_or("");
    if (own_files.contains(bytes)) continue;
    traces.push_back({Trace::Kind::kVdevFile, path, dead_files.contains(bytes)});
  }
}

// "Reported 2024-01-23 04:30:04": when the plugin was last alive.
bool IsStale(const std::string& handshake, base::WallTime now) {
  const size_t digits = handshake.find_first_of("0123456789");
  if (digits == std::string::npos) return false;
  std::string time = handshake.substr(digits);
  std::replace(time.begin(), time.end(), ' ', 'T');
  std::replace(time.begin(), time.end(), '.', '-');
  const auto last = base::ParseTime(time.substr(0, 19) + "Z");
  return last && now - *last > kAliveFor;
}

std::string Describe(const Trace& trace) {
  switch (trace.kind) {
    case Trace::Kind::kSocket:
      return "the device plugin's socket " + trace.name;
    case Trace::Kind::kVdevFile:
      return "the vdev file " + trace.name;
    case Trace::Kind::kPodFolder:
      return "the folder " + trace.name;
    default:
      return "the Node's annotation " + trace.name;
  }
}

}  // namespace

std::vector<Trace> FindTraces(const HostTraces& where) {
  std::vector<Trace> traces;
  FindSockets(where, traces);
  FindVdevFiles(where, FindPodFolders(where, traces), traces);
  return traces;
}

std::vector<Trace> FindTraces(const std::map<std::string, std::string, std::less<>>& annotations,
                              base::WallTime now) {
  std::vector<Trace> traces;
  for (const std::string family : kFamilies) {
    const std::string key = "hami.io/node-" + family + "-register";
    const auto handshake = annotations.find("hami.io/node-handshake-" + family);
    const bool shakes = handshake != annotations.end();
    const bool stale = shakes && IsStale(handshake->second, now);
    const auto registered = annotations.find(key);
    const bool any = registered != annotations.end();
    if (any && crds::IsOurHamiRegister(registered->second)) continue;
    if (any) {
      traces.push_back({Trace::Kind::kAnnotation, key, stale});
    } else if (shakes && !stale) {
      traces.push_back({Trace::Kind::kAnnotation, handshake->first, false});
    }
  }
  return traces;
}

base::Status RemoveTrace(const base::Root& host, const Trace& trace) {
  switch (trace.kind) {
    case Trace::Kind::kSocket:
      return base::Root("/").RemoveFile(trace.name);
    case Trace::Kind::kVdevFile:
      return host.RemoveFile(trace.name);
    case Trace::Kind::kPodFolder:
      return host.RemoveFolder(trace.name);
    default:
      return base::Ok();
  }
}

base::Status MayOwn(const std::vector<Trace>& traces, bool take_over) {
  std::string alive;
  std::string dead;
  for (const Trace& trace : traces) {
    std::string& list = trace.dead ? dead : alive;
    list += (list.empty() ? "" : ", ") + Describe(trace);
  }
  if (alive.empty() && (dead.empty() || take_over)) return base::Ok();
  std::string message = "another plugin owns this node's DCU cards";
  if (!alive.empty())
    message += "; in use, or not known to be unused: " + alive +
               ": remove that plugin and its files first";
  if (!dead.empty()) message += "; left behind: " + dead + ": --take-over removes these";
  return base::Error{base::ErrorCode::kForbidden, message};
}

}  // namespace vdcu::node
