#include "tests/support/tracker_operations.h"

#include <algorithm>
#include <random>
#include <sstream>

#include "tests/support/tuple_packet.h"

namespace uct::model {

namespace {

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {
    hosts_ = 2 + below(30);
    ports_ = 1 + below(one_in(3) ? 200 : 6);
    burst_ = one_in(3) ? 256 : 1 + below(40);
    slow_ = one_in(3);
  }

  Settings settings(std::uint64_t seed) {
    constexpr std::int64_t kStarts[] = {0, -5'000'000'000, 1'700'000'000'000, -1};
    Settings made;
    made.seed = seed;
    made.shards = 1U << below(5);
    made.max_connections = one_in(3) ? 1 + below(40) : kCapacity;
    made.start_ms = kStarts[below(4)];
    made.pick_up = !one_in(4);
    made.events = one_in(2);
    return made;
  }

  Operation operation() {
    Operation made;
    made.request.zone = kZones[below(4)];
    const std::uint32_t choice = below(100);
    if (choice < 58) return packets(std::move(made));
    if (choice < 72) return advance(std::move(made));
    if (choice < 81) return sweep(std::move(made));
    if (choice < 84) return looking(Verb::flush, std::move(made));
    if (choice < 86) return looking(Verb::dump, std::move(made));
    if (choice < 91) return looking(Verb::dump_piece, std::move(made));
    if (choice < 95) return find(std::move(made));
    return setting(std::move(made));
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }

  /// Gives     1 to 2^bits, each magnitude as likely as the next.
  std::uint64_t magnitude(std::uint32_t bits) {
    return 1 + random_() % (std::uint64_t{1} << below(bits + 1));
  }

  Tuple tuple() {
    const Family family = one_in(3) ? Family::ipv6 : Family::ipv4;
    Tuple made;
    made.source = test::numbered_address(family, below(hosts_));
    made.destination = test::numbered_address(family, below(hosts_));
    switch (below(8)) {
      case 0:
        made.protocol = family == Family::ipv4 ? Protocol::icmp : Protocol::icmpv6;
        made.icmp_id = static_cast<std::uint16_t>(below(ports_));
        made.icmp_type =
            static_cast<std::uint8_t>(family == Family::ipv4 ? below(2) * 8 : 128 + below(2));
        return made;
      case 1:
        made.protocol = one_in(2) ? Protocol::gre : Protocol{99};
        return made;
      case 2:
      case 3:
      case 4:
        made.protocol = Protocol::tcp;
        break;
      default:
        made.protocol = Protocol::udp;
        break;
    }
    made.source_port = static_cast<std::uint16_t>(1 + below(ports_));
    made.destination_port = static_cast<std::uint16_t>(1 + below(ports_));
    return made;
  }

  PacketSpec packet() {
    PacketSpec made;
    made.tuple = tuple();
    made.tcp_choice = static_cast<std::uint8_t>(below(8));
    made.payload = static_cast<std::uint8_t>(below(33));
    if (one_in(16) && made.tuple.protocol != Protocol::tcp) made.kind = PacketKind::error;
    if (one_in(40) && made.tuple.protocol == Protocol::udp) made.kind = PacketKind::udp_length;
    if (one_in(80)) made.kind = PacketKind::link_unsupported;
    return made;
  }

  void label(Label& value, Label& mask) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      value[i] = static_cast<std::uint8_t>(below(256));
      if (one_in(8)) mask[i] = static_cast<std::uint8_t>(below(256));
    }
  }

  Operation packets(Operation made) {
    made.verb = Verb::packets;
    const std::uint32_t count = 1 + below(one_in(2) ? 4 : burst_);
    for (std::uint32_t i = 0; i < count; ++i) made.packets.push_back(packet());
    Request& request = made.request;
    request.commit = !one_in(4);
    request.force = one_in(8);
    if (one_in(3)) request.mark = below(4), request.mark_mask = below(4);
    if (one_in(6)) label(request.label, request.label_mask);
    request.timeout_policy = static_cast<TimeoutPolicyId>(below(kNamedPolicies + 1));
    return made;
  }

