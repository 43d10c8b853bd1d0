// The names and sentences of every public enum, and addresses as text.
#include <arpa/inet.h>

#include <array>

#include <uct/tracker.h>

namespace uct {

namespace {

template <typename Enum, std::size_t kCount>
std::string_view pick(const std::array<std::string_view, kCount>& names, Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < kCount ? names[i] : std::string_view("?");
}

constexpr std::array<std::string_view, kReasonCount> kReasonNames = {
#define UCT_REASON_NAME(name, sentence) #name,
    UCT_REASONS(UCT_REASON_NAME)
#undef UCT_REASON_NAME
};

constexpr std::array<std::string_view, kReasonCount> kReasonSentences = {
#define UCT_REASON_SENTENCE(name, sentence) sentence,
    UCT_REASONS(UCT_REASON_SENTENCE)
#undef UCT_REASON_SENTENCE
};

constexpr std::array<std::string_view, 8> kFlagNames = {"new", "est", "rel",  "rpl",
                                                        "inv", "trk", "snat", "dnat"};

constexpr std::array<std::string_view, kTimeoutClassCount> kTimeoutNames = {
    "tcp.first",  "tcp.opening",  "tcp.established",  "tcp.closing", "tcp.fin_wait",
    "tcp.closed", "other.first",  "other.multiple",   "other.bidir", "icmp.first",
    "icmp.reply", "sctp.opening", "sctp.established", "sctp.closing"};

constexpr std::array<std::string_view, kTcpStateCount> kTcpStates = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2"};

constexpr std::array<std::string_view, 9> kSctpStates = {
    "NONE",          "COOKIE_WAIT",       "COOKIE_ECHOED", "ESTABLISHED",   "SHUTDOWN_SENT",
    "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "CLOSED",        "HEARTBEAT_SENT"};

constexpr std::array<std::string_view, static_cast<std::size_t>(Error::memory_unavailable) + 1>
    kErrors = {
        "nothing is wrong",
        "the maximum of connections must be at least 1",
        "the maximum of connections is beyond what the tracker was made for: raise "
        "Config::capacity",
        "the number of shards must be a power of two from 1 to 256",
        "a timeout must be between 1 millisecond and 20 days",
        "no timeout policy has this name or number: make it with set_timeout_policy first",
        "256 timeout policies exist already: change one of them instead",
        "the name of a timeout policy must have 1 to 63 characters",
        "a translation needs a source or a destination",
        "a range of addresses must be of one family, not end before it begins, and not begin with "
        "the address of zeros",
        "a range of ports must not end before it begins, nor begin with port 0",
        "all addresses of a translation must be of one family",
        "to move a prefix the range must be one, such as 198.51.100.0/24; for npt of IPv6, up to "
        "/64",
        "endpoint-independent mapping needs a source with addresses, no destination, and no "
        "selection",
        "an address stands in two ranges of one list: leave it out of one of them",
        "endpoint-independent mapping serves at most 65536 external addresses: make several specs",
        "a block must have a power of two from 64 to 4096 ports, and no more than the range has",
        "deterministic blocks need the addresses inside, and as many blocks as these: add external "
        "addresses or take smaller blocks",
        "4096 translations exist already: use one of them again",
        "no translation has this number: make it with add_nat first",
        "no mapping can be asked for: the spec needs NatSpec::mapping, the protocol ports",
        "no external port is free for this internal address: ask again when some are given back",
        "this internal address has all ports that its quota allows: give some back first",
        "this internal address is not among the translation's: see NatMapping::inside",
        "the system gave no address space: lower Config::capacity or raise the limit (ulimit -v)"};

constexpr std::array<std::string_view, kProtocolGroupCount> kGroups = {
    "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "other"};

template <typename T>
bool fits(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

bool fits(const TupleFilter& filter, const Tuple& tuple) {
  return fits(filter.source, tuple.source) && fits(filter.destination, tuple.destination) &&
         fits(filter.source_port, tuple.source_port) &&
         fits(filter.destination_port, tuple.destination_port) &&
         fits(filter.icmp_id, tuple.icmp_id) && fits(filter.icmp_type, tuple.icmp_type) &&
         fits(filter.icmp_code, tuple.icmp_code);
}

}  // namespace

std::string_view name(Reason reason) { return pick(kReasonNames, reason); }
std::string_view describe(Reason reason) { return pick(kReasonSentences, reason); }
std::string_view describe(Error error) { return pick(kErrors, error); }
std::string_view name(TimeoutClass timeout_class) { return pick(kTimeoutNames, timeout_class); }
std::string_view name(TcpState state) { return pick(kTcpStates, state); }
std::string_view name(SctpState state) { return pick(kSctpStates, state); }
std::string_view name(ProtocolGroup group) { return pick(kGroups, group); }

std::string_view name(OtherState state) {
  return pick(std::array<std::string_view, 3>{"FIRST", "MULTIPLE", "BIDIR"}, state);
}
std::string_view name(IcmpState state) {
  return pick(std::array<std::string_view, 2>{"FIRST", "REPLY"}, state);
}
std::string_view name(EventKind kind) {
  return pick(std::array<std::string_view, 3>{"created", "updated", "destroyed"}, kind);
}
std::string_view name(DestroyCause cause) {
  return pick(std::array<std::string_view, 4>{"none", "expired", "replaced", "flushed"}, cause);
}

std::string_view state_name(const ConnectionInfo& info) {
  switch (info.protocol) {
    case Protocol::tcp:
      return name(info.tcp_state());
    case Protocol::sctp:
      return name(info.sctp_state());
    case Protocol::icmp:
    case Protocol::icmpv6:
      return name(info.icmp_state());
    default:
      return name(info.other_state());
  }
}

bool parse_timeout_class(std::string_view text, TimeoutClass& timeout_class) {
  for (std::size_t i = 0; i < kTimeoutClassCount; ++i) {
    if (kTimeoutNames[i] != text) continue;
    timeout_class = static_cast<TimeoutClass>(i);
    return true;
  }
  return false;
}

std::string to_string(StateFlags flags) {
  if (flags == StateFlags::untracked) return "untracked";
  std::string text;
  for (unsigned bit = 0; bit < kFlagNames.size(); ++bit) {
    if ((static_cast<unsigned>(flags) >> bit & 1) == 0) continue;
    if (!text.empty()) text += '|';
    text += kFlagNames[bit];
  }
  return text;
}

std::string to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp:
      return "icmp";
    case Protocol::igmp:
      return "igmp";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::dccp:
      return "dccp";
    case Protocol::gre:
      return "gre";
    case Protocol::esp:
      return "esp";
    case Protocol::ah:
      return "ah";
    case Protocol::icmpv6:
      return "icmpv6";
    case Protocol::no_next_header:
      break;
    case Protocol::sctp:
      return "sctp";
    case Protocol::udplite:
      return "udplite";
  }
  return std::to_string(static_cast<unsigned>(protocol));
}

std::string to_string(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  const int family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  return inet_ntop(family, address.bytes.data(), text, sizeof(text)) == nullptr ? "?" : text;
}

bool parse_address(std::string_view text, Address& address) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.size() >= sizeof(buffer)) return false;
  text.copy(buffer, text.size());
  const bool v6 = text.find(':') != std::string_view::npos;
  Address parsed;
  parsed.family = v6 ? Family::ipv6 : Family::ipv4;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, buffer, parsed.bytes.data()) != 1) return false;
  address = parsed;
  return true;
}

ProtocolGroup protocol_group(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return ProtocolGroup::tcp;
    case Protocol::udp:
      return ProtocolGroup::udp;
    case Protocol::udplite:
      return ProtocolGroup::udplite;
    case Protocol::sctp:
      return ProtocolGroup::sctp;
    case Protocol::dccp:
      return ProtocolGroup::dccp;
    case Protocol::icmp:
      return ProtocolGroup::icmp;
    case Protocol::icmpv6:
      return ProtocolGroup::icmpv6;
    default:
      return ProtocolGroup::other;
  }
}

bool matches(const Filter& filter, const ConnectionInfo& info) {
  if (!fits(filter.zone, info.zone) || !fits(filter.protocol, info.protocol)) return false;
  if (!fits(filter.family, info.original.source.family)) return false;
  if ((info.mark & filter.mark_mask) != (filter.mark & filter.mark_mask)) return false;
  for (std::size_t i = 0; i < info.label.size(); ++i) {
    if (((info.label[i] ^ filter.label[i]) & filter.label_mask[i]) != 0) return false;
  }
  return fits(filter.original, info.original) && fits(filter.reply, info.reply);
}

}  // namespace uct
