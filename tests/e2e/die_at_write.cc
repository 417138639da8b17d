// Loaded into vdcu-node (LD_PRELOAD): ends it at once, as SIGKILL would, before the n-th change of
// the files that it keeps below its host root, n being VDCU_DIE_AT_WRITE. A change is what makes,
// renames or removes something; what is written into a new file counts with its making. (As pid 1
// of a PID namespace a process cannot kill itself.)
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <string>

namespace {

// By the path that this process knows the folder by.
bool IsOurs(int folder, const char* name) {
  char path[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(folder);
  if (readlink(link.c_str(), path, sizeof path - 1) < 0) return false;
  const std::string full = std::string(path) + "/" + name;
  return full.starts_with("/host/etc/vdev") || full.starts_with("/host/var/lib/vdcu");
}

bool Exists(int folder, const char* name) {
  struct stat state{};
  return fstatat(folder, name, &state, AT_SYMLINK_NOFOLLOW) == 0;
}

void CountOne() {
  static std::atomic<int> left = [] {
    const char* given = getenv("VDCU_DIE_AT_WRITE");
    return given == nullptr ? 0 : atoi(given);
  }();
  if (--left == 0) _exit(137);
}

template <class Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int openat(int folder, const char* name, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (IsOurs(folder, name)) CountOne();
  }
  static const auto next = Next<int (*)(int, const char*, int, ...)>("openat");
  return next(folder, name, flags, mode);
}

int renameat(int from, const char* name, int to, const char* new_name) noexcept {
  if (IsOurs(to, new_name)) CountOne();
  static const auto next = Next<int (*)(int, const char*, int, const char*)>("renameat");
  return next(from, name, to, new_name);
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  if (IsOurs(folder, name) && Exists(folder, name)) CountOne();
  static const auto next = Next<int (*)(int, const char*, int)>("unlinkat");
  return next(folder, name, flags);
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  if (IsOurs(folder, name) && !Exists(folder, name)) CountOne();
  static const auto next = Next<int (*)(int, const char*, mode_t)>("mkdirat");
  return next(folder, name, mode);
}

}  // extern "C"
