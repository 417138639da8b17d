// The kubelet's pod-resources socket, with the answers that a test gives it.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/uv_loop.h"

namespace vdcu::node {

// Posted work alone does not keep a loop going, as a process's other handles do.
class TestLoop : public base::UvLoop {
 public:
  TestLoop() { alive_->Start(base::Duration(3'600'000)); }

 private:
  const base::TimerPtr alive_ = MakeTimer([] {});
};

class Lister {
 public:
  struct Entry {
    std::string ns;
    std::string pod;
    std::string container;
    std::string resource;
    std::vector<std::string> ids;  // none: it has no device
  };

  Lister(std::initializer_list<Entry> entries);
  ~Lister();

  void Listen(const std::string& socket);
  void Set(std::vector<Entry> entries);
  // Resources of which it has devices to give out; nobody was told of others.
  void SetAllocatable(std::vector<std::string> resources);
  // The call is refused, as by a kubelet that lacks it; code 0: it is there again.
  void LackAllocatable(int code, const std::string& message);
  // The next so many requests are too many for it.
  void BeBusy(int times);
  // How many lists it has given.
  int lists() const;

 private:
  class Service;
  const std::unique_ptr<Service> service_;
};

}  // namespace vdcu::node
