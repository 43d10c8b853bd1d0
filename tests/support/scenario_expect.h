/// Puts what the tracker did in the words of the scenario language.
///
/// Each function answers the words that a statement expects with the words that are true, in the
/// same order: equal lists mean that the expectation holds, and the true ones replace the others
/// when a file is brought up to date.
/// Threads   none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <uct/tracker.h>

#include "tests/support/scenario.h"

namespace uct::scenario {

using Texts = std::vector<std::string>;

/// Gives     "est|rpl", "inv tcp_state", "new zone_full", with the values that `expected` asks for.
Texts true_words(const Verdict& verdict, const Texts& expected);

/// What the words of a connection need besides the connection itself.
struct ConnectionContext {
  const Scenario* scenario = nullptr;
  Timestamp now{};
};

/// Gives     "ESTABLISHED timeout 30s packets 2/1", with the values that `expected` asks for.
Texts true_words(const ConnectionInfo& info, const ConnectionContext& context,
                 const Texts& expected);

Texts true_words(const SweepResult& result, const Texts& expected);
Texts true_words(const Stats& stats, const Texts& expected);
Texts true_words(const ProtocolStats& stats, const Texts& expected);
Texts true_words(std::optional<std::uint32_t> limit, std::uint32_t count, const Texts& expected);

/// Gives     one line of "expect dump".
std::string dump_line(const ConnectionInfo& info, const Scenario& scenario);

/// Gives     "0x2a"; without leading zeros.
std::string hexadecimal(std::uint64_t value);
std::string hexadecimal(const Label& label);
Label parse_label(std::string_view text);

/// Gives     `expected` with numbers and times in the spelling that the functions above use.
Texts canonical(const Texts& expected);

std::string join(const Texts& words, std::string_view separator);

}  // namespace uct::scenario
