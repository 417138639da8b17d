#include "tests/simulation/simulated_schedulers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using Json = SimulatedSchedulers::Json;

namespace {

// After which a caller gives up, at most and at least.
constexpr int kMostPatience = 12'000;  // ms
constexpr int kLeastPatience = 500;
constexpr int kLatest = 40'000;  // ms; what is held lapses after 30 s
constexpr double kPreempts = 0.15;
constexpr double kThinksBetter = 0.2;
constexpr double kPredicatesAlone = 0.3;
constexpr double kDryRun = 0.1;

bool Waits(const Json& pod) {
  return !IsOurs(pod) && Text(pod, "/spec/nodeName").empty() &&
         !pod["metadata"].contains("deletionTimestamp");
}

std::string KeyOf(const Json& pod) {
  return Text(pod, "/metadata/namespace") + "/" + Text(pod, "/metadata/name");
}

// Volcano's words of a pod that is nowhere, or that it has put there.
Json Task(const Json& pod, const std::string& node = "") {
  constexpr int kPending = 1;
  constexpr int kAllocated = 2;
  return {{"UID", pod["metadata"]["uid"]},
          {"Name", pod["metadata"]["name"]},
          {"Namespace", pod["metadata"]["namespace"]},
          {"NodeName", node},
          {"Status", node.empty() ? kPending : kAllocated},
          {"Pod", pod}};
}

Json Review(const Json& pod, const std::string& node, bool dry_run) {
  const Json binding{{"kind", "Binding"},
                     {"apiVersion", "v1"},
                     {"metadata",
                      {{"name", pod["metadata"]["name"]},
                       {"namespace", pod["metadata"]["namespace"]},
                       {"uid", pod["metadata"]["uid"]}}},
                     {"target", {{"kind", "Node"}, {"name", node}}}};
  return {{"apiVersion", "admission.k8s.io/v1"},
          {"kind", "AdmissionReview"},
          {"request",
           {{"uid", "review"},
            {"namespace", pod["metadata"]["namespace"]},
            {"dryRun", dry_run},
            {"object", binding}}}};
}

}  // namespace

std::string SimulatedSchedulers::PickName(double draw) {
  constexpr const char* kNames[] = {"kube", "kube", "volcano", "gated"};
  return kNames[static_cast<int>(draw * 4)];
}

void SimulatedSchedulers::Step(double chance) {
  std::vector<Json> pods;
  for (const auto& [key, pod] : api_.All("pods")) {
    const bool busy = busy_.contains(pod["metadata"]["uid"].get<std::string>());
    if (Waits(pod) && !busy && Draw() < chance) pods.push_back(pod);
  }
  for (const Json& pod : pods) Try(pod);
}

std::vector<std::string> SimulatedSchedulers::FitNodes() {
  std::vector<std::string> names;
  for (const auto& [name, node] : api_.All("nodes")) {
    const bool tainted = !node["spec"].value("taints", Json::array()).empty();
    const bool cordoned = node["spec"].value("unschedulable", false);
    const bool ready = node["status"]["conditions"][0]["status"] == "True";
    if (ready && !tainted && !cordoned) names.push_back(name);
  }
  return names;
}

std::vector<std::string> SimulatedSchedulers::InVolcanosBooks(const std::string& node) const {
  const auto booked = books_.find(node);
  if (booked == books_.end()) return {};
  std::vector<std::string> uids;
  for (const auto& [key, pod] : api_.All("pods")) {
    const std::string uid = Text(pod, "/metadata/uid");
    if (booked->second.contains(uid)) uids.push_back(uid);
  }
  return uids;
}

// Empty: none fits.
std::string SimulatedSchedulers::PickNode() {
  const auto nodes = FitNodes();
  return nodes.empty() ? ""
                       : nodes[static_cast<size_t>(Draw() * static_cast<double>(nodes.size()))];
}

// --- calls ---

base::Duration SimulatedSchedulers::Delay() {
  const bool late = faults_ > 0 && Draw() < faults_ / 3;
  return base::Duration(1 + static_cast<int>(Draw() * (late ? kLatest : 40)));
}

