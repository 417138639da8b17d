// What the senders know and have sent.
#include <algorithm>

#include "tests/simulation/simulated_api.h"
#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using kclient::HttpRequest;
using kclient::HttpResponse;
using Json = SimulatedApi::Json;

void SimulatedApi::NoteSent(Pending& pending) {
  const HttpRequest& request = pending.request;
  const Target target = Parse(request.path);
  if (request.method == "GET" || target.kind == "events") return;
  const Json body = Json::parse(request.body);
  const std::string name = request.method == "POST" && target.subresource.empty()
                               ? Text(body, "/metadata/name")
                               : std::string();
  pending.write = Write{.sender = pending.sender,
                        .method = request.method,
                        .kind = target.kind,
                        .key = target.key + name,
                        .subresource = target.subresource,
                        .body = body};
  if (const std::string why = WhyTooSoon(*pending.write); !why.empty()) {
    faults_found_.push_back("sent: " + pending.write->key + ": " + why);
  }
  if (pending.sender == kController) {
    pending.identity = request.method + " " + request.path + " " + request.body;
    pending.repeats = !unshown_.emplace(pending.identity, *pending.write).second;
  }
  if (pending.repeats) return;
  if (const std::string wrong = on_sent(*pending.write); !wrong.empty()) {
    faults_found_.push_back("sent: " + pending.write->key + ": " + wrong);
  }
}

void SimulatedApi::NoteStored(const Pending& pending, const HttpResponse& answer) {
  if (!pending.write || answer.status != 200) return;
  Write write = *pending.write;
  write.stray = !pending.on_done;
  if (const std::string wrong = on_stored(write); !wrong.empty()) {
    faults_found_.push_back("stored: " + write.key + ": " + wrong);
  }
}

// A refusal tells of this try only; what is stored already may be what an earlier one stored.
void SimulatedApi::NoteAnswer(const Pending& pending) {
  if (!pending.answer) return;
  if (pending.write) NoteRefused(*pending.write, pending.answer->status);
  if (pending.request.method == "GET") {
    // A reflector that only asks for the version shows nobody what is in the answer.
    const bool asks_version = (pending.request.path + "&").find("limit=1&") != std::string::npos;
    const bool lists = pending.request.path.find("limit=") != std::string::npos && !asks_version;
    if (pending.answer->status != 200 || !lists) return;
    return ShowList(pending.sender, Parse(pending.request.path).kind,
                    Json::parse(pending.answer->body));
  }
  if (pending.sender != kController) return;
  const int status = pending.answer->status;
  const bool refused = status >= 400 && (status != 409 || pending.request.method != "POST");
  if (refused && !pending.repeats) unshown_.erase(pending.identity);
  const auto sent = unshown_.find(pending.identity);
  if (status != 200 || pending.request.method != "POST" || sent == unshown_.end()) return;
  const Json stored = Json::parse(pending.answer->body);
  sent->second.stored = std::stoll("0" + Text(stored, "/metadata/resourceVersion"));
  ForgetUnlisted(sent->second.kind);
}

namespace {

// The same write of the same object, whatever is in it; to assign and to take back are two.
std::string WhatIsWritten(const SimulatedApi::Write& write, bool assigns) {
  return write.sender + ": " + write.method + (assigns ? " assigns " : " ") + write.kind + " " +
         write.key + " " + write.subresource + " " + Text(write.body, "/metadata/uid") +
         Text(write.body, "/preconditions/uid");
}
std::string WhatIsWritten(const SimulatedApi::Write& write) {
  return WhatIsWritten(write, Grants(write.body));
}

// What is made for a pod is made anew at once where the pod has come to a node by itself since: its
// kubelet waits.
std::string WhatIsMade(const SimulatedApi::Write& write, const std::map<std::string, Json>& pods) {
  const std::string ns = write.key.substr(0, write.key.find('/') + 1);
  const auto pod = pods.find(ns + Text(write.body, "/spec/podRef/name"));
  const bool bound = pod != pods.end() && !Text(pod->second, "/spec/nodeName").empty();
  return WhatIsWritten(write) + (bound ? " for a bound pod" : "");
}

}  // namespace

void SimulatedApi::NoteRefused(const Write& write, int status) {
  if (status == 403) {
    refused_[WhatIsMade(write, Shown("pods"))] = loop_.clock().Now();
  } else {
    refused_.erase(WhatIsMade(write, Shown("pods")));
    // What is taken back next is another assignment than the one that was kept.
    if (Grants(write.body)) refused_.erase(WhatIsWritten(write, false));
  }
}

// What a rule refuses is refused again.
std::string SimulatedApi::WhyTooSoon(const Write& write) {
  constexpr base::Duration kSoonest{125};
  const auto found = refused_.find(WhatIsMade(write, Shown("pods")));
  if (found == refused_.end() || loop_.clock().Now() - found->second >= kSoonest) return "";
  // A request is set back when all its writes have been answered.
  const bool asked = std::any_of(pending_.begin(), pending_.end(), [&](const auto& item) {
    const auto& other = item.second.write;
    return other && item.second.on_done && Grants(other->body) && other->key != write.key &&
           Text(other->body, "/spec/podRef/uid") == Text(write.body, "/spec/podRef/uid");
  });
  if (asked && Grants(write.body) && write.method == "POST") return "";
  return write.method + " " + write.kind + "/" + write.subresource + " again, refused just now";
}

void SimulatedApi::ShowList(const std::string& sender, const std::string& kind, const Json& list) {
  shown_[sender][kind].clear();
  for (const Json& object : list["items"]) {
    Show(sender, kind, {{"type", "ADDED"}, {"object", object}});
  }
  if (sender != kController) return;
  listed_[kind] = std::stoll(Text(list, "/metadata/resourceVersion"));
  ForgetUnlisted(kind);
}

// What was stored before the last list, and is still not shown, had been deleted by then.
void SimulatedApi::ForgetUnlisted(const std::string& kind) {
  const int64_t listed = listed_[kind];
  std::erase_if(unshown_, [&](const auto& item) {
    const Write& write = item.second;
    return write.kind == kind && write.stored != 0 && write.stored <= listed;
  });
}

void SimulatedApi::Show(const std::string& sender, const std::string& kind, const Json& event) {
  const Json& object = event["object"];
  const std::string ns = Text(object, "/metadata/namespace");
  const std::string key = (ns.empty() ? "" : ns + "/") + Text(object, "/metadata/name");
  const bool gone = event["type"] == "DELETED";
  if (sender == kController) ForgetShown(kind, object, key, gone);
  if (gone) {
    shown_[sender][kind].erase(key);
  } else {
    shown_[sender][kind][key] = object;
  }
}

// Of the controller's writes.
void SimulatedApi::ForgetShown(const std::string& kind, const Json& object, const std::string& key,
                               bool gone) {
  // A binding is shown when the pod is bound.
  const bool bound = gone || !Text(object, "/spec/nodeName").empty();
  std::erase_if(unshown_, [&](const auto& item) {
    const Write& write = item.second;
    return write.kind == kind && write.key == key && (bound || write.subresource != "binding");
  });
}

void SimulatedApi::Forget(const std::string& sender) {
  std::erase_if(refused_, [&](const auto& item) { return item.first.starts_with(sender + ":"); });
  shown_.erase(sender);
  if (sender == kController) unshown_.clear();
}

}  // namespace vdcu::simulation
