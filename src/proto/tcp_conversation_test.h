/// A TCP conversation for tests: two sides that keep their own numbers and speak in sentences.
///
/// Included by the TCP tests of this room. Each verb builds the segment that the side would send
/// next, hands it to the state machine and moves the side's numbers; make_*() only builds it.
#pragma once

#include <cstring>

#include "proto/tcp.h"

namespace uct::core::test {

class TcpConversation {
 public:
  struct Segment {
    std::uint8_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t payload = 0;
    std::uint16_t window = 8192;
    std::uint8_t scale = kNoWindowScale;
  };

  class Side {
   public:
    Side(TcpConversation& owner, Direction direction, std::uint32_t isn)
        : owner_(&owner), direction_(direction), isn_(isn), next_(isn) {}

    Segment make_syn() const { return {tcp_flag::kSyn, isn_, 0, 0, window, scale}; }
    Segment make_syn_ack() const {
      return {tcp_flag::kSyn | tcp_flag::kAck, isn_, other().next_, 0, window, scale};
    }
    Segment make_ack() const { return {tcp_flag::kAck, next_, other().next_, 0, window}; }
    Segment make_fin() const {
      return {tcp_flag::kFin | tcp_flag::kAck, fin_sent_ ? next_ - 1 : next_, other().next_, 0,
              window};
    }
    Segment make_rst() const {
      return {tcp_flag::kRst | tcp_flag::kAck, next_, other().next_, 0, window};
    }
    Segment make_data(std::uint32_t size) const {
      return {tcp_flag::kAck, next_, other().next_, size, window};
    }

    Update syn() { return say(make_syn()); }
    Update syn_ack() { return say(make_syn_ack()); }
    Update ack() { return say(make_ack()); }
    Update rst() { return say(make_rst()); }
    Update data(std::uint32_t size) { return say(make_data(size)); }
    Update fin() {
      const Segment segment = make_fin();
      fin_sent_ = true;
      return say(segment);
    }
    Update fin_without_ack_of_fin() {
      Segment segment = make_fin();
      segment.ack -= 1;
      fin_sent_ = true;
      return say(segment);
    }

    std::uint32_t next() const { return next_; }

    std::uint16_t window = 8192;
    std::uint8_t scale = kNoWindowScale;

   private:
    friend class TcpConversation;
    const Side& other() const {
      return direction_ == Direction::original ? owner_->server_ : owner_->client_;
    }
    Update say(const Segment& segment) {
      const std::uint32_t length = segment.payload +
                                   ((segment.flags & tcp_flag::kSyn) != 0 ? 1 : 0) +
                                   ((segment.flags & tcp_flag::kFin) != 0 ? 1 : 0);
      next_ = segment.seq + length;
      return owner_->send(segment, direction_);
    }

    TcpConversation* owner_;
    Direction direction_;
    std::uint32_t isn_;
    std::uint32_t next_;
    bool fin_sent_ = false;
  };

  TcpConversation() = default;
  TcpConversation(const TcpConversation& other) { *this = other; }
  TcpConversation& operator=(const TcpConversation& other) {
    client_ = other.client_;
    server_ = other.server_;
    client_.owner_ = server_.owner_ = this;
    body_ = other.body_;
    opened_ = other.opened_;
    context = other.context;
    return *this;
  }

  Side& client() { return client_; }
  Side& server() { return server_; }
  const Body& body() const { return body_; }
  TcpState state() const { return static_cast<TcpState>(state_of(body_)); }

  void open() {
    client_.syn();
    server_.syn_ack();
    client_.ack();
  }

  /// Begins with a segment from the middle of a conversation.
  Update pick_up() {
    client_.next_ = 5000;
    server_.next_ = 9000;
    return client_.data(10);
  }

  Update send(const Segment& segment, Direction direction) {
    ParsedPacket packet;
    packet.fate = Fate::track;
    packet.kind = Kind::tcp;
    packet.tcp_flags = segment.flags;
    packet.seq = segment.seq;
    packet.ack = segment.ack;
    packet.payload_size = segment.payload;
    packet.window = segment.window;
    packet.window_scale = segment.scale;
    if (!opened_) {
      const Reason reason = tcp::can_open(packet, context);
      if (reason != Reason::none) return {Effect::reject, reason, false};
      opened_ = true;
      tcp::open(body_, packet);
      return {Effect::accept, Reason::none, true};
    }
    return tcp::update(body_, direction, packet, context);
  }

  ProtocolContext context;

 private:
  Side client_{*this, Direction::original, 1000};
  Side server_{*this, Direction::reply, 700'000};
  Body body_{};
  bool opened_ = false;
};

}  // namespace uct::core::test
