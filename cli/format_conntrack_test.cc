// The expected lines are what conntrack v1.4.7 printed of the table of Linux 6.18 in a network
// namespace, for real packets of every protocol below (SCTP excepted: that kernel had none).
#include "cli/format_conntrack.h"

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string listed(const ConnectionInfo& info, Timestamp now) {
  return text_of([&](Text& out) { append_conntrack(out, info, now); });
}

std::string told(EventKind kind, DestroyCause cause, Timestamp time, const ConnectionInfo& info) {
  const Event event{kind, cause, time, info};
  return text_of([&](Text& out) { append_conntrack(out, event); });
}

TEST(ConntrackList, ClosedTcpConnectionAsConntrackPrintsIt) {
  EXPECT_EQ(listed(closed_tcp(), at(2.5)),
            "tcp      6 118 TIME_WAIT src=10.9.0.1 dst=10.9.0.2 sport=53636 dport=8080 packets=5 "
            "bytes=270 src=10.9.0.2 dst=10.9.0.1 sport=8080 dport=53636 packets=5 bytes=269 "
            "[ASSURED] mark=0 use=1\n");
}

TEST(ConntrackList, UnrepliedUdpInAZone) {
  ConnectionInfo info = with_ports(Protocol::udp, "10.9.0.1", 39804, "10.9.0.2", 5454);
  info.counters[0] = {1, 29};
  info.zone = 7;
  EXPECT_EQ(listed(info, at(1.5)),
            "udp      17 28 src=10.9.0.1 dst=10.9.0.2 sport=39804 dport=5454 packets=1 bytes=29 "
            "[UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=5454 dport=39804 packets=0 bytes=0 mark=0 "
            "zone=7 use=1\n");
}

TEST(ConntrackList, EchoRequestsOfBothFamilies) {
  ConnectionInfo v4 = echo(Protocol::icmp, "10.9.0.1", "10.9.0.2", 8, 0, 4411);
  v4.counters = {{{1, 84}, {1, 84}}};
  EXPECT_EQ(listed(v4, at(1)),
            "icmp     1 29 src=10.9.0.1 dst=10.9.0.2 type=8 code=0 id=4411 packets=1 bytes=84 "
            "src=10.9.0.2 dst=10.9.0.1 type=0 code=0 id=4411 packets=1 bytes=84 mark=0 use=1\n");
  ConnectionInfo v6 = echo(Protocol::icmpv6, "fd00::1", "fd00::2", 128, 129, 4412);
  v6.counters = {{{1, 104}, {1, 104}}};
  EXPECT_EQ(listed(v6, at(1)),
            "icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=4412 packets=1 bytes=104 "
            "src=fd00::2 dst=fd00::1 type=129 code=0 id=4412 packets=1 bytes=104 mark=0 use=1\n");
}

TEST(ConntrackList, GreShowsKeysAndUnknownProtocolsNothing) {
  ConnectionInfo gre = between_hosts(Protocol::gre, "10.9.0.1", "10.9.0.2");
  gre.counters[0] = {1, 34};
  EXPECT_EQ(listed(gre, at(2)),
            "gre      47 28 src=10.9.0.1 dst=10.9.0.2 srckey=0x0 dstkey=0x0 packets=1 bytes=34 "
            "[UNREPLIED] src=10.9.0.2 dst=10.9.0.1 srckey=0x0 dstkey=0x0 packets=0 bytes=0 mark=0 "
            "use=1\n");
  ConnectionInfo esp = between_hosts(Protocol::esp, "10.9.0.1", "10.9.0.2");
  esp.counters[0] = {1, 34};
  esp.expires = at(600);
  EXPECT_EQ(listed(esp, at(2)),
            "unknown  50 598 src=10.9.0.1 dst=10.9.0.2 packets=1 bytes=34 [UNREPLIED] src=10.9.0.2 "
            "dst=10.9.0.1 packets=0 bytes=0 mark=0 use=1\n");
}

TEST(ConntrackList, UdpLiteAndDccpHavePorts) {
  ConnectionInfo lite = with_ports(Protocol::udplite, "10.9.0.1", 38066, "10.9.0.2", 5353);
  lite.counters[0] = {1, 29};
  EXPECT_EQ(listed(lite, at(2)),
            "udplite  136 28 src=10.9.0.1 dst=10.9.0.2 sport=38066 dport=5353 packets=1 bytes=29 "
            "[UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=5353 dport=38066 packets=0 bytes=0 mark=0 "
            "use=1\n");
  ConnectionInfo dccp = with_ports(Protocol::dccp, "10.9.0.1", 0, "10.9.0.2", 0);
  dccp.counters[0] = {1, 76};
  dccp.expires = at(600);
  EXPECT_EQ(listed(dccp, at(2)),
            "dccp     33 598 src=10.9.0.1 dst=10.9.0.2 sport=0 dport=0 packets=1 bytes=76 "
            "[UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=0 dport=0 packets=0 bytes=0 mark=0 "
            "use=1\n");
}

