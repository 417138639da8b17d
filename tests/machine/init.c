// The first process of a simulated machine, and its pods' pause container: sleeps, and reaps what
// is left to it. Ends on SIGTERM and SIGINT.
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void Reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static void End(int signal) {
  (void)signal;
  _exit(0);
}

int main(void) {
  const struct sigaction reap = {.sa_handler = Reap, .sa_flags = SA_NOCLDSTOP};
  const struct sigaction end = {.sa_handler = End};
  sigaction(SIGCHLD, &reap, NULL);
  sigaction(SIGTERM, &end, NULL);
  sigaction(SIGINT, &end, NULL);
  Reap(SIGCHLD);
  for (;;) pause();
}
