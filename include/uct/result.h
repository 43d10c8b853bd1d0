/// A value or the reason why there is none, for calls that configure a tracker.
///
/// Included by config-facing public headers. Bytes off the wire never use this: they get a Verdict.
/// Threads   values only; safe everywhere.
#pragma once

#include <string_view>
#include <utility>

namespace uct {

/// Why a configuration call was refused. Wire input never produces one of these.
enum class Error : unsigned char {
  none,                    ///< nothing is wrong
  capacity_zero,           ///< a maximum of zero connections makes no tracker
  capacity_too_large,      ///< more connections than kMaxConnectionsLimit
  shard_count_invalid,     ///< not a power of two between 1 and kMaxShards
  timeout_out_of_range,    ///< below kMinTimeout or above kMaxTimeout
  timeout_policy_unknown,  ///< no policy has this name or number
  timeout_policy_full,     ///< kMaxTimeoutPolicies exist already
  timeout_policy_name,     ///< empty, or longer than kMaxPolicyName characters
  nat_empty,               ///< a translation of neither side
  nat_address_range,       ///< ends before it begins, in two families, or from zero to an address
  nat_port_range,          ///< ends before it begins, or begins with port 0
  nat_family,              ///< addresses of two families
  nat_prefix,              ///< the range is no prefix, or for NPT none of IPv6 up to /64
  nat_mapping,             ///< mapping wants a source with addresses, no destination, and hash
  nat_ranges_overlap,      ///< an external address stands there twice
  nat_pool_too_large,      ///< more than 65,536 external addresses
  nat_block_size,          ///< no power of two from 64 to 4096, or larger than the range of ports
  nat_blocks_too_few,      ///< fewer deterministic blocks than inside addresses, or none of these
  nat_full,                ///< kMaxNatSpecs exist already
  nat_unknown,             ///< no translation has this number
  nat_no_mapping,          ///< it is not endpoint-independent, or the protocol has no ports
  nat_exhausted,           ///< no port is free for this internal address
  nat_quota,               ///< the internal address has all ports that it may have
  nat_not_inside,          ///< the translation has no ports for this internal address
  memory_unavailable,      ///< the system refused to reserve address space or memory
};

/// Gives     a constant phrase that names the cause and the next step, without a full stop.
std::string_view describe(Error error);

/// Holds either a T or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design, like std::expected
  Result(Error error) : error_(error) {}         // NOLINT: implicit by design

  bool ok() const { return error_ == Error::none; }
  explicit operator bool() const { return ok(); }

  /// Requires  ok(); otherwise a default-made T comes back.
  T& value() { return value_; }
  const T& value() const { return value_; }
  Error error() const { return error_; }

 private:
  T value_{};
  Error error_ = Error::none;
};

}  // namespace uct
