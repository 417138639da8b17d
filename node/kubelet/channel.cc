#include "node/kubelet/channel.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace vdcu::kubelet {

namespace {
// A node's whole list of pods, with room.
constexpr int kMostBytes = 64 * 1024 * 1024;
}  // namespace

bool IsListenedAt(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, socket.c_str(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const int code = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool busy = code != 0 && errno == EAGAIN;  // its queue is full
  close(fd);
  return code == 0 || busy;
}

std::string ApiProblem(const std::string& socket, const std::string& message) {
  return "the kubelet's pod-resources API at " + socket + ": " + message;
}

std::shared_ptr<grpc::Channel> ConnectTo(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("unix://" + socket, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace vdcu::kubelet
