#include "node/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "base/dns_name.h"
#include "crds/pod_request.h"
#include "node/familiar_metrics.h"

namespace vdcu::node {

namespace {

// A Node's name: an RFC 1123 subdomain. It also goes into field selectors.
std::string CheckNodeName(const std::string& name) {
  if (base::IsDnsSubdomain(name)) return "";
  return "\"" + name + "\": want the name of this machine's Node: a-z, 0-9, - and .";
}

std::string CheckHostRoot(const std::string& folder) {
  std::error_code code;
  if (folder.starts_with("/") && std::filesystem::is_directory(folder, code)) return "";
  return "\"" + folder + "\": want the absolute path of a folder that exists";
}

std::string CheckKubeletDir(const std::string& folder) {
  if (folder.empty() || folder.starts_with("/")) return "";
  return "\"" + folder + "\": want an absolute path, or nothing where no kubelet runs";
}

std::string CheckRootDir(const std::string& folder) {
  if (folder.empty() || folder.starts_with("/")) return "";
  return "\"" + folder + "\": want the absolute path of the kubelet's --root-dir";
}

std::string CheckAbsolute(const std::string& folder) {
  return folder.starts_with("/") ? "" : "\"" + folder + "\": want an absolute path";
}

std::string CheckMetricNames(const std::string& name) {
  std::string names;
  for (const auto& [of, make] : kFamiliarMetrics) {
    if (name == of) return "";
    names += (names.empty() ? "" : " or ") + std::string(of);
  }
  return "\"" + name + "\": want " + names;
}

std::string CheckResourceName(const std::string& name) {
  std::string names;
  for (const crds::ResourceNames& family : crds::kResourceNames) {
    if (name == family.count) return "";
    names += (names.empty() ? "" : " or ") + std::string(family.count);
  }
  return "\"" + name + "\": want " + names;
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  CLI::App app(
      "vdcu-node prepares the slices that VDCUPartitions assign to the DCU cards of this "
      "host");
  app.option_defaults()->always_capture_default();
  app.add_option("--node-name", options.node_name, "Name of this machine's Node")
      ->required()
      ->default_str("")
      ->check(CheckNodeName);
  app.add_option("--host-root", options.host_root,
                 "Folder below which /sys, /dev, /etc and /var of the host are")
      ->check(CheckHostRoot);
  app.add_option(
         "--kubelet-dir", options.kubelet_dir,
         "Folder of the kubelet's device-plugins, /var/lib/kubelet whatever its --root-dir; "
         "\"\": no kubelet runs here, and a Lease tells that this process lives")
      ->check(CheckKubeletDir);
  app.add_option("--kubelet-root-dir", options.kubelet_root_dir,
                 "The kubelet's --root-dir, below which its pod-resources are; \"\": the same as "
                 "--kubelet-dir")
      ->check(CheckRootDir);
  app.add_option("--cgroup-root", options.cgroup_root, "The kubelet's cgroupRoot")
      ->check(CheckAbsolute);
  app.add_option("--dtk-dir", options.dtk_dir,
                 "Folder of the DTK on the host; containers get it at /opt/hygondriver, read-only")
      ->check(CheckAbsolute);
  app.add_flag("--take-over", options.take_over,
               "Remove what another plugin of these cards left behind where it serves nobody");
  app.add_flag("--advertise", options.advertise,
               "Write the number of slices (4 a card) into the Node's capacity, where no kubelet "
               "does");
  app.add_flag(
      "--advertise-parts", options.advertise_parts,
      "Write the sums of all cards' memory and cores (hygon.com/dcumem, dcucores) into the "
      "Node's capacity, for schedulers that look for them there, as Volcano does");
  base::AddChoice(
      app, "--memory-unit",
      "What a number of hygon.com/dcumem or hcumem counts, for --advertise-parts: as the "
      "controller's",
      {{"Mi", [&options] { options.memory_unit = crds::MemoryUnit::kMi; }},
       {"Gi", [&options] { options.memory_unit = crds::MemoryUnit::kGi; }}},
      "Mi");
  app.add_flag("--pod-metrics", options.pod_metrics,
               "Metrics of each slice with the names of namespace, pod and container, for whoever "
               "reaches --listen");
  app.add_option("--metric-names", options.metric_names,
                 "Also the metrics of cards (and of pods, with --pod-metrics) by the names that "
                 "dashboards of these projects read: hami, volcano")
      ->delimiter(',')
      ->default_str("")
      ->check(CheckMetricNames);
  std::map<std::string, std::function<void()>> families;
  for (const auto& [name, family] : crds::kHamis) {
    families[std::string(name)] = [&options, family = family] { options.hami = family; };
  }
  base::AddChoice(
      app, "--hami",
      "As which family of cards the Node's annotations tell tools of HAMi of them: with "
      "ids by index, with ids by serial number, or not",
      families, "off");
  app.add_option("--resource-names", options.resource_names,
                 "Resources that stand for the cards, comma-separated")
      ->delimiter(',')
      ->check(CheckResourceName);
  base::AddCommonFlags(app, options.common);
  if (const auto code = base::ParseFlags(app, argc, argv)) return *code;
  if (options.advertise && !options.kubelet_dir.empty()) {
    std::cerr << "--advertise: a kubelet advertises what is registered with it: want --kubelet-dir "
                 "\"\" beside it\n";
    return base::kExitUsage;
  }
  if (options.kubelet_dir.empty() && !options.kubelet_root_dir.empty()) {
    std::cerr << "--kubelet-root-dir \"" << options.kubelet_root_dir
              << "\": --kubelet-dir \"\" says that no kubelet runs here: want one of the two\n";
    return base::kExitUsage;
  }
  return options;
}

}  // namespace vdcu::node
