// A gRPC connection to a Unix socket of the kubelet.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

namespace vdcu::kubelet {

// Connects with the first call. The kubelet makes its sockets anew when it starts, and a new
// channel shares nothing with one before that has failed to connect.
std::shared_ptr<grpc::Channel> ConnectTo(const std::string& socket);

}  // namespace vdcu::kubelet
