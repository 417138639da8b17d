#include "tests/reconcilers/simulated_api.h"

#include "base/check.h"
#include "tests/reconcilers/simulated_objects.h"

namespace vdcu::reconcilers {

using kclient::HttpRequest;
using kclient::HttpResponse;
using Json = SimulatedApi::Json;

namespace {

HttpResponse Refuse(int status, const std::string& reason) {
  const Json body = {{"kind", "Status"}, {"code", status}, {"reason", reason}, {"message", reason}};
  return {status, body.dump(), {}};
}

HttpResponse Done(const Json& object) { return {200, object.dump(), {}}; }

// A binding carries its UID in metadata, a patch too; a delete in its preconditions.
bool Holds(const Json& wanted, const Json& object) {
  for (const char* field : {"uid", "resourceVersion"}) {
    const std::string text = wanted.value(field, std::string());
    if (!text.empty() && text != object["metadata"].value(field, "")) return false;
  }
  return true;
}

void MergeConditions(Json& status, const Json& patch) {
  Json& conditions = status["conditions"];
  for (const Json& wanted : patch.value("conditions", Json::array())) {
    bool found = false;
    for (Json& condition : conditions) {
      if (condition["type"] != wanted["type"]) continue;
      condition.merge_patch(wanted);
      found = true;
    }
    if (!found) conditions.push_back(wanted);
  }
}

}  // namespace

class SimulatedApi::Call : public kclient::Call {
 public:
  Call(SimulatedApi& api, uint64_t id) : api_(api), id_(id) {}
  ~Call() override {
    api_.watches_.erase(id_);
    const auto pending = api_.pending_.find(id_);
    if (pending != api_.pending_.end()) pending->second.on_done = nullptr;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  SimulatedApi& api_;
  const uint64_t id_;
};

// --- requests and watches ---

kclient::CallPtr SimulatedApi::Send(HttpRequest request, kclient::ResponseCallback on_done) {
  const uint64_t id = next_id_++;
  Pending& pending = pending_[id];
  pending.request = std::move(request);
  pending.on_done = std::move(on_done);
  NoteSent(pending);
  pending.timer = loop_.MakeTimer([this, id] { OnArrival(id); });
  pending.timer->Start(Delay());
  return std::make_unique<Call>(*this, id);
}

void SimulatedApi::OnArrival(uint64_t id) {
  Pending& pending = pending_.at(id);
  const double fate = Draw();
  if (pending.write && refuses && refuses(*pending.write)) {
    pending.answer = Refuse(403, "Forbidden");
  } else if (fate < faults_ / 3) {
    pending.answer = Draw() < 0.5 ? Refuse(403, "Forbidden") : Refuse(429, "TooManyRequests");
  } else if (fate < faults_ * 2 / 3) {
    pending.answer = base::Error{base::ErrorCode::kUnavailable, "lost on the way there", {}};
  } else {
    const HttpResponse answer = Handle(pending.request);
    NoteStored(pending, answer);
    pending.answer = answer;
    if (fate < faults_) {
      pending.answer = base::Error{base::ErrorCode::kUnavailable, "lost on the way back", {}};
    }
  }
  pending.timer = loop_.MakeTimer([this, id] { OnAnswer(id); });
  pending.timer->Start(Delay());
}

void SimulatedApi::OnAnswer(uint64_t id) {
  Pending pending = std::move(pending_.at(id));
  pending_.erase(id);
  if (!pending.on_done) return;
  NoteAnswer(pending);
  pending.on_done(std::move(pending.answer));
}

kclient::CallPtr SimulatedApi::Stream(HttpRequest request, kclient::DataCallback on_data,
                                      kclient::ResponseCallback on_end) {
  const uint64_t id = next_id_++;
  constexpr std::string_view kVersion = "resourceVersion=";
  const int64_t from =
      std::stoll(request.path.substr(request.path.find(kVersion) + kVersion.size()));
  Watch& watch = watches_[id];
  watch.kind = Parse(request.path).kind;
  const auto& log = kinds_[watch.kind].log;
  while (watch.next < log.size() && log[watch.next].first <= from) ++watch.next;
  watch.on_data = std::move(on_data);
  watch.on_end = std::move(on_end);
  watch.timer = loop_.MakeTimer([this, id] { OnWatchTimer(id); });
  watch.timer->Start(Delay());
  return std::make_unique<Call>(*this, id);
}

void SimulatedApi::OnWatchTimer(uint64_t id) {
  Watch& watch = watches_.at(id);
  const auto& log = kinds_[watch.kind].log;
  if (Draw() < faults_ / 4) return EndWatch(id, Draw() < 0.3);
  if (watch.next == log.size()) return;
  const std::string line = log[watch.next++].second;
  if (watch.next < log.size()) watch.timer->Start(Draw() < 0.5 ? base::Duration(0) : Delay());
  Show(watch.kind, Json::parse(line));
  const auto on_data = watch.on_data;  // it may end the watch
  on_data(line);
}

void SimulatedApi::EndWatch(uint64_t id, bool expired) {
  Watch& watch = watches_.at(id);
  if (expired) {
    const auto on_data = watch.on_data;
    const Json status = {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}};
    return on_data(Json{{"type", "ERROR"}, {"object", status}}.dump() + "\n");
  }
  const auto on_end = watch.on_end;
  watches_.erase(id);
  on_end(base::Error{base::ErrorCode::kUnavailable, "the watch broke", {}});
}

// --- what the controller knows and has sent ---

void SimulatedApi::NoteSent(Pending& pending) {
  const HttpRequest& request = pending.request;
  const Target target = Parse(request.path);
  if (request.method == "GET" || target.kind == "events") return;
  const Json body = Json::parse(request.body);
  const std::string name = request.method == "POST" && target.subresource.empty()
                               ? Text(body, "/metadata/name")
                               : std::string();
  pending.write = Write{request.method, target.kind, target.key + name, target.subresource, body};
  if (const std::string why = WhyTooSoon(*pending.write); !why.empty()) {
    faults_found_.push_back("sent: " + pending.write->key + ": " + why);
  }
  pending.identity = request.method + " " + request.path + " " + request.body;
  pending.repeats = !unshown_.emplace(pending.identity, *pending.write).second;
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
  if (pending.request.method == "GET") {
    // A reflector that only asks for the version shows nobody what is in the answer.
    const bool asks_version = (pending.request.path + "&").find("limit=1&") != std::string::npos;
    if (pending.answer->status != 200 || asks_version) return;
    return ShowList(Parse(pending.request.path).kind, Json::parse(pending.answer->body));
  }
  const int status = pending.answer->status;
  if (pending.write) NoteRefused(*pending.write, status);
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
  return write.method + (assigns ? " assigns " : " ") + write.kind + " " + write.key + " " +
         write.subresource + " " + Text(write.body, "/metadata/uid") +
         Text(write.body, "/preconditions/uid");
}
std::string WhatIsWritten(const SimulatedApi::Write& write) {
  return WhatIsWritten(write, Grants(write.body));
}

}  // namespace

