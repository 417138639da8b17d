// Objects for the tests of crds/, written as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "crds/decode.h"
#include "tests/kclient/core/parsed.h"

namespace vdcu::crds {

// Decode of an object.
template <class T>
auto Parse(const nlohmann::json& object) {
  const kclient::Parsed json(object.dump());
  return Decode<T>(json.view());
}

// Every field of the schema, but for computeUnits, as cores is set.
inline nlohmann::json FullPartition() {
  return nlohmann::json::parse(R"({
    "apiVersion": "vdcu.io/v1alpha1",
    "kind": "VDCUPartition",
    "metadata": {"name": "train-0-3f", "namespace": "team-a", "labels": {"app": "train"},
                 "finalizers": ["vdcu.io/in-use"],
                 "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "train-0",
                                      "uid": "u-1"}]},
    "spec": {
      "cores": 15,
      "memory": "2000Mi",
      "devices": {"models": ["Z100L"], "excludeModels": ["Z100"], "uuids": ["DCU-1", "DCU-2"],
                  "excludeUUIDs": ["DCU-3"]},
      "nodeSelector": {"pool": "dcu"},
      "policy": "Spread",
      "share": "namespace",
      "podRef": {"name": "train-0", "uid": "u-1", "container": "main"},
      "assignment": {"node": "node-1", "device": "DCU-1", "pciBusID": "0000:33:00.0",
                     "computeUnits": 9,
                     "cuMasks": ["0x00000000000001ff", "0x0000000000000000"],
                     "memory": "2000Mi", "pipe": 0, "vdev": 4, "share": "namespace"}
    },
    "status": {
      "conditions": [{"type": "Ready", "status": "True", "reason": "Prepared",
                      "message": "the file is there",
                      "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}],
      "vdevFile": "/etc/vdev/vdev4.conf",
      "usedBy": {"name": "train-0", "uid": "u-1", "container": "main"}
    }
  })");
}

// Every field of the schema.
inline nlohmann::json FullNode() {
  return nlohmann::json::parse(R"({
    "apiVersion": "vdcu.io/v1alpha1",
    "kind": "DCUNode",
    "metadata": {"name": "node-1"},
    "spec": {"unschedulableDevices": ["DCU-2"], "memoryReserve": "512Mi",
             "shareCards": "namespace"},
    "status": {
      "driverVersion": "6.3.8",
      "deviceCount": 1,
      "models": "Z100L",
      "vdcus": "1/4",
      "healthy": "0/1",
      "heartbeat": "Kubelet",
      "servingSince": "2026-01-01T00:00:00Z",
      "devices": [{"index": 0, "uuid": "DCU-1", "model": "Z100L", "pciDeviceID": "55b7",
                   "pciBusID": "0000:33:00.0", "computeUnits": 60, "memory": "32768Mi",
                   "numaNode": 1, "drmCardMinor": 1, "drmRenderMinor": 129, "mode": "mig",
                   "healthy": false, "reason": "DriverUnbound", "message": "no driver",
                   "unhealthySince": "2026-01-01T00:00:00Z"}],
      "held": [{"partitionUID": "p-1", "podUID": "u-1", "since": "2026-01-01T00:00:00Z",
                "namespace": "team-a",
                "assignment": {"device": "DCU-1", "pciBusID": "0000:33:00.0", "computeUnits": 9,
                               "cuMasks": ["0x00000000000001ff", "0x0000000000000000"],
                               "memory": "2000Mi", "pipe": 3, "vdev": 0, "share": "namespace"}}],
      "occupiedVdevs": [0, 7],
      "conditions": [{"type": "Ready", "status": "True", "reason": "Published", "message": "m",
                      "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}]
    }
  })");
}

}  // namespace vdcu::crds
