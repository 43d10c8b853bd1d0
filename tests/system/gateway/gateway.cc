#include "gateway.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace uct::gateway {

namespace {

constexpr int kSweepEveryMs = 50;
constexpr std::uint32_t kMaxConnections = 10'000;

Timestamp now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<Timestamp::duration>(since_start));
}

Mac mac_of(Side side) {
  return {std::byte{0x02}, std::byte{'u'}, std::byte{'c'},
          std::byte{'t'},  std::byte{0},   static_cast<std::byte>(side)};
}

/// From where to where a packet goes, in its Packet::user.
std::uint64_t ways(Side from, Side to) {
  return static_cast<std::uint64_t>(from) << 1 | static_cast<std::uint64_t>(to);
}

std::pair<Side, Side> sides_of(std::uint64_t ways) {
  return {static_cast<Side>(ways >> 1), static_cast<Side>(ways & 1)};
}

}  // namespace

Gateway::Gateway(Options options) : options_(std::move(options)) {
  if (make_tracker() && make_leg(Side::inside)) make_leg(Side::outside);
}

bool Gateway::make_tracker() {
  Config config;
  config.max_connections = kMaxConnections;
  config.fragments = this;
  config.shards = 4;  // so that connections and their reply tuples live in different ones
  std::random_device random;
  for (std::uint64_t& word : config.hash_key) word = std::uint64_t{random()} << 32 | random();
  auto created = Tracker::create(config);
  if (!created) {
    error_ = describe(created.error());
    return false;
  }
  tracker_ = std::move(created.value());
  for (Rule& rule : options_.rules) {
    const auto id = tracker_->add_nat(rule.spec);
    if (!id) {
      error_ = describe(id.error());
      return false;
    }
    rule.id = id.value();
  }
  return true;
}

bool Gateway::make_leg(Side side) {
  Leg& made = leg(side);
  made.options = options_.sides[static_cast<std::size_t>(side)];
  made.mac = mac_of(side);
  made.tap = std::make_unique<Tap>(made.options.device);
  error_ = made.tap->error();
  return error_.empty();
}

bool Gateway::is_ours(Side side, const Address& address) const {
  const std::vector<Address>& own = options_.sides[static_cast<std::size_t>(side)].addresses;
  return std::find(own.begin(), own.end(), address) != own.end() ||
         (side == Side::outside && is_external(options_.rules, address));
}

const Address& Gateway::own_address(Side side, Family family) const {
  static const Address none;
  const std::vector<Address>& own = options_.sides[static_cast<std::size_t>(side)].addresses;
  const auto found = std::find_if(own.begin(), own.end(),
                                  [&](const Address& each) { return each.family == family; });
  return found == own.end() ? none : *found;
}

void Gateway::run(const volatile std::sig_atomic_t& stop) {
  std::array<pollfd, 2> waiting{};
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    waiting[i] = {legs_[i].tap->descriptor(), POLLIN, 0};
  }
  while (stop == 0) {
    ::poll(waiting.data(), waiting.size(), kSweepEveryMs);
    for (const Side side : {Side::inside, Side::outside}) {
      handle_burst(side, read_burst(leg(side)));
    }
    tracker_->sweep(now());
  }
}

std::size_t Gateway::read_burst(Leg& leg) {
  std::size_t count = 0;
  while (count < kBurst && leg.tap->read(frames_[count])) ++count;
  leg.count.read += count;
  return count;
}

/// Packets of one rule that follow each other are one call of the tracker.
void Gateway::handle_burst(Side from, std::size_t count) {
  std::array<Passage, kBurst> passages;
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (accept(from, frames_[i], passages[accepted])) ++accepted;
  }
  std::array<Verdict, kBurst> verdicts;
  const Timestamp time = now();
  for (std::size_t first = 0; first < accepted;) {
    std::size_t last = first + 1;
    while (last < accepted && passages[last].nat == passages[first].nat &&
           passages[last].commit == passages[first].commit) {
      ++last;
    }
    track(from, std::span(passages).subspan(first, last - first), time,
          std::span(verdicts).subspan(first));
    first = last;
  }
  for (std::size_t i = 0; i < accepted; ++i) send_on(from, passages[i], verdicts[i]);
}