  Operation advance(Operation made) {
    made.verb = Verb::advance;
    made.amount = magnitude(slow_ ? 10 : one_in(12) ? 32 : 18);
    return made;
  }

  Operation sweep(Operation made) {
    made.verb = Verb::sweep;
    made.amount = one_in(2) ? 1'000'000 : below(20);
    return made;
  }

  /// Flush, dump and pieces of a dump; whole ones without a filter are common for dumps only.
  Operation looking(Verb verb, Operation made) {
    made.verb = verb;
    made.amount = magnitude(8);
    Filter& filter = made.filter;
    if (verb == Verb::dump_piece || (verb == Verb::dump && one_in(3))) return made;
    if (one_in(3)) filter.zone = kZones[below(4)];
    if (one_in(3)) filter.protocol = tuple().protocol;
    if (one_in(4)) filter.family = one_in(2) ? Family::ipv4 : Family::ipv6;
    if (one_in(2)) filter.original.source = tuple().source;
    if (one_in(5)) filter.reply.source = tuple().source;
    if (one_in(5)) filter.original.destination_port = static_cast<std::uint16_t>(below(ports_));
    if (one_in(5)) filter.mark = below(4), filter.mark_mask = below(4);
    if (one_in(8)) filter.label_mask[below(16)] = 1;
    return made;
  }

  Operation find(Operation made) {
    made.verb = Verb::find;
    made.packets.push_back(packet());
    return made;
  }

  Operation setting(Operation made) {
    constexpr Verb kVerbs[] = {Verb::max_connections, Verb::zone_limit, Verb::default_zone_limit,
                               Verb::policy, Verb::sequence_check};
    made.verb = kVerbs[below(5)];
    made.unset = one_in(2);
    made.amount = made.verb == Verb::max_connections  ? (one_in(2) ? 1 + below(60) : kCapacity)
                  : made.verb == Verb::sequence_check ? below(3)
                                                      : below(30);
    made.request.timeout_policy = static_cast<TimeoutPolicyId>(below(kNamedPolicies + 1));
    const std::uint32_t bits = 5 + below(27);
    for (Duration& value : made.timeouts.values) {
      value = std::min(kMaxTimeout, Duration(static_cast<std::int64_t>(magnitude(bits))));
    }
    return made;
  }

  std::mt19937_64 random_;
  std::uint32_t hosts_ = 0;
  std::uint32_t ports_ = 0;
  std::uint32_t burst_ = 0;
  bool slow_ = false;
};

void add_masked(std::ostringstream& text, const char* what, std::uint32_t value,
                std::uint32_t mask) {
  if (mask != 0) text << ' ' << what << ' ' << value << '/' << mask;
}

void add_label(std::ostringstream& text, const Label& value, const Label& mask) {
  if (mask == Label{}) return;
  text << " label" << std::hex;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (mask[i] == 0) continue;
    text << " [" << std::dec << i << std::hex << "]=" << unsigned{value[i]} << '/'
         << unsigned{mask[i]};
  }
  text << std::dec;
}

std::string request_text(const Request& request) {
  std::ostringstream text;
  text << "zone " << request.zone << (request.commit ? " commit" : "")
       << (request.force ? " force" : "");
  add_masked(text, "mark", request.mark, request.mark_mask);
  add_label(text, request.label, request.label_mask);
  if (request.timeout_policy != TimeoutPolicyId::standard) {
    text << " policy " << static_cast<unsigned>(request.timeout_policy);
  }
  return text.str();
}

std::string filter_text(const Filter& filter) {
  std::ostringstream text;
  if (filter.zone) text << " zone " << *filter.zone;
  if (filter.protocol) text << " protocol " << uct::to_string(*filter.protocol);
  if (filter.family) text << " ipv" << static_cast<unsigned>(*filter.family);
  if (filter.original.source) text << " from " << uct::to_string(*filter.original.source);
  if (filter.reply.source) text << " replies-from " << uct::to_string(*filter.reply.source);
  if (filter.original.destination_port) text << " dport " << *filter.original.destination_port;
  add_masked(text, "mark", filter.mark, filter.mark_mask);
  add_label(text, filter.label, filter.label_mask);
  return text.str();
}

