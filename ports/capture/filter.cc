#include "ports/capture/filter.h"

#include <pcap/pcap.h>

#include <utility>
#include <vector>

#include "ports/capture/link_type.h"

namespace uct::capture {

namespace {

// What libpcap calls the largest useful snapshot; programs give it for a match, and 0 otherwise.
constexpr int kSnapshotSize = 262'144;

// An expression that is meant for one kind of network, such as "wlan type mgt", fails on others:
// only one that fails on all of these is taken for a mistake.
constexpr int kCommonDlts[] = {DLT_EN10MB, DLT_RAW,    DLT_LINUX_SLL,  DLT_LINUX_SLL2,
                               DLT_NULL,   DLT_PPP,    DLT_IEEE802_11, DLT_IEEE802_11_RADIO,
                               DLT_PFLOG,  DLT_SUNATM, DLT_MTP2};

// A compiled expression, or why it does not compile.
class Program {
 public:
  Program(const std::string& expression, int dlt) {
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(pcap_open_dead(dlt, kSnapshotSize),
                                                            pcap_close);
    if (!handle) {
      error_ = "out of memory";
    } else if (pcap_compile(handle.get(), &code_, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) !=
               0) {
      error_ = pcap_geterr(handle.get());
    }
  }
  Program(Program&& other) noexcept
      : code_(std::exchange(other.code_, {})), error_(std::move(other.error_)) {}
  Program& operator=(Program&&) = delete;
  ~Program() { pcap_freecode(&code_); }

  const std::string& error() const { return error_; }

  bool matches(const Frame& frame) const {
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(frame.bytes.size());
    header.len = frame.wire_size;
    return pcap_offline_filter(&code_, &header,
                               reinterpret_cast<const u_char*>(frame.bytes.data())) != 0;
  }

 private:
  bpf_program code_{};
  std::string error_;
};

// Gives what tcpdump calls the link type, or its number.
std::string name_of(std::uint32_t linktype) {
  const char* name = pcap_datalink_val_to_name(dlt_of(linktype));
  return name != nullptr ? name : std::to_string(linktype);
}

}  // namespace

struct Filter::Implementation {
  struct Entry {
    std::uint32_t linktype;
    Program program;
  };

  explicit Implementation(std::string text) : expression(std::move(text)) {}

  const Program& program_for(std::uint32_t linktype) {
    if (latest < entries.size() && entries[latest].linktype == linktype) {
      return entries[latest].program;
    }
    for (latest = 0; latest < entries.size(); ++latest) {
      if (entries[latest].linktype == linktype) return entries[latest].program;
    }
    entries.push_back({linktype, Program(expression, dlt_of(linktype))});
    const Program& made = entries.back().program;
    if (!made.error().empty() && !error) {
      error = "frames of link type " + name_of(linktype) + " cannot be filtered by \"" +
              expression + "\": " + made.error();
    }
    return made;
  }

  std::string expression;
  std::vector<Entry> entries;  ///< one for each link type met
  std::size_t latest = 0;      ///< where the link type of the frame before is: most often the same
  std::optional<std::string> error;
};

Filter::Filter(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Outcome<Filter> Filter::compile(const std::string& expression) {
  std::string first_error;
  for (const int dlt : kCommonDlts) {
    const Program program(expression, dlt);
    if (program.error().empty()) return Filter(std::make_unique<Implementation>(expression));
    if (first_error.empty()) first_error = program.error();
  }
  return "\"" + expression + "\" is no capture filter: " + first_error;
}

bool Filter::matches(const Frame& frame) {
  const Program& program = implementation_->program_for(frame.dlt);
  return program.error().empty() && program.matches(frame);
}

const std::optional<std::string>& Filter::error() const { return implementation_->error; }

}  // namespace uct::capture
