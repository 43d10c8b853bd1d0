/// Copies of fragments that wait for the first one of their datagram.
///
/// Each copy is one allocation of its own, its bytes behind its head: fragments have from 60 bytes
/// to 64 KiB, wait for a moment, and are freed by whichever thread emits them, without a lock and
/// in any order. Slabs of one size would give a fragment of one byte 2 KiB, which an attacker sends
/// most, and would not hold a jumbo frame; a ring would wait for its oldest. What is counted is
/// what is taken, heads included, so that the cap on it bounds memory; when nothing waits, nothing
/// is taken.
///
/// Relies on <uct/packet.h> and <uct/zone.h>; used by frag/datagrams.h and whoever emits what it
/// releases.
/// Threads   values with one owner at a time; they may pass from thread to thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <uct/packet.h>
#include <uct/zone.h>

namespace uct::core {

class HeldFrame;
struct FreeHeldFrame {
  void operator()(HeldFrame* frame) const noexcept;
};
using HeldFramePtr = std::unique_ptr<HeldFrame, FreeHeldFrame>;

class HeldFrame {
 public:
  /// Copies the packet's bytes and what is known of them.
  ///
  /// Gives     nothing when there is no memory
  /// Cost      one allocation of charge_of(packet) bytes
  static HeldFramePtr copy(const Packet& packet, Zone zone);

  /// Gives     the packet as it came; its bytes may be written, and live as long as the frame.
  Packet packet();

  Zone zone() const { return zone_; }

  /// Gives     bytes that a copy of the packet takes.
  static std::uint64_t charge_of(const Packet& packet) {
    return sizeof(HeldFrame) + std::uint64_t{packet.size};
  }
  std::uint64_t charge() const { return charge_of(packet_); }

 private:
  friend class HeldFrames;
  HeldFrame(const Packet& packet, Zone zone) : packet_(packet), zone_(zone) {}

  Packet packet_;  ///< its `data` is not used: the bytes lie behind this object
  Zone zone_;
  HeldFrame* next_ = nullptr;  ///< in its HeldFrames
};

/// Frames in order of arrival.
class HeldFrames {
 public:
  HeldFrames() = default;
  ~HeldFrames() { clear(); }
  HeldFrames(HeldFrames&& other) noexcept { append(std::move(other)); }
  HeldFrames& operator=(HeldFrames&& other) noexcept;

  void push(HeldFramePtr frame) noexcept;

  /// Moves all frames of `other` behind these.
  ///
  /// Cost      O(1), so that it may be done under a lock
  void append(HeldFrames&& other) noexcept;

  /// Gives     the one that came first, or nothing when there is none.
  HeldFramePtr pop() noexcept;

  void clear() noexcept;
  bool empty() const { return first_ == nullptr; }
  std::uint32_t count() const { return count_; }
  std::uint64_t charge() const { return charge_; }  ///< bytes

 private:
  HeldFrame* first_ = nullptr;
  HeldFrame* last_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint64_t charge_ = 0;
};

}  // namespace uct::core
