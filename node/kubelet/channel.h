// A gRPC connection to a Unix socket of the kubelet.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

namespace vdcu::kubelet {

// Whether somebody listens at a Unix socket's path.
bool IsListenedAt(const std::string& socket);

// "the kubelet's pod-resources API at <socket>: <message>"
std::string ApiProblem(const std::string& socket, const std::string& message);

// Connects with the first call. The kubelet makes its sockets anew when it starts, and a new
// channel shares nothing with one before that has failed to connect.
std::shared_ptr<grpc::Channel> ConnectTo(const std::string& socket);

}  // namespace vdcu::kubelet
