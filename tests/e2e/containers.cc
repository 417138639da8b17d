#include "tests/e2e/containers.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace vdcu::e2e {

namespace fs = std::filesystem;

namespace {

constexpr size_t kIdLength = 64;  // of a container's cgroup
constexpr char kPod[] = "pod";

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// All hierarchies, or the one that there is in cgroup v2.
std::vector<std::string> Hierarchies() {
  const std::string top = "/sys/fs/cgroup";
  if (fs::exists(top + "/cgroup.controllers")) return {top};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(top)) {
    if (entry.is_directory() && !entry.is_symlink()) found.push_back(entry.path());
  }
  return found;
}

// Of version 1 one that the kubelet uses for all.
std::string MainHierarchy() {
  const std::string top = "/sys/fs/cgroup";
  return fs::exists(top + "/cgroup.controllers") ? top : top + "/pids";
}

std::vector<std::string> FoldersIn(const std::string& path) {
  std::vector<std::string> found;
  std::error_code gone;
  for (fs::directory_iterator at(path, gone); !gone && at != fs::directory_iterator();
       at.increment(gone)) {
    std::error_code none;
    if (at->is_directory(none)) found.push_back(at->path());
  }
  return found;
}

std::vector<std::string> PodFolders(const std::string& kubepods) {
  std::vector<std::string> found;
  for (const std::string& folder : FoldersIn(kubepods)) {
    const std::string name = fs::path(folder).filename();
    if (name.starts_with(kPod)) {
      found.push_back(folder);
    } else if (name == "burstable" || name == "besteffort") {
      for (const std::string& inner : FoldersIn(folder)) found.push_back(inner);
    }
  }
  return found;
}

std::vector<pid_t> PidsIn(const std::string& folder) {
  std::vector<pid_t> pids;
  std::ifstream file(folder + "/cgroup.procs");
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

std::string Proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

bool SameFolder(const std::string& one, const std::string& other) {
  struct stat a{}, b{};
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// The UID in ".../etc/vdev/slices/UID", mounted at /etc/vdev/docker.
std::string SliceMountedIn(pid_t pid) {
  std::ifstream mounts(Proc(pid, "mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, point;
    words >> id >> parent >> device >> root >> point;
    if (point != "/etc/vdev/docker") continue;
    // "//deleted" stands after one that was removed.
    root = root.substr(0, root.find("//"));
    return fs::path(root).filename();
  }
  return "";
}

// False where the process has no root of its own yet, or has ended.
bool Inspect(RunningContainer& container, const std::string& machine_root) {
  const std::string root = Proc(container.pid, "root");
  std::error_code gone;
  if (!fs::is_directory(root, gone) || SameFolder(root + "/", machine_root)) return false;
  container.slice = SliceMountedIn(container.pid);
  const std::string vdev = root + "/etc/vdev/docker/vdev0.conf";
  if (std::ifstream file(vdev); file.good()) {
    container.vdev = std::string(std::istreambuf_iterator<char>(file), {});
  }
  for (fs::directory_iterator at(root + "/dev/dri", gone); !gone && at != fs::directory_iterator();
       at.increment(gone)) {
    container.dri.insert(at->path().filename());
  }
  // What ended meanwhile was seen in part.
  return fs::is_directory(root, gone);
}

// A sandbox; or a container that has all it will have, but whose program was not started: where a
// kubelet is killed between the two, containerd leaves it there and the next kubelet makes another.
// (Empty: it begins or ends at this moment.)
bool RunsNoProgram(pid_t pid) {
  using namespace std::string_view_literals;
  const std::string command = ReadFile(Proc(pid, "cmdline"));
  return command.empty() || command.starts_with("/pause") || command.ends_with("runc\0init\0"sv);
}

}  // namespace

std::vector<RunningContainer> RunningContainers(const Machine& machine) {
  std::vector<RunningContainer> found;
  std::vector<std::string> folders;
  const std::string init = ReadFile(machine.dir() + "/pids/init");
  if (init.empty()) return {};
  const std::string machine_root = "/proc/" + std::to_string(std::stoi(init)) + "/root/";
  for (const std::string& pod : PodFolders(MainHierarchy() + machine.cgroup() + "/kubepods")) {
    for (const std::string& folder : FoldersIn(pod)) {
      const std::string id = fs::path(folder).filename();
      if (id.size() != kIdLength) continue;
      for (const pid_t pid : PidsIn(folder)) {
        if (RunsNoProgram(pid)) continue;
        RunningContainer container{
            .pod_uid = fs::path(pod).filename().string().substr(std::size(kPod) - 1),
            .id = id,
            .pid = pid};
        if (!Inspect(container, machine_root)) continue;
        found.push_back(std::move(container));
        folders.push_back(folder);
        break;
      }
    }
  }
  std::vector<RunningContainer> alive;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto pids = PidsIn(folders[i]);
    if (std::find(pids.begin(), pids.end(), found[i].pid) != pids.end()) {
      alive.push_back(std::move(found[i]));
    }
  }
  return alive;
}

std::vector<std::string> CgroupsOf(const Machine& machine, const std::string& pod_uid) {
  std::vector<std::string> found;
  for (const std::string& hierarchy : Hierarchies()) {
    for (const std::string& pod : PodFolders(hierarchy + machine.cgroup() + "/kubepods")) {
      if (fs::path(pod).filename() == kPod + pod_uid) found.push_back(pod);
    }
  }
  return found;
}

std::vector<pid_t> ProcessesOf(const Machine& machine, const std::string& pod_uid) {
  std::vector<pid_t> pids;
  for (const std::string& pod : PodFolders(MainHierarchy() + machine.cgroup() + "/kubepods")) {
    if (fs::path(pod).filename() != kPod + pod_uid) continue;
    for (const std::string& folder : FoldersIn(pod)) {
      for (const pid_t pid : PidsIn(folder)) pids.push_back(pid);
    }
  }
  return pids;
}

}  // namespace vdcu::e2e
