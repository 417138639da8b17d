// vdcu-controller.
#include "base/program/program.h"
#include "controller/app.h"
#include "controller/options.h"
#include "kclient/config.h"

namespace vdcu::controller {
namespace {

base::Result<int> Run(const Options& options) {
  ASSIGN_OR_RETURN(const kclient::Config config, kclient::LoadConfigAndWarn(options.common));
  base::UvLoop loop;
  App app(loop, options, config);
  RETURN_IF_ERROR(app.Start());
  base::RunLoop(loop, [&app] { app.Stop(); });
  return app.exit_code();
}

}  // namespace
}  // namespace vdcu::controller

int main(int argc, char** argv) {
  return vdcu::base::Main(argc, argv, &vdcu::controller::ParseOptions, &vdcu::controller::Run);
}
