// Several lambdas as one visitor of a std::variant. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unirg::cli {

template <typename... Visitors>
struct Overload : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overload(Visitors...) -> Overload<Visitors...>;  // clang 14 does not deduce it of an aggregate

}  // namespace unirg::cli
