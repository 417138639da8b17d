// Requests to the API server of a test's cluster through `kubectl proxy`: cheap enough to ask again
// and again, and as whoever a test wants to be.
//
// Errors: none are returned; a server that does not answer is asked again for three minutes, and
// then the test is aborted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"
#include "tests/world/http.h"

namespace vdcu::world {

// Whether `done` came true before `most` was over; it is asked at least once.
bool Until(const std::function<bool()>& done, base::Duration most = std::chrono::seconds(180));

class Api {
 public:
  struct Answer {
    int code = 0;  // HTTP
    nlohmann::json body;
  };

  explicit Api(const Cluster& cluster);

  // As cluster administrator, or as `user`, a service account or another name, with its own rights.
  // A PATCH is a merge patch.
  Answer Call(const std::string& method, const std::string& path,
              const nlohmann::json& body = nullptr, const std::string& user = "") const;

  // The same, whatever is answered: a webhook's failure is the API server's 500.
  Answer CallOnce(const std::string& method, const std::string& path,
                  const nlohmann::json& body = nullptr) const;

  // All objects below a path of a list, with an optional "?fieldSelector=".
  std::vector<nlohmann::json> List(const std::string& path) const;
  // The object, or null where there is none. It is listed, so that no GET is counted.
  nlohmann::json Find(const std::string& path, const std::string& name) const;
  // A program that writes the changes below a list's path as a watch shows them, an event a line,
  // first what there is.
  std::vector<std::string> WatchCommand(const std::string& path) const;
  // What is there as it is: metrics, a container's log.
  std::string Text(const std::string& path) const;
  std::string Metrics() const { return Text("/metrics"); }

 private:
  HttpAnswer Request(const std::string& method, const std::string& path, const std::string& body,
                     const std::string& user) const;

  std::string socket_;
  Background proxy_;
};

}  // namespace vdcu::world
