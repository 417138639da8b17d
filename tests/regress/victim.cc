#include "tests/regress/victim.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/check.h"
#include "tests/world/api.h"
#include "tests/world/test_folder.h"

namespace vdcu::regress {

namespace fs = std::filesystem;

namespace {

constexpr char kShown[] = "VDCU_VICTIM";  // the file in which Show() writes

// Of a process that ends meanwhile what was read until then.
std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The folders of a cgroup in all hierarchies, those below it included.
std::vector<fs::path> CgroupFolders(const std::string& cgroup) {
  std::vector<fs::path> found;
  if (cgroup.empty()) return found;
  std::vector<fs::path> tops{"/sys/fs/cgroup"};
  for (const auto& entry : fs::directory_iterator("/sys/fs/cgroup")) {
    if (entry.is_directory() && !entry.is_symlink()) tops.push_back(entry.path());
  }
  for (const fs::path& top : tops) {
    const fs::path folder = top.string() + cgroup;
    std::error_code gone;
    if (!fs::exists(folder, gone)) continue;
    found.push_back(folder);
    fs::recursive_directory_iterator at(folder, gone);
    for (; !gone && at != fs::recursive_directory_iterator(); at.increment(gone)) {
      if (std::error_code none; at->is_directory(none)) found.push_back(at->path());
    }
  }
  return found;
}

// Empty where it has ended, also while nobody has looked yet how (a zombie).
std::string ProgramOf(const std::string& proc) {
  std::error_code gone;
  return fs::read_symlink(proc + "/exe", gone);
}

// Field 22 of /proc/PID/stat; the second is a name in brackets, with spaces perhaps.
std::string StartTime(const std::string& proc) {
  const std::string stat = ReadFile(proc + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

}  // namespace

bool Victim::IsPlayed() { return std::getenv(kShown) != nullptr; }

void Victim::Show(const std::string& folder, const std::string& cgroup) {
  const std::string file = std::getenv(kShown);
  std::ofstream(file + ".new") << folder << "\n" << cgroup << "\n";
  fs::rename(file + ".new", file);
}

Victim::Victim(const std::string& test) {
  const std::string file = world::TestFolder() + "/victim";
  const std::string log = file + ".log";
  fs::remove(file);
  process_ = std::make_unique<world::Background>(
      std::vector<std::string>{"env", "-u", "GTEST_TOTAL_SHARDS", "-u", "GTEST_SHARD_INDEX",
                               kShown + ("=" + file), fs::read_symlink("/proc/self/exe"),
                               "--gtest_filter=" + test},
      log);
  const bool shown =
      world::Until([&] { return fs::exists(file) || process_->Wait(base::Duration(0)) != -1; },
                   std::chrono::seconds(400));
  CHECK(shown && fs::exists(file), ReadFile(log));
  std::ifstream lines(file);
  std::getline(lines, folder_);
  std::getline(lines, cgroup_);
  before_ = Find();
}

Victim::Processes Victim::Find() const {
  std::set<pid_t> in_cgroup;
  for (const fs::path& folder : CgroupFolders(cgroup_)) {
    std::ifstream pids(folder / "cgroup.procs");
    for (pid_t pid = 0; pids >> pid;) in_cgroup.insert(pid);
  }
  Processes found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string proc = entry.path();
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    const bool names_it = ReadFile(proc + "/cmdline").find(folder_ + "/") != std::string::npos;
    const std::string program = ProgramOf(proc);
    if (program.empty() || (!names_it && !in_cgroup.contains(pid))) continue;
    found[{pid, StartTime(proc)}] = program;
  }
  return found;
}

std::vector<std::string> Victim::Programs() const {
  std::vector<std::string> programs;
  for (const auto& [id, program] : before_) programs.push_back(program);
  return programs;
}

int Victim::End(int signal) {
  process_->Signal(signal);
  return process_->Wait(std::chrono::seconds(60));
}

std::vector<std::string> Victim::LeftNow() const {
  std::vector<std::string> left;
  const Processes now = Find();
  for (const auto& [id, program] : now) left.push_back(program);
  for (const auto& [id, program] : before_) {
    const std::string proc = "/proc/" + std::to_string(id.first);
    const bool lives = !ProgramOf(proc).empty() && StartTime(proc) == id.second;
    if (lives && !now.contains(id)) left.push_back(program);
  }
  for (const fs::path& folder : CgroupFolders(cgroup_)) left.push_back(folder);
  if (fs::exists(folder_)) left.push_back(folder_);
  const std::string mounts = ReadFile("/proc/mounts");
  if (mounts.find(folder_ + "/") != std::string::npos) left.emplace_back("a mount");
  return left;
}

std::vector<std::string> Victim::Left() const {
  std::vector<std::string> left;
  world::Until([&] {
    left = LeftNow();
    return left.empty();
  });
  return left;
}

}  // namespace vdcu::regress
