// enter [--pid-file FILE] [--confined] PID COMMAND...
// Runs COMMAND in the mount and PID namespaces of process PID, and stands for it: passes signals
// on, takes the command with it when it is killed, and ends as the command does. (nsenter passes no
// signal on, and leaves the command behind.) FILE gets the command's pid as seen from outside.
// Confined: the command gets PID namespace, /proc and mounts of its own, and no capability at all.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kCannot = 126, kNotFound = 127 };

static const int kPassedOn[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT};
static const size_t kPassedOnCount = sizeof kPassedOn / sizeof kPassedOn[0];

static void Die(const char* what) {
  fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
  exit(kCannot);
}

static void EnterNamespace(const char* pid, const char* name, int kind) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, kind) < 0) Die(path);
  close(fd);
}

static void WritePid(int file, pid_t pid) {
  if (dprintf(file, "%d\n", pid) < 0 || close(file) != 0) Die("write the pid");
}

// Ends as the child did; signals that arrive here go to it.
static void StandFor(pid_t child, const sigset_t* passed_on) {
  for (;;) {
    int status;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child && WIFEXITED(status)) exit(WEXITSTATUS(status));
    if (ended == child && WIFSIGNALED(status)) exit(128 + WTERMSIG(status));
    const int signal = sigwaitinfo(passed_on, NULL);
    if (signal > 0 && signal != SIGCHLD) kill(child, signal);
  }
}

// Returns in a child that dies with this process, which waits for it and never returns.
static void Fork(int pid_file, const sigset_t* passed_on, const sigset_t* before) {
  int alive[2];  // its other end closes when this process has died before the prctl
  if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) != 0) Die("pipe");
  const pid_t child = fork();
  if (child < 0) Die("fork");
  if (child > 0) {
    close(alive[0]);
    if (pid_file >= 0) WritePid(pid_file, child);
    StandFor(child, passed_on);
  }
  close(alive[1]);
  char byte;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (read(alive[0], &byte, 1) == 0) _exit(kCannot);
  close(alive[0]);
  if (before != NULL) sigprocmask(SIG_SETMASK, before, NULL);
}

static void Confine(void) {
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) Die("make mounts private");
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
    Die("mount proc");
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability) != 0) Die("drop a capability");
  }
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capset, &header, none) != 0) Die("drop all capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Die("no new privileges");
}

int main(int argc, char** argv) {
  int pid_file = -1;
  int confined = 0;
  int next = 1;
  for (; next < argc && strncmp(argv[next], "--", 2) == 0; ++next) {
    if (strcmp(argv[next], "--confined") == 0) {
      confined = 1;
    } else if (strcmp(argv[next], "--pid-file") == 0 && next + 1 < argc) {
      pid_file = open(argv[++next], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      if (pid_file < 0) Die(argv[next]);
    }
  }
  if (argc - next < 2) {
    fputs("usage: enter [--pid-file FILE] [--confined] PID COMMAND...\n", stderr);
    return kCannot;
  }
  sigset_t passed_on, before;
  sigemptyset(&passed_on);
  sigaddset(&passed_on, SIGCHLD);
  for (size_t i = 0; i < kPassedOnCount; ++i) sigaddset(&passed_on, kPassedOn[i]);
  sigprocmask(SIG_BLOCK, &passed_on, &before);
  EnterNamespace(argv[next], "pid", CLONE_NEWPID);
  EnterNamespace(argv[next], "mnt", CLONE_NEWNS);
  Fork(pid_file, &passed_on, confined ? NULL : &before);
  if (confined) {
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) Die("unshare");
    Fork(-1, &passed_on, &before);
    Confine();
  }
  execvp(argv[next + 1], argv + next + 1);
  const int code = errno == ENOENT ? kNotFound : kCannot;
  fprintf(stderr, "enter: %s: %s\n", argv[next + 1], strerror(errno));
  return code;
}
