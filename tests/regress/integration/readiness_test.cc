// Green while dead: all watches of the controller failed, or the daemon's token was refused, and
// /readyz said 200. Right: 503 with the reason once that has lasted, and /livez stays 200.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/fault_test.h"
#include "tests/world/http.h"
#include "tests/world/paths.h"

namespace vdcu::faults {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using world::Background;
using world::HttpAnswer;

// One of ours that serves, and its log.
struct Served {
  Served(std::vector<std::string> arguments, const std::string& log) : log_(log) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
    process_ = std::make_unique<Background>(arguments, log);
  }
  HttpAnswer Get(const std::string& path) const {
    return world::Fetch({.url = "http://127.0.0.1:" + Port() + path});
  }
  bool Serves() const { return !Port().empty(); }
  std::string Log() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string Port() const {
    const std::string log = Log();
    const size_t at = log.find("serving port=");
    return at == std::string::npos ? "" : log.substr(at + 13, log.find('\n', at) - at - 13);
  }

  const std::string log_;
  std::unique_ptr<Background> process_;
};

class ReadinessTest : public FaultTest {
 protected:
  void SetUp() override {
    FaultTest::SetUp();
    tends_ = false;
    world().controller.reset();
    world().node.Kill();
    const std::string folder = world().cluster.folder();
    controller_ = std::make_unique<Served>(
        std::vector<std::string>{world::ControllerBinary(), "--kubeconfig", world().kubeconfig},
        folder + "/served-controller-" + Name());
    daemon_ = std::make_unique<Served>(
        std::vector<std::string>{world::NodeBinary(), "--kubeconfig",
                                 folder + "/token-vdcu-system-vdcu-node-" + kNode, "--node-name",
                                 kNode, "--host-root", world().node.folder(), "--kubelet-dir", "",
                                 "--advertise"},
        folder + "/served-daemon-" + Name());
    for (const Served* served : {controller_.get(), daemon_.get()}) {
      ASSERT_TRUE(Reach("it serves and is ready", [&] {
        return served->Serves() && served->Get("/readyz").code == 200;
      })) << served->Log();
    }
  }
  void TearDown() override {
    controller_.reset();
    daemon_.reset();
    FaultTest::TearDown();
  }
  static std::string Name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  // Not ready for that reason, and alive.
  void ExpectNotReady(const Served& served, const std::string& reason) {
    HttpAnswer ready;
    Reach("not ready: " + reason, [&] {
      ready = served.Get("/readyz");
      return ready.code == 503 && ready.text.find(reason) != std::string::npos;
    });
    EXPECT_EQ(ready.code, 503);
    EXPECT_THAT(ready.text, HasSubstr(reason));
    EXPECT_EQ(served.Get("/livez").code, 200);
    EXPECT_EQ(served.Get("/healthz").code, 200);
  }
  void ExpectReady(const Served& served) {
    Reach("ready again", [&] { return served.Get("/readyz").code == 200; });
  }

  std::unique_ptr<Served> controller_;
  std::unique_ptr<Served> daemon_;
};

TEST_F(ReadinessTest, WatchesThatFailForHalfAMinuteAreToldAndNotBefore) {
  proxy().Plan({json{{"watch", true}, {"do", "answer"}, {"code", 503}}});
  // Again and again, as one may be about to open.
  Reach("all watches have failed", [] {
    proxy().CutWatches();
    return proxy().Record().fired[0] >= 27;
  });
  EXPECT_EQ(controller_->Get("/readyz").code, 200) << "it may be over soon";
  EXPECT_EQ(daemon_->Get("/readyz").code, 200);
  for (const char* kind : {"pods", "nodes", "vdcupartitions.vdcu.io", "dcunodes.vdcu.io",
                           "persistentvolumes", "persistentvolumeclaims"}) {
    ExpectNotReady(*controller_, std::string(kind) + ": list and watch have failed for ");
  }
  ExpectNotReady(*daemon_, "pods: list and watch have failed for ");
  ExpectNotReady(*daemon_, "answered by the fault proxy");
  for (const Served* served : {controller_.get(), daemon_.get()}) {
    EXPECT_THAT(served->Get("/metrics").text,
                testing::ContainsRegex("vdcu_watch_failing_seconds.kind=\"pods\". [1-9][0-9]"));
  }
  proxy().Plan({});
  ExpectReady(*controller_);
  ExpectReady(*daemon_);
}

TEST_F(ReadinessTest, ATokenThatIsRefusedIsTold) {
  proxy().Plan({json{{"method", "*"}, {"do", "answer"}, {"code", 401}}});
  proxy().CutWatches();
  ExpectNotReady(*daemon_, "refused our token or client certificate (401)");
  ExpectNotReady(*controller_, "refused our token or client certificate (401)");
  proxy().Plan({});
  ExpectReady(*controller_);
  ExpectReady(*daemon_);
}

}  // namespace
}  // namespace vdcu::faults