/// What a router does before it translates: a packet that does not get further is answered with
/// the addresses that its sender gave it.
bool Gateway::accept(Side from, Frame& frame, Passage& passage) {
  Leg& leg = this->leg(from);
  if (frame.size < kEthernetSize) return false;
  if (const auto wanted = wanted_neighbour(frame); wanted && is_ours(from, *wanted)) {
    ++leg.count.answered;
    leg.tap->write(neighbour_answer(frame, *wanted, leg.mac));
    return false;
  }
  const auto header = read_ip(frame.packet());
  if (!header || !std::equal(leg.mac.begin(), leg.mac.end(), frame.room.begin())) {
    ++leg.count.not_ours;
    return false;
  }
  const bool is_hairpin = from == Side::inside && is_ours(Side::outside, header->destination);
  passage.frame = &frame;
  passage.to = is_hairpin ? Side::inside : opposite(from);
  const std::size_t mtu = this->leg(passage.to).options.mtu;
  if (header->hop_limit <= 1) {
    ++leg.count.hop_limit;
    answer_error(from, frame, *header, RouterError::time_exceeded, 0);
    return false;
  }
  if (header->dont_fragment && header->total_size > mtu) {
    ++leg.count.too_big;
    answer_error(from, frame, *header, RouterError::too_big, mtu);
    return false;
  }
  take_hop(frame.packet(), header->family);
  choose_rule(from, *header, passage);
  return true;
}

void Gateway::choose_rule(Side from, const IpHeader& header, Passage& passage) const {
  passage.nat = NatId::none;
  passage.commit = from == Side::inside;
  for (const Rule& rule : options_.rules) {
    if (!rule.matches(from, header)) continue;
    // Nobody is behind an external address that nothing sends on.
    if (passage.to == Side::inside && !rule.spec.destination) continue;
    passage.nat = rule.id;
    passage.commit = true;
    return;
  }
}

void Gateway::track(Side from, std::span<const Passage> run, Timestamp now,
                    std::span<Verdict> verdicts) {
  std::array<Packet, kBurst> packets;
  for (std::size_t i = 0; i < run.size(); ++i) {
    packets[i].data = run[i].frame->room.data();
    packets[i].size = static_cast<std::uint32_t>(run[i].frame->size);
    packets[i].user = ways(from, run[i].to);
  }
  Request request;
  request.commit = run.front().commit;
  request.nat = run.front().nat;
  tracker_->process(std::span(packets).first(run.size()), request, now, verdicts);
}

/// Sends a fragment on that was held. It is no longer in order, as it was not when it came.
void Gateway::on_fragment(const HeldFragment& fragment) noexcept {
  Frame frame;
  frame.size = fragment.packet.size;
  copy(ConstBytes(fragment.packet.data, frame.size), frame.bytes(), 0);
  const auto [from, to] = sides_of(fragment.packet.user);
  send_on(from, {&frame, to, NatId::none, false}, fragment.verdict);
}

bool Gateway::may_pass(Leg& from, const Verdict& verdict) const {
  if (is_held(verdict.reason)) {
    ++from.count.held;
    return false;
  }
  if (has(verdict.state, StateFlags::invalid)) {
    ++from.count.invalid;
    return false;
  }
  if (is_refusal(verdict.reason)) {
    ++from.count.refused;
    return false;
  }
  if (verdict.connection == ConnectionHandle::none) {
    ++from.count.unasked;
    return false;
  }
  return true;
}

void Gateway::send_on(Side from, const Passage& passage, const Verdict& verdict) {
  Leg& came = leg(from);
  if (!may_pass(came, verdict)) return;
  Leg& to = leg(passage.to);
  Frame& frame = *passage.frame;
  const auto header = read_ip(frame.packet());
  if (!header || is_ours(Side::inside, header->destination) ||
      (passage.to == Side::inside && is_ours(Side::outside, header->destination))) {
    ++came.count.for_us;
    return;
  }
  copy(to.tap->kernel_mac(), frame.bytes(), 0);
  copy(to.mac, frame.bytes(), 6);
  ++came.count.sent_on;
  if (header->total_size <= to.options.mtu) {
    came.count.write_failed += to.tap->write(frame) ? 0 : 1;
    return;
  }
  ++came.count.cut;
  for (const Frame& fragment : fragments_of(frame, *header, to.options.mtu)) {
    came.count.write_failed += to.tap->write(fragment) ? 0 : 1;
  }
}

void Gateway::answer_error(Side from, const Frame& frame, const IpHeader& header, RouterError error,
                           std::size_t mtu) {
  const Address& self = own_address(from, header.family);
  const auto answer = error_about(frame, header, error, mtu, self);
  if (answer) leg(from).tap->write(*answer);
}

}  // namespace uct::gateway
