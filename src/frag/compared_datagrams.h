/// Datagrams and NaiveDatagrams side by side: operations go to both, and every answer, every frame
/// that comes out and every gauge is compared.
///
/// Included by datagrams_model_test.cc, which draws operations at random, and datagrams_fuzz.cc,
/// which lets the fuzzer choose them.
/// Threads   one owner.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "frag/datagrams.h"
#include "frag/naive_datagrams.h"

namespace uct::core {

class ComparedDatagrams {
 public:
  /// One operation is this many bytes, any of them.
  static constexpr std::size_t kOperationBytes = 6;
  using Operation = std::array<std::uint8_t, kOperationBytes>;

  /// The bits of `choice` shrink one limit or another.
  static DatagramLimits limits_of(std::uint8_t choice) {
    DatagramLimits limits;
    limits.datagrams = (choice & 1) != 0 ? 5 : 64;
    limits.datagrams_per_source = (choice & 2) != 0 ? 2 : 64;
    limits.held_bytes = (choice & 4) != 0 ? 4096 : 1 << 20;
    limits.held_bytes_per_source = (choice & 8) != 0 ? 1200 : 1 << 20;
    limits.timeout_ms = (choice & 16) != 0 ? 20 : 1000;
    limits.datagrams_per_source = std::min(limits.datagrams_per_source, limits.datagrams);
    limits.held_bytes_per_source = std::min(limits.held_bytes_per_source, limits.held_bytes);
    return limits;
  }

  explicit ComparedDatagrams(std::uint8_t choice)
      : limits_(limits_of(choice)),
        firsts_are_rare_((choice & 32) != 0),
        real_(limits_, HashKey{choice, 1}),
        naive_(limits_) {}

  /// Does one operation on both.
  ///
  /// Gives     false when they differ
  bool step(const Operation& bytes) {
    const FragmentKey key = key_of(bytes[1]);
    switch (bytes[0] % 16) {
      case 0:
        now_ms_ += bytes[1] % 32;
        break;
      case 1:
        if (bytes[2] < 16) {
          if (!give_up(bytes[1] % 8)) return false;
        } else if (!sweep(bytes[1] % 8)) {
          return false;
        }
        break;
      case 2:
        if (!decide(key, bytes[2])) return false;
        break;
      case 3:
        if (!arrive_many(key, bytes)) return false;
        break;
      default:
        if (!arrive({key, extent_of(bytes)}, bytes)) return false;
    }
    return is_same_loss() && is_same_state();
  }

  const Datagrams& real() const { return real_; }

 private:
  /// 4 sources of both families in two zones, 8 ids: few, so that they meet.
  static FragmentKey key_of(std::uint8_t byte) {
    ParsedPacket packet;
    packet.family = (byte & 1) != 0 ? Family::ipv6 : Family::ipv4;
    packet.source[0] = byte >> 1 & 3U;
    packet.source[3] = byte >> 3 & 1U;
    packet.fragment_id = byte >> 4 & 7U;
    return make_fragment_key(packet, byte >> 7);
  }

  /// Mostly near the beginning and in eights; now and then anything, or at the very end.
  Extent extent_of(const Operation& bytes) const {
    Extent extent{(bytes[2] % 16) * 8U, (bytes[3] % 4 + 1) * 8U, (bytes[4] & 3) != 0};
    if ((bytes[4] & 4) != 0 && !firsts_are_rare_) extent.offset = 0;
    if (!extent.more) extent.size -= bytes[3] >> 4 & 7;
    if (bytes[4] >> 3 == 31) extent.size = bytes[3] * 257U;
    if (bytes[4] >> 3 == 30) extent.offset = kDatagramMax - bytes[2];
    return extent;
  }

  bool sweep(std::uint32_t budget) {
    return real_.sweep(now_ms_, budget, lost_) == naive_.sweep(now_ms_, budget);
  }

  bool give_up(std::uint32_t budget) {
    return real_.give_up(budget, lost_) == naive_.give_up(budget);
  }

  /// Consecutive fragments of eight bytes, enough to be too many.
  bool arrive_many(const FragmentKey& key, const Operation& bytes) {
    for (std::uint32_t i = 0; i < bytes[3]; ++i) {
      const Extent extent{(bytes[2] + i) * 8U, 8, true};
      if (!arrive({key, extent}, bytes)) return false;
    }
    return true;
  }

  bool arrive(const Fragment& fragment, const Operation& bytes) {
    const std::uint32_t size = bytes[5] % 16 * (bytes[5] < 252 ? 1U : 256U);
    Packet packet;
    packet.user = ++users_;
    std::vector<std::byte> frame(size, content_of(packet.user));
    packet.data = frame.data();
    packet.size = size;
    const FragmentDecision real = real_.arrive(fragment, packet, now_ms_, lost_);
    const FragmentDecision naive =
        naive_.arrive(fragment, {packet.user, HeldFrame::charge_of(packet)}, now_ms_);
    if (real.step != naive.step || real.refusal != naive.refusal) return false;
    if (!(real.verdict == naive.verdict)) return false;
    const bool is_decided_at_once = bytes[0] < 200;
    if (real.step != FragmentStep::track || !is_decided_at_once) return true;
    return decide(fragment.key, bytes[5]);
  }

  bool decide(const FragmentKey& key, std::uint8_t port) {
    FragmentVerdict verdict;
    verdict.source_port = port;
    HeldFrames real = real_.decided(key, verdict, now_ms_, lost_);
    for (const NaiveDatagrams::Copy& copy : naive_.decided(key, verdict, now_ms_)) {
      const HeldFramePtr frame = real.pop();
      if (frame == nullptr || frame->packet().user != copy.user) return false;
      if (frame->charge() != copy.charge || !has_its_content(*frame)) return false;
    }
    return real.empty();
  }

  static std::byte content_of(std::uint64_t user) { return static_cast<std::byte>(user); }

  static bool has_its_content(HeldFrame& frame) {
    const Packet packet = frame.packet();
    return std::all_of(packet.data, packet.data + packet.size,
                       [&](std::byte byte) { return byte == content_of(packet.user); });
  }

  /// What was lost by one operation, in order for each cause.
  bool is_same_loss() {
    for (const NaiveDatagrams::Lost& lost : naive_.take_lost()) {
      const bool is_condemned =
          lost.cause != FragmentRefusal::expired && lost.cause != FragmentRefusal::pushed_out;
      HeldFrames& frames = lost.cause == FragmentRefusal::expired      ? lost_.expired
                           : lost.cause == FragmentRefusal::pushed_out ? lost_.pushed_out
                                                                       : lost_.condemned;
      const HeldFramePtr frame = frames.pop();
      if (frame == nullptr || frame->packet().user != lost.user) return false;
      if (!has_its_content(*frame)) return false;
      if (is_condemned && lost_.condemned_for != lost.cause) return false;
    }
    return lost_.empty();
  }

  bool is_same_state() const {
    const DatagramStats stats = real_.stats();
    return stats.datagrams == naive_.datagrams() && stats.held_frames == naive_.held_frames() &&
           stats.held_bytes == naive_.held_bytes() && stats.datagrams <= limits_.datagrams &&
           stats.held_bytes <= limits_.held_bytes &&
           real_.next_deadline_ms() == naive_.next_deadline_ms();
  }

  const DatagramLimits limits_;
  const bool firsts_are_rare_;  ///< so that many datagrams hold at the same time
  Datagrams real_;
  NaiveDatagrams naive_;
  std::uint64_t now_ms_ = 0;
  LostFrames lost_;
  std::uint64_t users_ = 0;
};

}  // namespace uct::core
