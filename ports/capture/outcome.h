/// A value, or words about why there is none.
///
/// Included by the headers of this room. uct::Result carries one of a few constant phrases; what
/// goes wrong with a file or an expression needs names and numbers.
/// Threads   values only.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace uct::capture {

template <typename T, typename Failure = std::string>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Outcome(Failure failure) : held_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Requires  ok(); throws std::bad_variant_access otherwise.
  T& value() & { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }

  /// Requires  !ok(); throws std::bad_variant_access otherwise.
  const Failure& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, Failure> held_;
};

}  // namespace uct::capture