void SimulatedSchedulers::After(base::Duration delay, std::function<void()> work) {
  const uint64_t id = next_id_++;
  timers_[id] = loop_.MakeTimer([this, id, work = std::move(work)] {
    const auto timer = std::move(timers_.at(id));
    timers_.erase(id);
    work();
  });
  timers_[id]->Start(delay);
}

// `then` runs once: with the first answer, or without one.
void SimulatedSchedulers::Send(const Call& call, Then then) {
  const auto once = [ended = std::make_shared<bool>(false),
                     then = std::move(then)](const Json& answer) {
    if (!std::exchange(*ended, true)) then(answer);
  };
  const int copies = faults_ > 0 && Draw() < faults_ / 3 ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const bool lost = faults_ > 0 && Draw() < faults_ / 3;
    if (!lost) After(Delay(), [this, call, once] { Arrive(call, once); });
  }
  const double hurry = faults_ > 0 ? Draw() : 0;
  const int patience = kMostPatience - static_cast<int>(hurry * (kMostPatience - kLeastPatience));
  After(base::Duration(patience), [once] { once({}); });
}

void SimulatedSchedulers::Arrive(const Call& call, const Then& then) {
  if (doors_.extender == nullptr) return then({});
  on_arrival(call);
  Serve(call, base::HttpResponder([this, call, then](const base::HttpAnswer& answer) {
          OnAnswered(call, answer, then);
        }));
}

void SimulatedSchedulers::Serve(const Call& call, const base::HttpResponder& responder) {
  using Extender = controller::Extender;
  if (call.verb == Verb::kReview) return doors_.gate->Judge(call.body.dump(), responder);
  using Handler = void (Extender::*)(const std::string&, const base::HttpResponder&);
  static const std::map<Verb, Handler> kHandlers{
      {Verb::kFilter, &Extender::Filter},     {Verb::kPreempt, &Extender::Preempt},
      {Verb::kBind, &Extender::Bind},         {Verb::kPredicate, &Extender::Predicate},
      {Verb::kAllocate, &Extender::Allocate}, {Verb::kDeallocate, &Extender::Deallocate},
  };
  (doors_.extender->*kHandlers.at(call.verb))(call.body.dump(), responder);
}

// A controller that ends answers none; one that has just begun says so.
void SimulatedSchedulers::OnAnswered(const Call& call, const base::HttpAnswer& answer,
                                     const Then& then) {
  Json said;
  if (answer.status == 200) {
    said = Json::parse(answer.body);
    if (const std::string wrong = on_answer(call, said); !wrong.empty()) {
      faults_found_.push_back("answered: " + call.pod + ": " + wrong);
    }
  } else if (answer.status != 500 && answer.status != 503) {
    faults_found_.push_back("answered: " + call.pod + ": " + answer.body);
  }
  const bool lost = faults_ > 0 && Draw() < faults_ / 3;
  if (!lost) After(Delay(), [said, then] { then(said); });
}

SimulatedSchedulers::Call SimulatedSchedulers::Make(Verb verb, const Json& pod,
                                                    const std::string& node) const {
  return {verb, Text(pod, "/metadata/uid"), KeyOf(pod), node, {}};
}

// --- what schedulers do ---

void SimulatedSchedulers::Try(const Json& pod) {
  const std::string scheduler = Text(pod, "/spec/schedulerName");
  busy_.insert(Text(pod, "/metadata/uid"));
  if (FitNodes().empty()) return End(pod);
  if (scheduler == "kube") return TryKube(pod);
  scheduler == "volcano" ? TryVolcano(pod) : TryGated(pod);
}

