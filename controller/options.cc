#include "controller/options.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/dns_name.h"
#include "base/listen_address.h"
#include "crds/spelling.h"

namespace vdcu::controller {

namespace {

// It becomes part of a path. Empty as the default is.
std::string CheckNamespace(const std::string& name) {
  if (name.empty() || base::IsDnsLabel(name)) return "";
  return "\"" + name + "\": want a namespace's name: a-z, 0-9 and -, 63 characters at most";
}

void AddFenceFlags(CLI::App& app, Options::Webhook& webhook) {
  const auto add = [&](const char* flag, std::string& account, const char* whose) {
    app.add_option(flag, account,
                   std::string("Service account of the pod's own namespace by which the fence "
                               "knows ") +
                       whose)
        ->type_name("NAME")
        ->capture_default_str();
  };
  app.add_flag("--webhook-fence", webhook.fence,
               "Serve the fence, too: who writes what of the operator's objects, for API servers "
               "without ValidatingAdmissionPolicy (Kubernetes 1.30)");
  add("--webhook-controller-account", webhook.controller_account, "vdcu-controller");
  add("--webhook-node-account", webhook.node_account, "vdcu-node");
  app.get_option("--webhook-fence")->needs("--webhook");
}

std::string CheckIp(const std::string& text) {
  const std::string address = text.find(':') == std::string::npos ? text : "[" + text + "]";
  if (!text.empty() && base::CheckListenAddress(address + ":1")) return "";
  return "\"" + text + "\": want a numeric IP address";
}

// As the API server checks it. Empty as the default is.
std::string CheckTaintKey(const std::string& key) {
  const size_t slash = key.find('/');
  const std::string name = slash == std::string::npos ? key : key.substr(slash + 1);
  const bool prefixed =
      slash == std::string::npos || base::IsDnsSubdomain(std::string_view(key).substr(0, slash));
  const auto is_end = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const bool named = !name.empty() && name.size() <= 63 && is_end(name.front()) &&
                     is_end(name.back()) && std::all_of(name.begin(), name.end(), [&](char c) {
                       return is_end(c) || c == '-' || c == '_' || c == '.';
                     });
  if (key.empty() || (prefixed && named)) return "";
  return "\"" + key + "\": want the key of a taint, for example hygon.com/dcu";
}

void AddWebhookFlags(CLI::App& app, Options::Webhook& webhook) {
  app.add_option(
         "--webhook", webhook.listen,
         "Serve the admission webhook for pods and bindings there, by HTTPS (default: nowhere)")
      ->type_name("ADDRESS:PORT")
      ->check(base::CheckListen);
  app.add_option("--webhook-cert", webhook.certificate,
                 "PEM file of the webhook's certificate, read again when it changes (default: one "
                 "that is made and renewed, in the Secret vdcu-webhook)")
      ->type_name("FILE");
  app.add_option("--webhook-key", webhook.key, "PEM file of its key")->type_name("FILE");
  app.add_option("--webhook-host", webhook.host,
                 "Name or address by which the API server calls it (default: the Service "
                 "vdcu-webhook of the pod's namespace)")
      ->type_name("HOST");
  app.add_option("--webhook-schedulers", webhook.schedulers,
                 "Schedulers besides --scheduler-name that pods with cards may name, with commas")
      ->delimiter(',')
      ->type_name("NAME");
  app.add_option("--webhook-tolerate-taint", webhook.tolerated_taint,
                 "Key of the taint of nodes with cards, for which pods with cards are given the "
                 "toleration (default: none)")
      ->type_name("KEY");
  AddFenceFlags(app, webhook);
  app.add_option(
         "--gate-advertise", webhook.gate_advertise,
         "Address of this process: while it leads, the Service vdcu-gate leads to it, where "
         "bindings of other schedulers are held until their slices are prepared (default: "
         "nobody is told)")
      ->type_name("IP")
      ->check(CheckIp);
  app.get_option("--gate-advertise")->needs("--webhook");
  app.get_option("--webhook-cert")->needs("--webhook")->needs("--webhook-key");
  app.get_option("--webhook-key")->needs("--webhook-cert");
}

// Whole seconds, as in "30s".
std::string CheckSeconds(const std::string& text) {
  const bool right = text.size() >= 2 && text.size() <= 5 && text.back() == 's' &&
                     text.find_first_not_of("0123456789") == text.size() - 1 && text[0] != '0';
  return right ? "" : "\"" + text + "\": want seconds from 1s to 9999s";
}

void AddExtenderFlags(CLI::App& app, Options::Extender& extender) {
  app.add_option("--extender", extender.listen,
                 "Serve kube-scheduler's extender protocol there, below /kube (default: nowhere)")
      ->type_name("ADDRESS:PORT")
      ->check(base::CheckListen);
  app.add_option("--extender-tls-cert", extender.certificate,
                 "PEM file of the extender's certificate, read again when it changes (default: "
                 "plain HTTP)")
      ->type_name("FILE");
  app.add_option("--extender-tls-key", extender.key, "PEM file of its key")->type_name("FILE");
  app.add_option("--extender-client-ca", extender.client_ca,
                 "PEM file of the CA of schedulers' certificates: who has none cannot connect. "
                 "Without it only a scheduler on the same host may bind pods")
      ->type_name("FILE");
  app.add_option("--volcano", extender.volcano,
                 "Serve Volcano's extender protocol there, below /volcano, by plain HTTP: Volcano "
                 "knows no other (default: nowhere)")
      ->type_name("ADDRESS:PORT")
      ->check(base::CheckListen);
  app.add_option("--extender-advertise", extender.advertise,
                 "Address of this process: while it leads, the Services vdcu-extender and "
                 "vdcu-volcano lead to it (default: nobody is told)")
      ->type_name("IP")
      ->check(CheckIp);
  app.add_option_function<std::string>(
         "--hold-timeout",
         [&extender](const std::string& text) {
           extender.hold_timeout = std::chrono::seconds(std::stoi(text));
         },
         "For how long a slice that was offered to another scheduler is kept for its pod")
      ->type_name("SECONDS")
      ->check(CheckSeconds)
      ->default_str("30s");
  app.get_option("--extender-tls-cert")->needs("--extender")->needs("--extender-tls-key");
  app.get_option("--extender-tls-key")->needs("--extender-tls-cert");
  app.get_option("--extender-client-ca")->needs("--extender-tls-cert");
}

// One for each value, which it sets.
template <class T, size_t kCount>
std::map<std::string, std::function<void()>> ChoicesOf(const crds::Spellings<T, kCount>& spellings,
                                                       T& chosen) {
  std::map<std::string, std::function<void()>> choices;
  for (const auto& [name, value] : spellings) {
    choices[std::string(name)] = [&chosen, value = value] { chosen = value; };
  }
  return choices;
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  CLI::App app{
      "vdcu-controller: gives VDCUPartitions and pods their slices of Hygon DCU cards, and binds "
      "the pods. Each flag is also an environment variable: --log-level is VDCU_LOG_LEVEL.",
      "vdcu-controller"};
  base::AddCommonFlags(app, options.common);
  app.add_option("--scheduler-name", options.scheduler_name,
                 "Pods with this spec.schedulerName are placed")
      ->type_name("NAME")
      ->check([](const std::string& name) {
        return name.empty() ? std::string("\"\": want a name") : std::string();
      })
      ->capture_default_str();
  base::AddChoice(app, "--policy",
                  "Fill nodes and cards one after the other, spread over them, or leave what the "
                  "requests that there are can use best",
                  ChoicesOf(crds::kPolicies, options.policy),
                  std::string(crds::Spell(crds::kPolicies, options.policy)));
  base::AddChoice(app, "--share-cards",
                  "Which namespaces' new slices may be on one card: any of the cluster, or of one "
                  "namespace only",
                  ChoicesOf(crds::kSharings, options.share_cards),
                  std::string(crds::Spell(crds::kSharings, options.share_cards)));
  base::AddChoice(app, "--memory-unit",
                  "What a number of hygon.com/dcumem or hcumem counts, in pods and ResourceQuotas",
                  ChoicesOf(crds::kMemoryUnits, options.memory_unit),
                  std::string(crds::Spell(crds::kMemoryUnits, options.memory_unit)));
  base::AddChoice(app, "--hami",
                  "As which family of cards bindings tell tools of HAMi what a pod has, in "
                  "annotations of the pod: with ids by index, with ids by serial number, or not",
                  ChoicesOf(crds::kHamis, options.hami),
                  std::string(crds::Spell(crds::kHamis, options.hami)));
  base::AddChoice(app, "--preemption",
                  "Whether pods of a lower priority are evicted for one that fits on no node",
                  {{"true", [&options] { options.preemption = true; }},
                   {"false", [&options] { options.preemption = false; }}},
                  "true");
  app.add_option("--taint-nodes", options.node_taint,
                 "Key of a taint, with the effect NoSchedule, that nodes with cards are given, so "
                 "that pods without cards go elsewhere. None is taken away (default: none)")
      ->type_name("KEY")
      ->check(CheckTaintKey);
  app.add_flag("--leader-elect", options.leader_elect,
               "Act only while holding the Lease vdcu-controller: for several replicas");
  app.add_option("--lease-namespace", options.lease_namespace,
                 "Namespace of the Lease (default: the pod's own, else vdcu-system)")
      ->type_name("NAMESPACE")
      ->check(CheckNamespace);
  AddWebhookFlags(app, options.webhook);
  AddExtenderFlags(app, options.extender);
  if (const auto code = base::ParseFlags(app, argc, argv)) return *code;
  const Options::Extender& extender = options.extender;
  if (!extender.advertise.empty() && extender.listen.empty() && extender.volcano.empty()) {
    std::cerr << "--extender-advertise " << extender.advertise
              << ": nothing is served: want --extender or --volcano with it\n";
    return base::kExitUsage;
  }
  return options;
}

}  // namespace vdcu::controller
