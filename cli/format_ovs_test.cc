#include "cli/format_ovs.h"

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string line(const ConnectionInfo& info, Timestamp now) {
  return text_of([&](Text& out) { append_ovs(out, info, now); });
}

TEST(OvsDump, TcpWithEverything) {
  ConnectionInfo info = closed_tcp();
  info.id = 512;
  info.zone = 5;
  info.mark = 3;
  info.label[14] = 0x0a;
  info.label[15] = 0x01;
  info.tcp[0].window_scale = 7;
  info.tcp[0].window_scale_known = info.tcp[1].window_scale_known = true;
  EXPECT_EQ(line(info, at(2)),
            "tcp,orig=(src=10.9.0.1,dst=10.9.0.2,sport=53636,dport=8080,packets=5,bytes=270),"
            "reply=(src=10.9.0.2,dst=10.9.0.1,sport=8080,dport=53636,packets=5,bytes=269),id=512,"
            "zone=5,status=SEEN_REPLY|ASSURED|CONFIRMED,timeout=119,mark=3,labels=0xa01,"
            "protoinfo=(state_orig=TIME_WAIT,state_reply=TIME_WAIT,wscale_orig=7,wscale_reply=0,"
            "flags_orig=WINDOW_SCALE,flags_reply=WINDOW_SCALE)\n");
}

TEST(OvsDump, ZerosAreLeftOutWhereOpenVSwitchLeavesThemOut) {
  ConnectionInfo info = with_ports(Protocol::tcp, "10.0.0.1", 1, "10.0.0.2", 2);
  info.state = static_cast<std::uint8_t>(TcpState::syn_sent);
  EXPECT_EQ(line(info, at(0)),
            "tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1,dport=2),reply=(src=10.0.0.2,dst=10.0.0.1,"
            "sport=2,dport=1),id=0,status=CONFIRMED,timeout=30,protoinfo=(state_orig=SYN_SENT,"
            "state_reply=SYN_SENT,flags_orig=0,flags_reply=0)\n");
}

TEST(OvsDump, OnlyTcpHasProtocolInformation) {
  EXPECT_EQ(line(with_ports(Protocol::udp, "fd00::1", 1, "fd00::2", 2), at(0)),
            "udp,orig=(src=fd00::1,dst=fd00::2,sport=1,dport=2),reply=(src=fd00::2,dst=fd00::1,"
            "sport=2,dport=1),id=0,status=CONFIRMED,timeout=30\n");
}

TEST(OvsDump, IcmpShowsIdTypeAndCode) {
  EXPECT_EQ(line(echo(Protocol::icmp, "10.0.0.1", "10.0.0.2", 8, 0, 7), at(0)),
            "icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=7,type=8,code=0),reply=(src=10.0.0.2,"
            "dst=10.0.0.1,id=7,type=0,code=0),id=0,status=SEEN_REPLY|CONFIRMED,timeout=30\n");
}

TEST(OvsDump, OtherProtocolsAreNumbersWithPortsOfZero) {
  EXPECT_EQ(line(between_hosts(Protocol::gre, "10.0.0.1", "10.0.0.2"), at(0)),
            "47,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),reply=(src=10.0.0.2,dst=10.0.0.1,"
            "sport=0,dport=0),id=0,status=CONFIRMED,timeout=30\n");
}

TEST(OvsDump, LabelsLoseOnlyTheirLeadingZeros) {
  ConnectionInfo info = with_ports(Protocol::udp, "10.0.0.1", 1, "10.0.0.2", 2);
  info.label[0] = 0x01;
  EXPECT_NE(line(info, at(0)).find(",labels=0x1000000000000000000000000000000\n"),
            std::string::npos);
}

}  // namespace
}  // namespace uct::cli::testing
