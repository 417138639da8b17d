// What the metrics of this node's cards are made from, and how a family of them is made.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "dcu/device.h"
#include "node/readings.h"
#include "node/slices.h"

namespace vdcu::node {

struct Figures {
  const std::string& node;
  const std::vector<dcu::Device>& devices;
  const Slices& slices;
  std::map<std::string, Readings> readings = {};  // by uuid
  bool names_pods =
      false;  // series for each slice that name its pod: whoever reaches the port reads them
};

// What is granted of a card.
struct CardUse {
  int slices = 0;
  int compute_units = 0;
  dcu::MiB memory;

  void Add(const dcu::Assignment& assignment);
};
std::map<std::string, CardUse> UseByCard(const Slices& slices);

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type);
// To a family of gauges.
void Add(prometheus::MetricFamily& family, const MetricLabels& labels, double value);
double Bytes(dcu::MiB memory);

}  // namespace vdcu::node