void SimulatedApi::NoteRefused(const Write& write, int status) {
  if (status == 403) {
    refused_[WhatIsWritten(write)] = loop_.clock().Now();
  } else {
    refused_.erase(WhatIsWritten(write));
    // What is taken back next is another assignment than the one that was kept.
    if (Grants(write.body)) refused_.erase(WhatIsWritten(write, false));
  }
}

// What a rule refuses is refused again.
std::string SimulatedApi::WhyTooSoon(const Write& write) const {
  constexpr base::Duration kSoonest{125};
  const auto found = refused_.find(WhatIsWritten(write));
  if (found == refused_.end() || loop_.clock().Now() - found->second >= kSoonest) return "";
  return write.method + " " + write.kind + "/" + write.subresource + " again, refused just now";
}

void SimulatedApi::ShowList(const std::string& kind, const Json& list) {
  kinds_[kind].shown.clear();
  for (const Json& object : list["items"]) Show(kind, {{"type", "ADDED"}, {"object", object}});
  kinds_[kind].listed = std::stoll(Text(list, "/metadata/resourceVersion"));
  ForgetUnlisted(kind);
}

// What was stored before the last list, and is still not shown, had been deleted by then.
void SimulatedApi::ForgetUnlisted(const std::string& kind) {
  const int64_t listed = kinds_[kind].listed;
  std::erase_if(unshown_, [&](const auto& item) {
    const Write& write = item.second;
    return write.kind == kind && write.stored != 0 && write.stored <= listed;
  });
}

