// Keeps one resource's plugin known to the kubelet: listens in the kubelet's folder and registers,
// again whenever the kubelet has started anew.
//
// On its start the kubelet removes every socket in the folder and makes its own; so the folder is
// watched (inotify), and within a moment of either the plugin listens and registers again. A pod in
// admission without a registered plugin at that moment would be failed for good.
//
// Each registration has a name of its own for the socket. A kubelet from 1.37 on refuses a name
// that it knows ("device plugin already connected"), and the refusal makes it forget the
// connection, but not the name: no plugin could register under that until the kubelet starts anew.
// It knows a name where a call of before has reached it and its answer was lost, or was not waited
// for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/uv_loop.h"
#include "node/kubelet/plugin_server.h"

namespace vdcu::kubelet {

class Plugin {
 public:
  struct Options {
    std::string folder;                          // the kubelet's device-plugins
    std::string resource;                        // "hygon.com/dcunum"
    std::function<base::Status()> may_register;  // an error: not yet, and why
    std::function<void()> on_registering;        // each time, before the kubelet is told
    std::function<void()> on_registered;         // each time
    std::function<void()> on_watched;            // watched() may be other
  };

  Plugin(base::UvLoop& loop, Options options, PluginHandler& handler);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // Listens and registers as soon as `devices` are known.
  void SetDevices(std::vector<Device> devices);
  // Repairs what no notification tells of: a folder made after the start, or made anew.
  void Check();

  const std::string& resource() const { return options_.resource; }
  // The name of its socket in the folder.
  const std::string& Endpoint() const { return endpoint_; }
  // The name until the first registration, and without what tells one registration from another.
  static std::string EndpointOf(std::string_view resource);
  static std::string WithoutNumber(std::string endpoint);
  bool registered() const { return registered_; }
  // Whether the kubelet has been sent the devices and is still there.
  bool watched() const { return server_ && server_->watched(); }
  // Why it is not registered; empty: it is.
  const std::string& problem() const { return problem_; }

 private:
  class Registration;

  void OnChange(const std::string& name);
  void Listen();
  void Register();
  bool Rename();
  void RemoveSockets() const;
  std::string Path() const { return options_.folder + "/" + endpoint_; }
  void OnAnswer(const base::Status& answer);
  void OnWatched();
  void RetryLater(const base::Error& error);
  void Fail(const base::Error& error);

  base::UvLoop& loop_;
  const Options options_;
  PluginHandler& handler_;
  std::vector<Device> devices_;  // none before the first SetDevices
  bool has_devices_ = false;
  std::string endpoint_;
  std::unique_ptr<PluginServer> server_;
  std::unique_ptr<base::Subscription> watch_;
  std::unique_ptr<Registration> registration_;  // in flight
  base::TimerPtr retry_timer_;
  base::Duration retry_delay_;
  bool registered_ = false;
  std::string problem_ = "has not registered yet";
};

}  // namespace vdcu::kubelet