void SimulatedSchedulers::TryKube(const Json& pod) {
  if (Draw() < kPreempts) return AskAboutVictims(pod);
  Call filter = Make(Verb::kFilter, pod, "");
  filter.body = {{"Pod", pod}, {"NodeNames", FitNodes()}};
  Send(filter, [this, pod](const Json& answer) {
    const Json nodes = answer.is_object() ? answer.value("NodeNames", Json()) : Json();
    if (!nodes.is_array() || nodes.empty()) return End(pod);
    Call bind = Make(Verb::kBind, pod, nodes[0]);
    bind.body = {{"PodName", pod["metadata"]["name"]},
                 {"PodNamespace", pod["metadata"]["namespace"]},
                 {"PodUID", pod["metadata"]["uid"]},
                 {"Node", nodes[0]}};
    Send(bind, [this, pod](const Json& /*answer*/) { End(pod); });
  });
}

void SimulatedSchedulers::AskAboutVictims(const Json& pod) {
  Json victims = Json::object();
  for (const std::string& node : FitNodes()) {
    Json pods = Json::array();
    for (const auto& [key, other] : api_.All("pods")) {
      const bool there = Text(other, "/spec/nodeName") == node;
      if (there && Draw() < 0.5) pods.push_back({{"UID", other["metadata"]["uid"]}});
    }
    victims[node] = {{"Pods", pods}, {"NumPDBViolations", 0}};
  }
  Call preempt = Make(Verb::kPreempt, pod, "");
  preempt.body = {{"Pod", pod}, {"NodeNameToMetaVictims", victims}};
  Send(preempt, [this, pod](const Json& /*answer*/) { End(pod); });
}

void SimulatedSchedulers::TryVolcano(const Json& pod) {
  const std::string node = PickNode();
  Json tasks = Json::object();
  for (const auto& [key, other] : api_.All("pods")) {
    const std::string uid = Text(other, "/metadata/uid");
    if (books_[node].contains(uid)) tasks[key] = {{"UID", uid}};
  }
  Call predicate = Make(Verb::kPredicate, pod, node);
  predicate.body = {{"task", Task(pod)}, {"node", {{"Name", node}, {"Tasks", tasks}}}};
  Send(predicate, [this, pod, node](const Json& answer) {
    if (!answer.is_object() || answer.contains("status")) return End(pod);
    books_[node].insert(Text(pod, "/metadata/uid"));
    if (Draw() >= kPredicatesAlone) return PutThere(pod, node);
    Bind(pod, node);
  });
}

void SimulatedSchedulers::PutThere(const Json& pod, const std::string& node) {
  Call allocate = Make(Verb::kAllocate, pod, node);
  allocate.body = {{"task", Task(pod, node)}};
  Send(allocate, [this, pod, node](const Json& answer) {
    const bool there = answer.is_object() && !answer.contains("errorMessage");
    if (there && Draw() >= kThinksBetter) return Bind(pod, node);
    books_[node].erase(Text(pod, "/metadata/uid"));
    Call deallocate = Make(Verb::kDeallocate, pod, node);
    deallocate.body = {{"task", Task(pod, node)}};
    Send(deallocate, [this, pod](const Json& /*answer*/) { End(pod); });
  });
}

// Without an answer an API server lets the binding pass.
void SimulatedSchedulers::TryGated(const Json& pod) {
  const std::string node = PickNode();
  const bool dry_run = Draw() < kDryRun;
  Call review = Make(Verb::kReview, pod, node);
  review.body = Review(pod, node, dry_run);
  Send(review, [this, pod, node, dry_run](const Json& answer) {
    const bool denied = answer.is_object() && answer["response"]["allowed"] != true;
    if (denied || dry_run) return End(pod);
    Bind(pod, node);
  });
}

// The UID is its precondition, as it is in theirs.
void SimulatedSchedulers::Bind(const Json& pod, const std::string& node) {
  const Json* now = api_.Find("pods", KeyOf(pod));
  const bool same = now != nullptr && (*now)["metadata"]["uid"] == pod["metadata"]["uid"];
  if (same && Waits(*now)) {
    api_.Change("pods", KeyOf(pod), [&](Json& bound) { bound["spec"]["nodeName"] = node; });
  }
  End(pod);
}

}  // namespace vdcu::simulation
