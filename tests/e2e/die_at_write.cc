// Loaded into vdcu-node (LD_PRELOAD): ends it at once, as SIGKILL would, before the n-th change of
// the files that it keeps below its host root, n being VDCU_DIE_AT_WRITE. A change is what makes,
// renames or removes something; what is written into a new file counts with its making. (As pid 1
// of a PID namespace a process cannot kill itself.)
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

bool IsOurs(const char* path) {
  return strncmp(path, "/host/etc/vdev", 14) == 0 || strncmp(path, "/host/var/lib/vdcu", 18) == 0;
}

bool Exists(const char* path) {
  struct stat state{};
  return lstat(path, &state) == 0;
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

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (IsOurs(path)) CountOne();
  }
  static const auto next = Next<int (*)(const char*, int, ...)>("open");
  return next(path, flags, mode);
}

int rename(const char* from, const char* to) noexcept {
  if (IsOurs(to)) CountOne();
  static const auto next = Next<int (*)(const char*, const char*)>("rename");
  return next(from, to);
}

int unlink(const char* path) noexcept {
  if (IsOurs(path) && Exists(path)) CountOne();
  static const auto next = Next<int (*)(const char*)>("unlink");
  return next(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (IsOurs(path) && !Exists(path)) CountOne();
  static const auto next = Next<int (*)(const char*, mode_t)>("mkdir");
  return next(path, mode);
}

int rmdir(const char* path) noexcept {
  if (IsOurs(path) && Exists(path)) CountOne();
  static const auto next = Next<int (*)(const char*)>("rmdir");
  return next(path);
}

}  // extern "C"
