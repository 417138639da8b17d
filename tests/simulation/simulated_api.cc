#include "tests/simulation/simulated_api.h"

#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using kclient::HttpRequest;
using kclient::HttpResponse;
using Json = SimulatedApi::Json;

namespace {

HttpResponse Refuse(int status, const std::string& reason) {
  const Json body = {{"kind", "Status"}, {"code", status}, {"reason", reason}, {"message", reason}};
  return {status, body.dump(), {}};
}

HttpResponse Done(const Json& object) { return {200, object.dump(), {}}; }

// A binding carries its UID in metadata, a patch too; a delete and an eviction in preconditions.
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

// The value of the fieldSelector; empty: there is none.
std::string SelectedBy(const std::string& path) {
  const size_t begin = path.find("fieldSelector=");
  if (begin == std::string::npos) return "";
  const std::string selector = path.substr(begin, path.find('&', begin) - begin);
  return selector.substr(selector.find("%3D") + 3);
}

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

class SimulatedApi::Connection : public kclient::Transport {
 public:
  Connection(SimulatedApi& api, std::string sender) : api_(api), sender_(std::move(sender)) {}

  [[nodiscard]] kclient::CallPtr Send(HttpRequest request,
                                      kclient::ResponseCallback on_done) override {
    return api_.Send(sender_, std::move(request), std::move(on_done));
  }
  [[nodiscard]] kclient::CallPtr Stream(HttpRequest request, kclient::DataCallback on_data,
                                        kclient::ResponseCallback on_end) override {
    return api_.Stream(sender_, request, std::move(on_data), std::move(on_end));
  }

