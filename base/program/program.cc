#include "base/program/program.h"

#include <csignal>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/memory.h"

namespace vdcu::base {

void SetUpProcess(const CommonFlags& flags) {
  SetUpHeap();
  SetUpLogging(flags.log_level, flags.log_format);
}

int CannotStart(const Error& error) {
  Log(Level::kError, "cannot start", {{"error", error.message}});
  return kExitFailure;
}

Result<std::unique_ptr<HttpServer>> Serve(UvLoop& loop, const CommonFlags& flags,
                                          std::vector<HttpRoute> routes) {
  if (flags.listen.empty()) return std::unique_ptr<HttpServer>();
  ASSIGN_OR_RETURN(auto server, HttpServer::Listen(loop, flags.listen, std::move(routes)));
  Log(Level::kInfo, "serving", {{"port", std::to_string(server->port())}});
  return server;
}

void RunLoop(UvLoop& loop, const std::function<void()>& on_signal) {
  const auto on_term = loop.OnSignal(SIGTERM, on_signal);
  const auto on_int = loop.OnSignal(SIGINT, on_signal);
  loop.Run();
}

}  // namespace vdcu::base
