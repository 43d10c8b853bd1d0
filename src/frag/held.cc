#include "frag/held.h"

#include <cstring>
#include <new>
#include <type_traits>

namespace uct::core {

static_assert(std::is_trivially_destructible_v<HeldFrame>, "freed as memory");

HeldFramePtr HeldFrame::copy(const Packet& packet, Zone zone) {
  void* const memory = ::operator new(charge_of(packet), std::nothrow);
  if (memory == nullptr) return nullptr;
  HeldFramePtr frame(new (memory) HeldFrame(packet, zone));
  if (packet.size != 0) std::memcpy(frame->packet().data, packet.data, packet.size);
  return frame;
}

void FreeHeldFrame::operator()(HeldFrame* frame) const noexcept { ::operator delete(frame); }

Packet HeldFrame::packet() {
  Packet packet = packet_;
  packet.data = reinterpret_cast<std::byte*>(this + 1);
  return packet;
}

HeldFrames& HeldFrames::operator=(HeldFrames&& other) noexcept {
  if (this == &other) return *this;
  clear();
  append(std::move(other));
  return *this;
}

void HeldFrames::push(HeldFramePtr frame) noexcept {
  ++count_;
  charge_ += frame->charge();
  HeldFrame* const added = frame.release();
  (last_ == nullptr ? first_ : last_->next_) = added;
  last_ = added;
}

void HeldFrames::append(HeldFrames&& other) noexcept {
  if (other.empty()) return;
  (last_ == nullptr ? first_ : last_->next_) = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  count_ += std::exchange(other.count_, 0);
  charge_ += std::exchange(other.charge_, 0);
}

HeldFramePtr HeldFrames::pop() noexcept {
  HeldFramePtr frame(first_);
  if (frame == nullptr) return frame;
  first_ = std::exchange(frame->next_, nullptr);
  if (first_ == nullptr) last_ = nullptr;
  --count_;
  charge_ -= frame->charge();
  return frame;
}

void HeldFrames::clear() noexcept {
  while (pop() != nullptr) continue;
}

}  // namespace uct::core