 private:
  SimulatedApi& api_;
  const std::string sender_;
};

// --- requests and watches ---

std::unique_ptr<kclient::Transport> SimulatedApi::Connect(const std::string& sender) {
  Forget(sender);
  return std::make_unique<Connection>(*this, sender);
}

void SimulatedApi::SetCutOff(const std::string& sender, bool cut_off) {
  if (!cut_off) {
    cut_off_.erase(sender);
    return;
  }
  cut_off_.insert(sender);
  for (auto& [id, watch] : watches_) {
    if (watch.sender == sender) watch.timer->Start(Delay());
  }
}

kclient::CallPtr SimulatedApi::Send(const std::string& sender, HttpRequest request,
                                    kclient::ResponseCallback on_done) {
  const uint64_t id = next_id_++;
  Pending& pending = pending_[id];
  pending.sender = sender;
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
  if (IsCutOff(pending.sender)) {
    pending.answer = base::Error{base::ErrorCode::kUnavailable, "cut off", {}};
  } else if (pending.write && refuses && refuses(*pending.write)) {
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
  if (IsCutOff(pending.sender)) {
    pending.answer = base::Error{base::ErrorCode::kUnavailable, "cut off", {}};
  }
  NoteAnswer(pending);
  pending.on_done(std::move(pending.answer));
}

kclient::CallPtr SimulatedApi::Stream(const std::string& sender, const HttpRequest& request,
                                      kclient::DataCallback on_data,
                                      kclient::ResponseCallback on_end) {
  const uint64_t id = next_id_++;
  constexpr std::string_view kVersion = "resourceVersion=";
  const int64_t from =
      std::stoll(request.path.substr(request.path.find(kVersion) + kVersion.size()));
  Watch& watch = watches_[id];
  watch.sender = sender;
  watch.kind = Parse(request.path).kind;
  watch.selected = SelectedBy(request.path);
  const auto& log = Log(watch.kind);
  const auto later = std::partition_point(
      log.begin(), log.end(), [&](const Entry& entry) { return entry.version <= from; });
  watch.next = static_cast<size_t>(later - log.begin());
  watch.on_data = std::move(on_data);
  watch.on_end = std::move(on_end);
  watch.timer = loop_.MakeTimer([this, id] { OnWatchTimer(id); });
  watch.timer->Start(Delay());
  return std::make_unique<Call>(*this, id);
}

void SimulatedApi::OnStored(const std::string& kind) {
  for (auto& [id, watch] : watches_) {
    if (watch.kind == kind && !watch.timer->armed()) watch.timer->Start(Delay());
  }
}

void SimulatedApi::OnWatchTimer(uint64_t id) {
  Watch& watch = watches_.at(id);
  const auto& log = Log(watch.kind);
  if (IsCutOff(watch.sender)) return EndWatch(id, false);
  if (Draw() < faults_ / 4) return EndWatch(id, Draw() < 0.3);
  const auto is_selected = [&](const std::string& value) {
    return watch.selected.empty() || value == watch.selected;
  };
  const auto concerns = [&](const Entry& entry) {
    return is_selected(entry.was) || is_selected(entry.is);
  };
  while (watch.next < log.size() && !concerns(log[watch.next])) ++watch.next;
  if (watch.next == log.size()) return;
  const Entry& entry = log[watch.next++];
  if (watch.next < log.size()) watch.timer->Start(Draw() < 0.5 ? base::Duration(0) : Delay());
  Json event = entry.event;
  // Of what is selected no more it is shown that it is gone.
  if (!is_selected(entry.is)) event["type"] = "DELETED";
  if (!is_selected(entry.was)) event["type"] = "ADDED";
  Show(watch.sender, watch.kind, event);
  const auto on_data = watch.on_data;  // it may end the watch
  on_data(event.dump() + "\n");
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
  if (request.method == "GET") return Get(target, SelectedBy(request.path));
  const Json body = Json::parse(request.body);
  if (target.kind == "events") {
    Json event = body;
    event["metadata"]["uid"] = "event";
    return Done(event);
  }
  if (target.subresource == "binding") return HandleBind(target, body);
  if (target.subresource == "eviction") return HandleEvict(target, body);
  if (request.method == "POST") return HandleCreate(target, body);
  if (request.method == "PATCH") return HandlePatch(target, body);
  return HandleDelete(target, body);
}

// One object, or a list.
HttpResponse SimulatedApi::Get(const Target& target, const std::string& selected) {
  if (!target.key.empty() && !target.key.ends_with('/')) {
    const Json* object = Find(target.kind, target.key);
    return object ? Done(*object) : Refuse(404, "NotFound");
  }
  Json items = Json::array();
  for (const auto& [key, object] : All(target.kind)) {
    if (selected.empty() || SelectableOf(target.kind, object) == selected) {
      items.push_back(object);
    }
  }
  return Done({{"metadata", {{"resourceVersion", std::to_string(version())}}}, {"items", items}});
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

// The kubelet ends a bound pod, some time later.
HttpResponse SimulatedApi::HandleEvict(const Target& target, const Json& body) {
  const Json* pod = Find(target.kind, target.key);
  if (!pod) return Refuse(404, "NotFound");
  if (!Holds(body["deleteOptions"]["preconditions"], *pod)) return Refuse(409, "Conflict");
  if (budgets_ > 0 && Draw() < budgets_) return Refuse(429, "TooManyRequests");
  const bool bound = !Text(*pod, "/spec/nodeName").empty();
  Change(target.kind, target.key, [&](Json& changed) {
    if (bound) changed["metadata"]["finalizers"] = {"kubelet"};
  });
  Delete(target.kind, target.key);
  return Done({{"kind", "Status"}, {"status", "Success"}});
}

HttpResponse SimulatedApi::HandlePatch(const Target& target, const Json& body) {
  const Json* object = Find(target.kind, target.key);
  if (!object) return Refuse(404, "NotFound");
  if (!Holds(body["metadata"], *object)) return Refuse(409, "Conflict");
  Json next = *object;
  if (target.subresource == "status") {
    if (target.kind == "pods") {
      MergeConditions(next["status"], body["status"]);
      Json others = body["status"];
      others.erase("conditions");
      next["status"].merge_patch(others);
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
  Put(target.kind, target.key, next);
  const Json* stored = Find(target.kind, target.key);
  return Done(stored ? *stored : next);
}

HttpResponse SimulatedApi::HandleDelete(const Target& target, const Json& body) {
  const Json* object = Find(target.kind, target.key);
  if (!object) return Refuse(404, "NotFound");
  if (!Holds(body["preconditions"], *object)) return Refuse(409, "Conflict");
  Delete(target.kind, target.key);
  return Done({{"kind", "Status"}, {"status", "Success"}});
}

}  // namespace vdcu::simulation
