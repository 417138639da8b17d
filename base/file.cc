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

#include "base/text.h"

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
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool IsName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

bool LeadsUp(const std::string& path) { return (path + '/').find("/../") != std::string::npos; }

Error NoFolder(const std::string& path) {
  return {ErrorCode::kAlreadyExists, path + " is no folder and not ours: remove it"};
}

// Below, `prefix` is where the host is for this process, and `path` what messages show.

// The folder itself, which is no link unless it is one of the root's own ("/etc", "/var").
Result<Fd> OpenFolder(const std::string& prefix, const std::string& path) {
  if (LeadsUp(path) || path.find('\0') != std::string::npos) {
    return Corrupt(Quote(path) + ": no path of ours");
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const auto [above, name] = SplitPath(path);
  if (above.empty() || name.empty()) {
    Fd fd(open((prefix + path + '/').c_str(), kFlags));
    if (fd.get() < 0) return ErrnoError("open " + path, errno);
    return fd;
  }
  const Fd parent(open((prefix + above).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0) return ErrnoError("open " + above, errno);
  Fd fd(openat(parent.get(), name.c_str(), kFlags | O_NOFOLLOW));
  if (fd.get() >= 0) return fd;
  const int failed = errno;
  struct stat info{};
  const bool is_link =
      fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
  return is_link ? NoFolder(path) : ErrnoError("open " + path, failed);
}

// A file, or what stands in its place, by the folder that it is in.
struct Place {
  Fd folder;
  std::string name;
  std::string shown;  // its path

  Status Sync() const {
    if (fsync(folder.get()) != 0) return ErrnoError("fsync the folder of " + shown, errno);
    return Ok();
  }
};

Result<Place> Find(const std::string& prefix, std::string_view path) {
  const std::string shown(path);
  const auto [above, name] = SplitPath(shown);
  if (!IsName(name)) return Corrupt(Quote(shown) + ": no name of a file");
  ASSIGN_OR_RETURN(Fd folder, OpenFolder(prefix, above));
  return Place{std::move(folder), name, shown};
}

Status WriteAndSync(const Place& place, const std::string& name, std::string_view content) {
  const Fd fd(openat(place.folder.get(), name.c_str(),
                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (fd.get() < 0) return ErrnoError("create " + name + " beside " + place.shown, errno);
  while (!content.empty()) {
    const ssize_t written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("write " + place.shown, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fchmod(fd.get(), 0644) != 0) return ErrnoError("chmod " + place.shown, errno);
  if (fsync(fd.get()) != 0) return ErrnoError("fsync " + place.shown, errno);
  return Ok();
}

// At most `limit` bytes of what was opened; takes the descriptor.
Result<std::string> ReadAll(int opened, const std::string& shown, size_t limit) {
  const Fd fd(opened);
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

Result<std::vector<std::string>> NamesIn(DIR* opened, const std::string& shown) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opened, &closedir);
  if (folder == nullptr) return ErrnoError("list " + shown, errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
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

Status MakeFolderAt(const Place& place) {
  const int folder = place.folder.get();
  const char* name = place.name.c_str();
  if (mkdirat(folder, name, 0755) != 0) {
    if (errno != EEXIST) return ErrnoError("create folder " + place.shown, errno);
    struct stat info{};
    const bool is_file = fstatat(folder, name, &info, 0) == 0 && !S_ISDIR(info.st_mode);
    return is_file ? Status(NoFolder(place.shown)) : Ok();
  }
  // The umask may have taken bits that readers need.
  const Fd fd(openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0 || fchmod(fd.get(), 0755) != 0) return ErrnoError("chmod " + place.shown, errno);
  return place.Sync();
}

}  // namespace

Root::Root(std::string prefix) : prefix_(std::move(prefix)) {
  while (!prefix_.empty() && prefix_.back() == '/') prefix_.pop_back();
}

std::string Root::Resolve(std::string_view path) const { return prefix_ + std::string(path); }

// A pipe would let its reader wait for a writer.
constexpr int kReading = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

Result<std::string> Root::Read(std::string_view path, size_t limit) const {
  return ReadAll(open(Resolve(path).c_str(), kReading), std::string(path), limit);
}

Result<std::string> Root::ReadFile(std::string_view path, size_t limit) const {
  ASSIGN_OR_RETURN(const Place place, Find(prefix_, path));
  const int fd = openat(place.folder.get(), place.name.c_str(), kReading | O_NOFOLLOW);
  if (fd < 0 && errno == ELOOP) return Corrupt(place.shown + " is no file");
  return ReadAll(fd, place.shown, limit);
}

Result<std::vector<std::string>> Root::List(std::string_view path) const {
  return NamesIn(opendir(Resolve(path).c_str()), std::string(path));
}

Result<std::vector<std::string>> Root::ListFolder(std::string_view path) const {
  const std::string shown(path);
  ASSIGN_OR_RETURN(const Fd folder, OpenFolder(prefix_, shown));
  const int fd = fcntl(folder.get(), F_DUPFD_CLOEXEC, 0);  // closedir closes its own
  return NamesIn(fd < 0 ? nullptr : fdopendir(fd), shown);
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
  ASSIGN_OR_RETURN(const Place place, Find(prefix_, path));
  const std::string temporary = "." + place.name + ".tmp";
  const int folder = place.folder.get();
  Status written = WriteAndSync(place, temporary, content);
  if (written && renameat(folder, temporary.c_str(), folder, place.name.c_str()) != 0) {
    written = ErrnoError("rename " + temporary + " to " + place.shown, errno);
  }
  if (written) return place.Sync();
  unlinkat(folder, temporary.c_str(), 0);
  return written;
}

Status Root::MakeWay(std::string_view path) const {
  const auto found = Find(prefix_, path);
  // Where its folder cannot be reached nothing is in its way there.
  if (!found) return found.error().code == ErrorCode::kCorrupt ? Status(found.error()) : Ok();
  const Place& place = *found;
  struct stat info{};
  if (fstatat(place.folder.get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      S_ISREG(info.st_mode)) {
    return Ok();
  }
  if (!S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kAlreadyExists, place.shown + " is no file and not ours: remove it"};
  }
  if (unlinkat(place.folder.get(), place.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
    return place.Sync();
  }
  if (errno != ENOTEMPTY && errno != EEXIST) {
    return ErrnoError("remove folder " + place.shown, errno);
  }
  return Error{ErrorCode::kAlreadyExists,
               place.shown + " is a folder with something in it, and not ours: remove it"};
}

Status Root::MakeFolder(std::string_view path) const {
  const std::string above(path.substr(0, path.rfind('/')));
  const auto found = Find(prefix_, path);
  if (found) return MakeFolderAt(*found);
  if (found.error().code != ErrorCode::kNotFound || above.empty()) return found.error();
  RETURN_IF_ERROR(MakeFolder(above));
  ASSIGN_OR_RETURN(const Place place, Find(prefix_, path));
  return MakeFolderAt(place);
}

Status Root::RemoveFile(std::string_view path) const {
  const auto found = Find(prefix_, path);
  if (!found) return found.error().code == ErrorCode::kNotFound ? Ok() : Status(found.error());
  if (unlinkat(found->folder.get(), found->name.c_str(), 0) != 0) {
    return errno == ENOENT ? Ok() : Status(ErrnoError("remove " + found->shown, errno));
  }
  return found->Sync();
}

Status Root::RemoveFolder(std::string_view path) const {
  const auto names = ListFolder(path);
  if (!names) return names.error().code == ErrorCode::kNotFound ? Ok() : Status(names.error());
  ASSIGN_OR_RETURN(const Place place, Find(prefix_, path));
  {
    ASSIGN_OR_RETURN(const Fd folder, OpenFolder(prefix_, place.shown));
    for (const std::string& name : *names) {
      if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return ErrnoError("remove " + place.shown + "/" + name, errno);
      }
    }
  }
  if (unlinkat(place.folder.get(), place.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return ErrnoError("remove " + place.shown, errno);
  }
  return place.Sync();
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