void SimulatedApi::Show(const std::string& kind, const Json& event) {
  const Json& object = event["object"];
  const std::string ns = Text(object, "/metadata/namespace");
  const std::string key = (ns.empty() ? "" : ns + "/") + Text(object, "/metadata/name");
  const bool gone = event["type"] == "DELETED";
  // A binding is shown when the pod is bound.
  const bool bound = gone || !Text(object, "/spec/nodeName").empty();
  std::erase_if(unshown_, [&](const auto& item) {
    const Write& write = item.second;
    return write.kind == kind && write.key == key && (bound || write.subresource != "binding");
  });
  if (gone) {
    kinds_[kind].shown.erase(key);
  } else {
    kinds_[kind].shown[key] = object;
  }
}

void SimulatedApi::ForgetShown() {
  refused_.clear();
  for (auto& [name, kind] : kinds_) kind.shown.clear();
  unshown_.clear();
}

// --- what a request does ---

// /api/v1/namespaces/NS/pods/NAME/binding, /apis/vdcu.io/v1alpha1/dcunodes/NAME, …
SimulatedApi::Target SimulatedApi::Parse(const std::string& path) {
  std::vector<std::string> parts;
  const std::string clean = path.substr(1, path.find('?') - 1) + "/";
  for (size_t begin = 0; begin < clean.size();) {
    const size_t end = clean.find('/', begin);
    parts.push_back(clean.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.erase(parts.begin(), parts.begin() + (parts[0] == "api" ? 2 : 3));
  std::string ns;
  if (parts[0] == "namespaces" && parts.size() > 1) {
    ns = parts[1] + "/";
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  parts.resize(3);
  return {parts[0], ns + parts[1], parts[2]};
}

HttpResponse SimulatedApi::Handle(const HttpRequest& request) {
  const Target target = Parse(request.path);
  if (request.method == "GET") return List(target.kind);
  const Json body = Json::parse(request.body);
  if (target.kind == "events") {
    Json event = body;
    event["metadata"]["uid"] = "event";
    return Done(event);
  }
  if (target.subresource == "binding") return HandleBind(target, body);
  if (request.method == "POST") return HandleCreate(target, body);
  if (request.method == "PATCH") return HandlePatch(target, body);
  return HandleDelete(target, body);
}

HttpResponse SimulatedApi::List(const std::string& kind) {
  Json items = Json::array();
  for (const auto& [key, object] : kinds_[kind].objects) items.push_back(object);
  return Done({{"metadata", {{"resourceVersion", std::to_string(version_)}}}, {"items", items}});
}

HttpResponse SimulatedApi::HandleCreate(const Target& target, const Json& body) {
  const std::string key = target.key + Text(body, "/metadata/name");
  if (Find(target.kind, key)) return Refuse(409, "AlreadyExists");
  Json object = body;
  object.erase("status");
  Create(target.kind, std::move(object));
  return Done(*Find(target.kind, key));
}

HttpResponse SimulatedApi::HandleBind(const Target& target, const Json& body) {
  const Json* pod = Find(target.kind, target.key);
  if (!pod) return Refuse(404, "NotFound");
  const bool bound = !Text(*pod, "/spec/nodeName").empty();
  const bool deleting = (*pod)["metadata"].contains("deletionTimestamp");
  if (!Holds(body["metadata"], *pod) || bound || deleting) return Refuse(409, "Conflict");
  const std::string node = body["target"]["name"];
  const Json annotations = body["metadata"].value("annotations", Json::object());
  Change(target.kind, target.key, [&](Json& changed) {
    changed["spec"]["nodeName"] = node;
    for (const auto& [name, value] : annotations.items()) {
      changed["metadata"]["annotations"][name] = value;
    }
  });
  return Done(body);
}

HttpResponse SimulatedApi::HandlePatch(const Target& target, const Json& body) {
  const Json* object = Find(target.kind, target.key);
  if (!object) return Refuse(404, "NotFound");
  if (!Holds(body["metadata"], *object)) return Refuse(409, "Conflict");
  Json next = *object;
  if (target.subresource == "status") {
    if (target.kind == "pods") {
      MergeConditions(next["status"], body["status"]);
    } else {
      next["status"].merge_patch(body["status"]);
    }
  } else {
    const Json::json_pointer assignment("/spec/assignment");
    Json patch = body;
    patch["metadata"].erase("resourceVersion");
    patch.erase("status");
    next.merge_patch(patch);
    const bool changes = object->contains(assignment) && next.contains(assignment) &&
                         object->at(assignment) != next.at(assignment);
    if (changes) return Refuse(422, "Invalid");
  }
  Put(target.kind, target.key, std::move(next));
  return Done(body);
}

HttpResponse SimulatedApi::HandleDelete(const Target& target, const Json& body) {
  const Json* object = Find(target.kind, target.key);
  if (!object) return Refuse(404, "NotFound");
  if (!Holds(body["preconditions"], *object)) return Refuse(409, "Conflict");
  Delete(target.kind, target.key);
  return Done({{"kind", "Status"}, {"status", "Success"}});
}

// --- what is stored ---

const Json* SimulatedApi::Find(const std::string& kind, const std::string& key) {
  const auto& objects = kinds_[kind].objects;
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : &found->second;
}

void SimulatedApi::Create(const std::string& kind, Json object) {
  const std::string ns = Text(object, "/metadata/namespace");
  const std::string key = (ns.empty() ? "" : ns + "/") + Text(object, "/metadata/name");
  CHECK(!Find(kind, key), "exists: " + key);
  object["metadata"]["uid"] = "uid-" + std::to_string(++version_);
  object["metadata"]["generation"] = 1;
  object["metadata"]["creationTimestamp"] = base::FormatTime(loop_.clock().Wall());
  Store(kind, key, std::move(object), "ADDED");
}

void SimulatedApi::Change(const std::string& kind, const std::string& key,
                          const std::function<void(Json&)>& change) {
  Json object = *Find(kind, key);
  change(object);
  Put(kind, key, std::move(object));
}

void SimulatedApi::Delete(const std::string& kind, const std::string& key) {
  Change(kind, key, [this](Json& object) {
    Json& meta = object["metadata"];
    if (meta.contains("deletionTimestamp")) return;
    meta["deletionTimestamp"] = base::FormatTime(loop_.clock().Wall());
    meta["generation"] = meta["generation"].get<int>() + 1;
  });
}

void SimulatedApi::Put(const std::string& kind, const std::string& key, Json object) {
  const Json& before = *Find(kind, key);
  if (object == before) return;
  Json& meta = object["metadata"];
  if (object["spec"] != before.value("spec", Json())) {
    meta["generation"] = meta["generation"].get<int>() + 1;
  }
  const bool gone =
      meta.contains("deletionTimestamp") && meta.value("finalizers", Json::array()).empty();
  Store(kind, key, std::move(object), gone ? "DELETED" : "MODIFIED");
  if (gone) kinds_[kind].objects.erase(key);
}

void SimulatedApi::Store(const std::string& kind, const std::string& key, Json object,
                         const char* type) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  Kind& stored = kinds_[kind];
  stored.log.emplace_back(version_, Json{{"type", type}, {"object", object}}.dump() + "\n");
  stored.objects[key] = std::move(object);
  for (auto& [id, watch] : watches_) {
    if (watch.kind == kind && !watch.timer->armed()) watch.timer->Start(Delay());
  }
}

}  // namespace vdcu::reconcilers
