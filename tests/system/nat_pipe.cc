// The library as a filter, for tests/system/nat_kernel.sh: packets in, verdicts and packets out.
//
// Each argument is a rule (gateway/rules.h). Standard input holds, for each packet, a byte 'i' or
// 'o' for the side it comes from, its size in two bytes, most significant first, and itself,
// beginning with its IP header. The answer is a line "pass|drop|hold STATE REASON SIZE" and the
// packet as it became; it is written before the next packet is read, so that the caller can answer
// what it sees. A fragment that was held and leaves because of a packet is answered like it, before
// it, with "held-pass" or "held-drop". A packet may pass if the data plane of tap_gateway would let
// it.
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <uct/tracker.h>

#include "gateway/rules.h"
#include "gateway/wire.h"

namespace {

using uct::gateway::Rule;
using uct::gateway::Side;

constexpr std::size_t kPacketMax = 65535;

bool may_pass(const uct::Verdict& verdict) {
  return !uct::has(verdict.state, uct::StateFlags::invalid) && !uct::is_refusal(verdict.reason) &&
         verdict.connection != uct::ConnectionHandle::none;
}

void answer(const char* word, const uct::Verdict& verdict, const uct::Packet& packet) {
  std::printf("%s %s %s %u\n", word, uct::to_string(verdict.state).c_str(),
              uct::name(verdict.reason).data(), packet.size);
  std::fwrite(packet.data, 1, packet.size, stdout);
}

class HeldAnswers final : public uct::FragmentSink {
 public:
  void on_fragment(const uct::HeldFragment& fragment) noexcept override {
    answer(may_pass(fragment.verdict) ? "held-pass" : "held-drop", fragment.verdict,
           fragment.packet);
  }
};

struct Filter {
  std::vector<Rule> rules;
  HeldAnswers held;
  std::unique_ptr<uct::Tracker> tracker;
  uct::Timestamp now{};
};

bool make_filter(std::span<char*> texts, Filter& filter) {
  uct::Config config;
  config.max_connections = 10'000;
  config.fragments = &filter.held;
  config.shards = 4;                  // so that a connection and its reply tuple live in two
  config.hash_key = {0x7e57, 0x001};  // a run replays
  auto created = uct::Tracker::create(config);
  if (!created) return false;
  filter.tracker = std::move(created.value());
  for (const char* text : texts) {
    auto parsed = uct::gateway::parse_rule(text);
    if (!parsed.rule) {
      std::fprintf(stderr, "nat_pipe: %s: %s\n", text, parsed.error.c_str());
      return false;
    }
    const auto id = filter.tracker->add_nat(parsed.rule->spec);
    if (!id) {
      std::fprintf(stderr, "nat_pipe: %s: %s\n", text, uct::describe(id.error()).data());
      return false;
    }
    parsed.rule->id = id.value();
    filter.rules.push_back(std::move(*parsed.rule));
  }
  return true;
}

/// Reads one packet. Gives nothing at the end of the input.
std::optional<Side> read_packet(std::vector<std::byte>& packet) {
  std::array<unsigned char, 3> head;
  if (std::fread(head.data(), 1, head.size(), stdin) != head.size()) return std::nullopt;
  packet.resize(std::size_t{head[1]} << 8 | head[2]);
  if (std::fread(packet.data(), 1, packet.size(), stdin) != packet.size()) return std::nullopt;
  return head[0] == 'i' ? Side::inside : Side::outside;
}

/// What opens: all from inside, and from outside what a rule is for.
uct::Request request_for(const Filter& filter, Side side, uct::gateway::ConstBytes packet) {
  uct::Request request;
  request.commit = side == Side::inside;
  const auto header = uct::gateway::read_ip(packet);
  if (!header) return request;
  for (const Rule& rule : filter.rules) {
    if (!rule.matches(side, *header)) continue;
    request.commit = true;
    request.nat = rule.id;
    break;
  }
  return request;
}

void run(Filter& filter) {
  std::vector<std::byte> bytes;
  bytes.reserve(kPacketMax);
  while (const auto side = read_packet(bytes)) {
    uct::Packet packet;
    packet.data = bytes.data();
    packet.size = static_cast<std::uint32_t>(bytes.size());
    packet.link = uct::LinkType::raw_ip;
    uct::Verdict verdict;
    filter.now += std::chrono::milliseconds(1);
    filter.tracker->process(std::span(&packet, 1), request_for(filter, *side, bytes), filter.now,
                            std::span(&verdict, 1));
    const char* const word = may_pass(verdict) ? "pass" : "drop";
    answer(uct::is_held(verdict.reason) ? "hold" : word, verdict, packet);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Filter filter;
  if (!make_filter(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), filter)) return 2;
  run(filter);
  return 0;
}
