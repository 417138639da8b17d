#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

namespace vdcu::base {

namespace {

Error ErrnoError(const std::string& what, int code) {
  const ErrorCode kind = code == ENOENT || code == ENOTDIR ? ErrorCode::kNotFound
                         : code == EACCES || code == EPERM ? ErrorCode::kForbidden
                                                           : ErrorCode::kUnavailable;
  return {kind, what + ": " + std::strerror(code)};
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Below, `prefix` is where the host is for this process, and `path` what messages show.
Status SyncFolder(const std::string& prefix, std::string folder) {
  if (folder.empty()) folder = "/";
  const Fd fd(open((prefix + folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoError("open " + folder, errno);
  if (fsync(fd.get()) != 0) return ErrnoError("fsync " + folder, errno);
  return Ok();
}

Status WriteAndSync(const std::string& prefix, const std::string& path, std::string_view content) {
  const Fd fd(
      open((prefix + path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (fd.get() < 0) return ErrnoError("create " + path, errno);
  while (!content.empty()) {
    const ssize_t written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("write " + path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fchmod(fd.get(), 0644) != 0) return ErrnoError("chmod " + path, errno);
  if (fsync(fd.get()) != 0) return ErrnoError("fsync " + path, errno);
  return Ok();
}

// The parts of a path, the last one first.
std::vector<std::string> PartsFromTheEnd(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return parts;
}

// Where links lead, if each target is below `prefix` as the path itself is; empty: in circles. (By
// hand, as openat2's RESOLVE_IN_ROOT is younger than the kernels of many hosts.)
std::string Follow(const std::string& prefix, std::string_view path) {
  constexpr int kMostLinks = 40;  // the kernel's
  std::string done;               // below the prefix; empty: "/"
  std::vector<std::string> rest = PartsFromTheEnd(path);
  for (int links = 0; !rest.empty();) {
    const std::string part = std::move(rest.back());
    rest.pop_back();
    if (part == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    char target[PATH_MAX];
    const ssize_t length = readlink((prefix + done + '/' + part).c_str(), target, sizeof target);
    if (length < 0) {  // not a link, or not there
      done += '/' + part;
    } else if (++links > kMostLinks) {
      return "";
    } else {
      if (target[0] == '/') done.clear();
      const auto parts = PartsFromTheEnd({target, static_cast<size_t>(length)});
      rest.insert(rest.end(), parts.begin(), parts.end());
    }
  }
  return done.empty() ? "/" : done;
}

std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Root::Root(std::string prefix) : prefix_(std::move(prefix)) {
  while (!prefix_.empty() && prefix_.back() == '/') prefix_.pop_back();
}

std::string Root::Resolve(std::string_view path) const { return prefix_ + std::string(path); }

Result<std::string> Root::Read(std::string_view path, size_t limit) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  // A pipe would let its reader wait for a writer.
  const Fd fd(open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return ErrnoError("open " + shown, errno);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return ErrnoError("stat " + shown, errno);
  if (!S_ISREG(info.st_mode)) return Corrupt(shown + " is no file");
  std::string content;
  char chunk[4096];
  for (;;) {
    const ssize_t count = read(fd.get(), chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError("read " + shown, errno);
    if (count == 0) return content;
    content.append(chunk, static_cast<size_t>(count));
    if (content.size() > limit) {
      return Corrupt(shown + " is longer than " + std::to_string(limit) + " bytes");
    }
  }
}

Result<std::vector<std::string>> Root::List(std::string_view path) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(full.c_str()), &closedir);
  if (folder == nullptr) return ErrnoError("list " + shown, errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Root::Exists(std::string_view path) const {
  struct stat info{};
  const std::string followed = prefix_.empty() ? std::string(path) : Follow(prefix_, path);
  return !followed.empty() && stat(Resolve(followed).c_str(), &info) == 0;
}

bool Root::IsFile(std::string_view path) const {
  struct stat info{};
  return lstat(Resolve(path).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Status Root::WriteAtomic(std::string_view path, std::string_view content) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  const auto [folder, name] = SplitPath(shown);
  const std::string temporary = folder + "/." + name + ".tmp";
  Status written = WriteAndSync(prefix_, temporary, content);
  if (written && rename(Resolve(temporary).c_str(), full.c_str()) != 0) {
    written = ErrnoError("rename " + temporary + " to " + shown, errno);
  }
  if (!written) {
    unlink(Resolve(temporary).c_str());
    return written;
  }
  return SyncFolder(prefix_, folder);
}

Status Root::MakeWay(std::string_view path) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  struct stat info{};
  if (lstat(full.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return Ok();
  if (!S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kAlreadyExists, shown + " is no file and not ours: remove it"};
  }
  if (rmdir(full.c_str()) == 0 || errno == ENOENT)
    return SyncFolder(prefix_, SplitPath(shown).first);
  if (errno != ENOTEMPTY && errno != EEXIST) return ErrnoError("remove folder " + shown, errno);
  return Error{ErrorCode::kAlreadyExists,
               shown + " is a folder with something in it, and not ours: remove it"};
}

Status Root::MakeFolder(std::string_view path) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  int failed = mkdir(full.c_str(), 0755) == 0 ? 0 : errno;
  if (failed == ENOENT && path.rfind('/') != 0) {
    RETURN_IF_ERROR(MakeFolder(path.substr(0, path.rfind('/'))));
    failed = mkdir(full.c_str(), 0755) == 0 ? 0 : errno;
  }
  struct stat info{};
  if (failed == EEXIST && stat(full.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kAlreadyExists, shown + " is no folder and not ours: remove it"};
  }
  if (failed == EEXIST) return Ok();
  if (failed != 0) return ErrnoError("create folder " + shown, failed);
  // The umask may have taken bits that readers need.
  if (chmod(full.c_str(), 0755) != 0) return ErrnoError("chmod " + shown, errno);
  return SyncFolder(prefix_, SplitPath(shown).first);
}

Status Root::RemoveFile(std::string_view path) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  if (unlink(full.c_str()) != 0) {
    if (errno == ENOENT) return Ok();
    return ErrnoError("remove " + shown, errno);
  }
  return SyncFolder(prefix_, SplitPath(shown).first);
}

Status Root::RemoveFolder(std::string_view path) const {
  const std::string shown(path);
  const std::string full = Resolve(path);
  auto names = List(path);
  if (!names) return names.error().code == ErrorCode::kNotFound ? Ok() : Status(names.error());
  for (const std::string& name : *names) {
    const std::string file = shown + "/" + name;
    if (unlink(Resolve(file).c_str()) != 0 && errno != ENOENT) {
      return ErrnoError("remove " + file, errno);
    }
  }
  if (rmdir(full.c_str()) != 0 && errno != ENOENT) return ErrnoError("remove " + shown, errno);
  return SyncFolder(prefix_, SplitPath(shown).first);
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) close(fd_);
}

Result<FolderLock> Root::Lock(std::string_view path, Duration most) const {
  constexpr Duration kPause{20};
  const std::string folder(path);
  // That something else stands there is not that another has it locked.
  if (const Status made = MakeFolder(path); !made) {
    return Error{ErrorCode::kUnavailable, made.error().message};
  }
  FolderLock lock(open(Resolve(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (lock.fd() < 0) return ErrnoError("open " + folder, errno);
  for (Duration waited{0};; waited += kPause) {
    if (flock(lock.fd(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return ErrnoError("lock " + folder, errno);
    if (waited >= most) return Error{ErrorCode::kAlreadyExists, folder + " is locked by another"};
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace vdcu::base
