#include "node/kubelet/cgroups.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vdcu::kubelet {

namespace {

constexpr base::Duration kLookInterval{1'000};
constexpr char kMount[] = "/sys/fs/cgroup";

bool IsV2(const base::Root& host) {
  return host.Exists(std::string(kMount) + "/cgroup.controllers");
}

std::string Mount(const base::Root& host) {
  return IsV2(host) ? kMount : std::string(kMount) + "/pids";
}

std::vector<std::string> Components(const std::string& path) {
  std::vector<std::string> components;
  size_t start = 0;
  while (start < path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    if (end > start) components.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return components;
}

std::string CgroupfsPath(const std::vector<std::string>& components) {
  std::string path;
  for (const std::string& component : components) path += "/" + component;
  return path;
}

std::string SystemdPath(const std::vector<std::string>& components) {
  std::string path;
  std::string slice;
  for (std::string component : components) {
    std::replace(component.begin(), component.end(), '-', '_');
    slice += (slice.empty() ? "" : "-") + component;
    path += "/" + slice + ".slice";
  }
  return path;
}

std::vector<std::string> Below(const std::string& root, const std::vector<std::string>& names) {
  std::vector<std::string> components = Components(root);
  components.insert(components.end(), names.begin(), names.end());
  return components;
}

// What cannot be read counts as a process: the folder was there a moment ago.
bool IsPopulated(const base::Root& host, const std::string& folder, bool v2) {
  const auto text = host.Read(folder + (v2 ? "/cgroup.events" : "/pids.current"));
  if (!text) return host.Exists(folder);
  if (v2) return text->find("populated 0") == std::string::npos;
  int64_t count = -1;
  std::from_chars(text->data(), text->data() + text->size(), count);
  return count != 0;
}

}  // namespace

Cgroups::Cgroups(base::Loop& loop, const base::Root& host, std::string root,
                 std::function<void(const std::string&)> on_empty)
    : loop_(loop),
      host_(host),
      root_(std::move(root)),
      on_empty_(std::move(on_empty)),
      timer_(loop.MakeTimer([this] { Look(); })) {}

base::Status Cgroups::Check() const {
  const std::string mount = Mount(host_);
  const auto components = Below(root_, {"kubepods"});
  for (const std::string& path : {CgroupfsPath(components), SystemdPath(components)}) {
    if (host_.Exists(mount + path)) return base::Ok();
  }
  return base::NotFound("no cgroup kubepods or kubepods.slice below " + mount +
                        CgroupfsPath(Components(root_)) +
                        ": want --cgroup-root to be the kubelet's cgroupRoot, and the kubelet to "
                        "have started");
}

std::vector<std::string> Cgroups::Folders(const std::string& pod_uid) const {
  const std::string mount = Mount(host_);
  std::vector<std::string> folders;
  for (const char* qos : {"", "burstable", "besteffort"}) {
    std::vector<std::string> names{"kubepods"};
    if (*qos != '\0') names.emplace_back(qos);
    names.push_back("pod" + pod_uid);
    const auto components = Below(root_, names);
    for (const std::string& path : {CgroupfsPath(components), SystemdPath(components)}) {
      if (host_.Exists(mount + path)) folders.push_back(mount + path);
    }
  }
  return folders;
}

bool Cgroups::HasProcesses(const std::string& pod_uid) const {
  const bool v2 = IsV2(host_);
  const std::vector<std::string> folders = Folders(pod_uid);
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return IsPopulated(host_, folder, v2); });
}

bool Cgroups::WaitForEnd(const std::string& pod_uid) {
  if (!HasProcesses(pod_uid)) return false;
  if (waiting_.insert(pod_uid).second) WatchAgain();
  if (!timer_->armed()) timer_->Start(kLookInterval);
  return true;
}

void Cgroups::Look() {
  std::vector<std::string> ended;
  for (const std::string& uid : waiting_) {
    if (!HasProcesses(uid)) ended.push_back(uid);
  }
  for (const std::string& uid : ended) waiting_.erase(uid);
  if (!ended.empty()) WatchAgain();
  if (!waiting_.empty()) timer_->Start(kLookInterval);
  for (const std::string& uid : ended) on_empty_(uid);
}

// The pod's folder tells of containers that end, its parent of the pod's own end, and in v2 the
// file of both.
void Cgroups::WatchAgain() {
  std::set<std::string> wanted;
  for (const std::string& uid : waiting_) {
    for (const std::string& folder : Folders(uid)) {
      wanted.insert(folder);
      wanted.insert(folder.substr(0, folder.rfind('/')));
      if (IsV2(host_)) wanted.insert(folder + "/cgroup.events");
    }
  }
  std::erase_if(watches_, [&](const auto& watch) { return !wanted.contains(watch.first); });
  for (const std::string& path : wanted) {
    if (watches_.contains(path)) continue;
    // What cannot be watched is looked at by the timer.
    auto watch = loop_.OnChange(host_.Resolve(path),
                                [this](const std::string&) { timer_->Start(base::Duration(0)); });
    if (watch) watches_.emplace(path, std::move(*watch));
  }
}

}  // namespace vdcu::kubelet
