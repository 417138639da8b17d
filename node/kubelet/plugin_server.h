// One resource's device plugin as the kubelet calls it: a gRPC server on a Unix socket.
// Source: module k8s.io/kubelet, pkg/apis/deviceplugin/v1beta1/api.proto.
//
// Promises: each call becomes one call of the handler on the loop, and its answer goes out when the
// handler gives it; calls that are open when the server is destroyed are answered UNAVAILABLE;
// every ListAndWatch stream gets each list of devices, or a later one.
// Threads: gRPC's own only post to the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace vdcu::kubelet {

struct Device {
  std::string id;
  bool healthy = true;

  friend bool operator==(const Device&, const Device&) = default;
};

// What the kubelet wants to choose: `size` of `available`, all of `required` among them.
struct Choice {
  std::vector<std::string> available;
  std::vector<std::string> required;
  size_t size = 0;
};

// What a container gets.
struct ContainerEdits {
  struct Mount {
    std::string container_path;
    std::string host_path;

    friend bool operator==(const Mount&, const Mount&) = default;
  };
  struct DeviceNode {
    std::string path;         // the same in the container and on the host
    std::string permissions;  // of "rwm"

    friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
  };

  std::vector<Mount> mounts;  // read-only, all of them
  std::vector<DeviceNode> devices;

  friend bool operator==(const ContainerEdits&, const ContainerEdits&) = default;
};

// Each `done` is called once, at once or later. An error's message reaches the pod's status.
class PluginHandler {
 public:
  template <class T>
  using Done = std::function<void(base::Result<T>)>;

  virtual ~PluginHandler() = default;
  virtual void Choose(const std::string& resource, Choice choice,
                      Done<std::vector<std::string>> done) = 0;
  virtual void Allocate(const std::string& resource, std::vector<std::string> ids,
                        Done<ContainerEdits> done) = 0;
  virtual void PreStart(const std::string& resource, std::vector<std::string> ids,
                        Done<void> done) = 0;
};

class PluginServer {
 public:
  struct Options {
    std::string socket;                        // a path; what is there is replaced
    std::string resource;                      // what the handler is given
    std::function<void()> on_watched = [] {};  // watched() may be other
  };

  // Errors: kUnavailable.
  static base::Result<std::unique_ptr<PluginServer>> Listen(base::Loop& loop,
                                                            const Options& options,
                                                            PluginHandler& handler,
                                                            const std::vector<Device>& devices);
  ~PluginServer();
  PluginServer(const PluginServer&) = delete;
  PluginServer& operator=(const PluginServer&) = delete;

  void SetDevices(const std::vector<Device>& devices);
  // Whether somebody has got a list of devices and waits for the next.
  bool watched() const;

 private:
  class Service;

  explicit PluginServer(std::unique_ptr<Service> service);

  std::unique_ptr<Service> service_;
};

}  // namespace vdcu::kubelet
