/// Packets made of few bytes, so that a fuzzer reaches every state of every protocol soon.
///
/// Included by tests/fuzz/track_fuzz.cc. Each flow keeps what its sides need to go on: sequence
/// numbers, tags, the last packet for an error to quote. Checksums are declared good, not computed.
/// Threads   none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <uct/packet.h>

namespace uct::fuzz {

/// The bytes of an input, taken from the front; zeros when they are used up.
class Feed {
 public:
  explicit Feed(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return at_ >= bytes_.size(); }
  std::uint8_t u8() { return empty() ? std::uint8_t{0} : bytes_[at_++]; }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  template <typename T, std::size_t kCount>
  T pick(const T (&choices)[kCount]) {
    return choices[u8() % kCount];
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

using Wire = std::vector<std::uint8_t>;

struct Frame {
  Wire bytes;
  LinkType link = LinkType::raw_ip;
  ChecksumStatus checksum = ChecksumStatus::good;
  bool is_fragment = false;

  /// Good while the frame stays where it is; a tracker that translates writes to it.
  Packet packet();
};

class Traffic {
 public:
  Frame tcp(Feed& feed);
  Frame sctp(Feed& feed);
  Frame ported(Feed& feed);         ///< UDP, UDP-Lite, DCCP
  Frame icmp_query(Feed& feed);
  Frame icmp_error(Feed& feed);     ///< about the packet before
  Frame fragment(Feed& feed);
  Frame other(Feed& feed);          ///< any protocol number
  Frame raw(Feed& feed);            ///< any bytes, any link

 private:
  static constexpr std::size_t kFlows = 4;
  struct Flow {
    std::uint32_t next[2] = {1000, 0xffff'ff00};  ///< one side is about to wrap
  };
  /// Which flow, which way, which family: one byte of the input.
  struct Way {
    std::size_t flow;
    unsigned direction;
    bool v6;
  };

  Way way(Feed& feed);
  Frame wrap(const Way& way, std::uint8_t protocol, const Wire& transport,
             std::uint16_t fragment_field = 0);

  std::array<Flow, kFlows> flows_;
  Wire last_;
  bool last_v6_ = false;
};

}  // namespace uct::fuzz
