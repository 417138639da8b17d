#include "node/file_ops.h"

namespace vdcu::node {

base::Result<std::string> RootFileOps::Read(const std::string& path) {
  return root_.ReadFile(path);
}

base::Result<std::vector<std::string>> RootFileOps::List(const std::string& path) {
  auto names = root_.ListFolder(path);
  if (!names && names.error().code == base::ErrorCode::kNotFound) {
    return std::vector<std::string>();
  }
  return names;
}

base::Status RootFileOps::MakeWay(const std::string& path) { return root_.MakeWay(path); }

base::Status RootFileOps::MakeFolder(const std::string& path) { return root_.MakeFolder(path); }

base::Status RootFileOps::Write(const std::string& path, std::string_view content) {
  RETURN_IF_ERROR(root_.MakeFolder(path.substr(0, path.rfind('/'))));
  return root_.WriteAtomic(path, content);
}

base::Status RootFileOps::RemoveFile(const std::string& path) { return root_.RemoveFile(path); }

base::Status RootFileOps::RemoveFolder(const std::string& path) { return root_.RemoveFolder(path); }

}  // namespace vdcu::node
