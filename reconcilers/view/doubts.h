// What speaks against the word of nodes' daemons. One that is dead cannot say so, but its kubelet
// does: it offers none of a plugin's devices once the plugin's connection is gone. And
// kube-controller-manager says it of a kubelet that is gone.
//
// Promises: a doubt is due only when it has stood for a while, so that the start of a daemon or a
// kubelet is none; and just after the daemon has written, later, as a kubelet tells what it offers
// up to ten seconds after it has changed. Where the daemon answers and the doubt stands
// nevertheless, it is due after twice the time, each time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/symbol.h"
#include "crds/dcunode.h"
#include "kclient/core/node.h"

namespace vdcu::reconcilers {

struct Doubt {
  std::string_view reason;  // of Ready=Unknown
  std::string message;
  base::TimePoint since{};
  bool by_lease = false;  // it is due for as long as that is not renewed
};

// `node` is null where there is no such Node; missed: since its last word the daemon did not
// prepare a slice in time. Nothing: all speaks for the daemon.
std::optional<Doubt> WhyDoubted(const kclient::Node* node, const crds::DcuNode& dcu_node,
                                bool missed);

class Doubts {
 public:
  // The daemon has written its DCUNode. answers: where the condition Ready was Unknown.
  void OnWord(std::string_view node, bool answers, base::TimePoint now);
  // The daemon did not prepare a slice in time.
  void OnMissed(std::string_view node) { rows_[base::Symbol(node)].missed = true; }
  // It has renewed its Lease.
  void OnRenewed(std::string_view node, base::TimePoint now);
  // By what is known now. Returns whether the reason is another than before.
  bool Judge(std::string_view node, const kclient::Node* shown, const crds::DcuNode& dcu_node,
             base::TimePoint now);
  void Forget(std::string_view node) { rows_.erase(base::Symbol(node)); }

  // Null: there is none. Holds until the next change.
  const Doubt* Find(std::string_view node) const;
  // When it is to be said. Of a node that has one.
  base::TimePoint DueAt(std::string_view node) const;

 private:
  struct Row {
    base::TimePoint word_at{};
    base::TimePoint renewed_at{};
    bool missed = false;
    int answered = 0;  // how often the daemon has answered the doubt that stands
    std::optional<Doubt> doubt;
  };

  std::unordered_map<base::Symbol, Row> rows_;  // by node
};

}  // namespace vdcu::reconcilers
