// vdcu-simulated-host: makes and changes the folder of a simulated host.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "dcu/model.h"
#include "tests/hosts/simulated_host.h"

namespace vdcu::hosts {
namespace {

using Change = std::function<base::Status(SimulatedHost& host)>;

struct Arguments {
  std::string folder;
  int card = 0;
  HostOptions options;
  Sickness how = Sickness::kRas;
  std::string mig;
};

std::string StateOf(const Card& card) {
  std::string state;
  const auto add = [&state](bool is, std::string_view word) {
    if (is) state += (state.empty() ? "" : ",") + std::string(word);
  };
  add(card.vanished, "vanished");
  add(card.foreign, "foreign");
  add(card.garbage, "garbage");
  add(card.mig, "mig");
  add(card.sickness != Sickness::kNone,
      "sick:" + std::string(kSicknessNames[static_cast<size_t>(card.sickness)]));
  return state.empty() ? "healthy" : state;
}

base::Status List(const SimulatedHost& host) {
  std::printf("%-5s %-24s %-13s %-14s %5s %7s %4s %4s %s\n", "CARD", "DEVICE", "BUS ID", "MODEL",
              "UNITS", "MIB", "DRM", "NUMA", "STATE");
  for (const Card& card : host.cards()) {
    std::printf("%-5d %-24s %-13s %-14s %5d %7lld %4d %4d %s\n", card.index,
                host.Uuid(card.index).c_str(), card.pci_bus_id.c_str(),
                dcu::ModelOf(card.device_id).name.c_str(), card.compute_units,
                static_cast<long long>(card.memory_mib), card.drm_minor, card.numa_node,
                StateOf(card).c_str());
  }
  return base::Ok();
}

// A subcommand on an existing host; `change` is done if it is the one that was given.
CLI::App* AddChange(CLI::App& app, Arguments& arguments, const std::string& name,
                    const std::string& help, std::map<CLI::App*, Change>& changes, Change change) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("DIR", arguments.folder, "Folder of the host")->required();
  if (name != "list") {
    command->add_option("CARD", arguments.card, "Number of the card, from 0")->required();
  }
  changes[command] = std::move(change);
  return command;
}

CLI::App* AddCreate(CLI::App& app, Arguments& arguments) {
  CLI::App* create = app.add_subcommand("create", "Make a host");
  create->option_defaults()->always_capture_default();
  HostOptions& options = arguments.options;
  create->add_option("DIR", arguments.folder, "Folder of the host")->required();
  create->add_option("--cards", options.cards, "Number of cards, 1 to 32");
  create->add_option("--model", options.model, "Model of all cards");
  create->add_option("--compute-units", options.compute_units,
                     "Compute units of each card, 1 to 128; 0: the model's");
  create->add_option("--memory-mib", options.memory_mib, "MiB of each card; 0: the model's");
  create->add_option("--serial-prefix", options.serial_prefix,
                     "What the serial numbers begin with; different on each host");
  const std::map<std::string, bool> devices{{"plain", false}, {"real", true}};
  create
      ->add_option("--devices", options.real_devices,
                   "Device nodes: plain (empty files) or real (as root: they may be opened)")
      ->default_str("plain")
      ->transform(CLI::CheckedTransformer(devices));
  return create;
}

void AddChanges(CLI::App& app, Arguments& arguments, std::map<CLI::App*, Change>& changes) {
  Arguments& a = arguments;
  AddChange(app, a, "list", "Show the cards", changes,
            [](SimulatedHost& host) { return List(host); });
  CLI::App* sick = AddChange(app, a, "sick", "Make a card ill", changes,
                             [&a](SimulatedHost& host) { return host.MakeSick(a.card, a.how); });
  const std::map<std::string, Sickness> ways{
      {"driver", Sickness::kDriver}, {"ras", Sickness::kRas}, {"dri", Sickness::kDri}};
  sick->add_option("--how", a.how, "The sign of illness, default ras")
      ->transform(CLI::CheckedTransformer(ways));
  AddChange(app, a, "heal", "Make a card healthy, ours and readable again", changes,
            [&a](SimulatedHost& host) { return host.Heal(a.card); });
  AddChange(app, a, "vanish", "Take a card away", changes,
            [&a](SimulatedHost& host) { return host.SetVanished(a.card, true); });
  AddChange(app, a, "return", "Bring a card back", changes,
            [&a](SimulatedHost& host) { return host.SetVanished(a.card, false); });
  AddChange(app, a, "foreign", "Make a card another vendor's", changes,
            [&a](SimulatedHost& host) { return host.MakeForeign(a.card); });
  AddChange(app, a, "garbage", "Make a card's numbers missing or unreadable", changes,
            [&a](SimulatedHost& host) { return host.MakeGarbage(a.card); });
  AddChange(app, a, "mig", "Turn a card's MIG mode on or off", changes,
            [&a](SimulatedHost& host) { return host.SetMig(a.card, a.mig == "on"); })
      ->add_option("MODE", a.mig, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
}

int Main(int argc, char** argv) {
  CLI::App app("Makes the folder of a host with simulated DCU cards, and makes cards ill");
  Arguments arguments;
  std::map<CLI::App*, Change> changes;
  const CLI::App* create = AddCreate(app, arguments);
  AddChanges(app, arguments, changes);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto host = create->parsed() ? SimulatedHost::Create(arguments.folder, arguments.options)
                               : SimulatedHost::Open(arguments.folder);
  base::Status done = host ? base::Ok() : base::Status(host.error());
  for (const auto& [command, change] : changes) {
    if (host && command->parsed()) done = change(*host);
  }
  if (done) return 0;
  std::cerr << "vdcu-simulated-host: " << done.error().message << "\n";
  return done.error().code == base::ErrorCode::kInvalid ? 2 : 1;
}

}  // namespace
}  // namespace vdcu::hosts

int main(int argc, char** argv) { return vdcu::hosts::Main(argc, argv); }
