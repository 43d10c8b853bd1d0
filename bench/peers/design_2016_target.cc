// The rival "2016" as a target of the workloads: one table for all threads.
#include <memory>

#include "bench/peers/design_2016.h"
#include "bench/workloads/target.h"

namespace uct::bench {

namespace {

class Design2016Target final : public Target {
 public:
  explicit Design2016Target(std::uint64_t connections) : design_(connections) {}

  void process(std::span<Packet> burst, const Request& request, Timestamp now,
               std::span<Verdict> verdicts) override {
    design_.process(burst, request, now, verdicts);
  }
  std::uint64_t sweep(Timestamp now) override { return design_.sweep(now); }
  std::uint64_t connection_count() const override { return design_.connection_count(); }

  /// The design has no wish. Both directions go to one thread, as a network card with a symmetric
  /// hash would have it; that hash knows nothing of buckets, so every thread uses all of them.
  unsigned home(const Packet& packet, unsigned threads) const override {
    return design_.hash_of(packet) % threads;
  }

 private:
  peers::design_2016::Design2016 design_;
};

}  // namespace

std::unique_ptr<Target> make_design_2016(std::uint64_t connections) {
  return std::make_unique<Design2016Target>(connections);
}

}  // namespace uct::bench