std::string packet_text(const PacketSpec& packet) {
  constexpr const char* kKinds[] = {"", " quoted by an error", " udp-length", " unsupported link"};
  std::ostringstream text;
  text << to_text(packet.tuple);
  if (packet.tuple.protocol == Protocol::tcp) text << " choice " << unsigned{packet.tcp_choice};
  text << " len " << unsigned{packet.payload} << kKinds[static_cast<std::size_t>(packet.kind)];
  return text.str();
}

std::string policy_text(const Operation& operation) {
  std::ostringstream text;
  text << "set policy " << static_cast<unsigned>(operation.request.timeout_policy) << " =";
  for (const Duration value : operation.timeouts.values) text << ' ' << value.count();
  return text.str();
}

}  // namespace

Sequence random_sequence(std::uint64_t seed, std::size_t length) {
  Maker maker(seed);
  Sequence made;
  made.settings = maker.settings(seed);
  for (std::size_t i = 0; i < length; ++i) made.operations.push_back(maker.operation());
  return made;
}

std::string to_text(const Settings& settings) {
  std::ostringstream text;
  text << "seed " << settings.seed << ": shards " << settings.shards << ", max-connections "
       << settings.max_connections << ", starts at " << settings.start_ms << " ms, pick-up "
       << settings.pick_up << ", events " << settings.events;
  return text.str();
}

std::string to_text(const Operation& operation) {
  const std::string amount = std::to_string(operation.amount);
  const std::string limit = operation.unset ? "none" : amount;
  const std::string zone = std::to_string(operation.request.zone);
  switch (operation.verb) {
    case Verb::packets:
      break;
    case Verb::advance:
      return "advance " + amount + " ms";
    case Verb::sweep:
      return "sweep timers " + amount;
    case Verb::flush:
      return "flush" + filter_text(operation.filter);
    case Verb::dump:
      return "dump by " + amount + filter_text(operation.filter);
    case Verb::dump_piece:
      return "go on dumping by " + amount;
    case Verb::find:
      return "find zone " + zone + " " + packet_text(operation.packets[0]) + ", and by handles";
    case Verb::max_connections:
      return "set max-connections " + amount;
    case Verb::zone_limit:
      return "set zone-limit " + zone + " " + limit;
    case Verb::default_zone_limit:
      return "set zone-limit default " + limit;
    case Verb::policy:
      return policy_text(operation);
    case Verb::sequence_check:
      return "set sequence-check " + zone + " " + amount;
  }
  std::string text = "burst " + request_text(operation.request);
  for (const PacketSpec& packet : operation.packets) text += "\n      " + packet_text(packet);
  return text;
}

std::string to_text(const Tuple& tuple) {
  std::ostringstream text;
  text << uct::to_string(tuple.protocol) << ' ' << uct::to_string(tuple.source) << ' '
       << tuple.source_port << " > " << uct::to_string(tuple.destination) << ' '
       << tuple.destination_port;
  if (has_icmp_id(tuple.protocol)) {
    text << " type " << unsigned{tuple.icmp_type} << " id " << tuple.icmp_id;
  }
  return text.str();
}

std::string to_text(const ConnectionInfo& info) {
  std::ostringstream text;
  text << to_text(info.original) << " zone " << info.zone << ' ' << state_name(info)
       << (info.seen_reply ? " replied" : "") << (info.assured ? " assured" : "")
       << (info.picked_up ? " picked-up" : "") << " packets " << info.counters[0].packets << '/'
       << info.counters[1].packets << " bytes " << info.counters[0].bytes << '/'
       << info.counters[1].bytes << " mark " << info.mark << " policy "
       << static_cast<unsigned>(info.timeout_policy) << " timeout " << info.timeout.count()
       << " start " << info.start.time_since_epoch().count() << " last "
       << info.last_seen.time_since_epoch().count() << " expires "
       << info.expires.time_since_epoch().count();
  add_label(text, info.label, info.label);
  return text.str();
}

}  // namespace uct::model
