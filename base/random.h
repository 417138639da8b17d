// Chance as a dependency: a function that draws from [0, 1). Tests pass a constant or a seeded one.
#pragma once

#include <functional>
#include <random>

namespace vdcu::base {

using Random = std::function<double()>;

// Seeded by the system, so that processes that start together do not step together.
inline Random SystemRandom() {
  return [engine = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

}  // namespace vdcu::base