TEST(ConntrackList, MarkIsPrintedInDecimalAndSctpHasAState) {
  ConnectionInfo info = with_ports(Protocol::sctp, "10.0.0.1", 1, "10.0.0.2", 2);
  info.state = static_cast<std::uint8_t>(SctpState::cookie_wait);
  info.mark = 77;
  EXPECT_EQ(listed(info, at(0)),
            "sctp     132 30 COOKIE_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 packets=0 "
            "bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 packets=0 bytes=0 "
            "mark=77 use=1\n");
}

TEST(ConntrackEvents, NewAndUpdatedShowNoCounters) {
  ConnectionInfo info = with_ports(Protocol::tcp, "10.9.0.1", 53636, "10.9.0.2", 8080);
  info.state = static_cast<std::uint8_t>(TcpState::syn_sent);
  info.expires = at(120);
  EXPECT_EQ(told(EventKind::created, DestroyCause::none, at(0), info),
            "    [NEW] tcp      6 120 SYN_SENT src=10.9.0.1 dst=10.9.0.2 sport=53636 dport=8080 "
            "[UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=8080 dport=53636\n");
  info.state = static_cast<std::uint8_t>(TcpState::established);
  info.seen_reply = info.assured = true;
  info.expires = at(432'000);
  EXPECT_EQ(told(EventKind::updated, DestroyCause::none, at(0), info),
            " [UPDATE] tcp      6 432000 ESTABLISHED src=10.9.0.1 dst=10.9.0.2 sport=53636 "
            "dport=8080 src=10.9.0.2 dst=10.9.0.1 sport=8080 dport=53636 [ASSURED]\n");
}

TEST(ConntrackEvents, ExpiredShowsCountersAndNoTimeout) {
  ConnectionInfo info = with_ports(Protocol::udp, "10.9.0.1", 45108, "10.9.0.2", 5354);
  info.counters[0] = {1, 29};
  info.mark = 77;
  EXPECT_EQ(told(EventKind::destroyed, DestroyCause::expired, at(30), info),
            "[DESTROY] udp      17 src=10.9.0.1 dst=10.9.0.2 sport=45108 dport=5354 packets=1 "
            "bytes=29 [UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=5354 dport=45108 packets=0 "
            "bytes=0 mark=77\n");
}

TEST(ConntrackEvents, DestroyedBeforeItsTimeShowsWhatWasLeft) {
  ConnectionInfo info = with_ports(Protocol::tcp, "10.9.0.1", 35854, "10.9.0.2", 8080);
  info.state = static_cast<std::uint8_t>(TcpState::close);
  info.counters = {{{1, 60}, {1, 40}}};
  info.expires = at(2);
  EXPECT_EQ(told(EventKind::destroyed, DestroyCause::replaced, at(0), info),
            "[DESTROY] tcp      6 2 CLOSE src=10.9.0.1 dst=10.9.0.2 sport=35854 dport=8080 "
            "packets=1 bytes=60 [UNREPLIED] src=10.9.0.2 dst=10.9.0.1 sport=8080 dport=35854 "
            "packets=1 bytes=40\n");
}

TEST(ConntrackEvents, ZoneStandsLast) {
  ConnectionInfo info = with_ports(Protocol::udp, "10.9.0.1", 39804, "10.9.0.9", 5454);
  info.zone = 7;
  EXPECT_EQ(told(EventKind::created, DestroyCause::none, at(0), info),
            "    [NEW] udp      17 30 src=10.9.0.1 dst=10.9.0.9 sport=39804 dport=5454 [UNREPLIED] "
            "src=10.9.0.9 dst=10.9.0.1 sport=5454 dport=39804 zone=7\n");
}

TEST(SecondsLeft, AreNeverRoundedUpNorBelowZero) {
  const ConnectionInfo info = closed_tcp();  // expires at 121
  EXPECT_EQ(seconds_left(info, at(120.001)), 0U);
  EXPECT_EQ(seconds_left(info, at(120)), 1U);
  EXPECT_EQ(seconds_left(info, at(500)), 0U);
}

}  // namespace
}  // namespace uct::cli::testing
