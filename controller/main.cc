// vdcu-controller. Exit codes: 0 ended by a signal, 1 failed, 2 wrong command line.
#include <memory>
#include <variant>

#include "base/log.h"
#include "base/memory.h"
#include "base/uv_loop.h"
#include "controller/app.h"
#include "controller/options.h"
#include "kclient/config.h"

namespace vdcu::controller {
namespace {

int Main(int argc, char** argv) {
  const auto parsed = ParseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto& options = std::get<Options>(parsed);
  base::SetUpHeap();
  base::SetUpLogging(options.common.log_level, options.common.log_format);

  const auto config = kclient::LoadConfig(options.common.kubeconfig);
  if (!config) {
    base::Log(base::Level::kError, "no way to the API server", {{"error", config.error().message}});
    return base::kExitFailure;
  }
  for (const std::string& warning : kclient::WarningsOf(*config)) {
    base::Log(base::Level::kWarning, "credentials are not safe", {{"why", warning}});
  }
  base::UvLoop loop;
  App app(loop, options, *config);
  if (const auto started = app.Start(); !started) {
    base::Log(base::Level::kError, "cannot start", {{"error", started.error().message}});
    return base::kExitFailure;
  }
  loop.Run();
  return app.exit_code();
}

}  // namespace
}  // namespace vdcu::controller

int main(int argc, char** argv) { return vdcu::controller::Main(argc, argv); }
