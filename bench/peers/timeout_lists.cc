#include "timeout_lists.h"

namespace uct::peers {

bool TimeoutLists::reserve(std::uint32_t capacity, Tick /*now*/) {
  if (size_ != 0) return false;
  capacity_ = capacity;
  return true;
}

void TimeoutLists::arm(std::uint32_t number, Tick now, Tick deadline) {
  if (number >= nodes_.size()) {
    const std::size_t doubled = std::min<std::size_t>(capacity_, 2 * nodes_.size());
    nodes_.resize(std::max<std::size_t>(number + std::size_t{1}, doubled));
  }
  push_back(number, now, deadline);
}

void TimeoutLists::disarm(std::uint32_t number) {
  if (number < nodes_.size() && nodes_[number].timeout_ms != 0) unlink(number);
}

void TimeoutLists::refresh(std::uint32_t number, Tick now, Tick /*old_deadline*/,
                           Tick new_deadline) {
  if (number >= nodes_.size() || nodes_[number].timeout_ms == 0) return;
  unlink(number);
  push_back(number, now, new_deadline);
}

bool TimeoutLists::next(Tick& when) const {
  bool found = false;
  for (const auto& [timeout_ms, list] : lists_) {
    if (list.head == kNone) continue;
    const Tick head = nodes_[list.head].deadline;
    if (!found || core::earlier(head, when)) when = head;
    found = true;
  }
  return found;
}

std::size_t TimeoutLists::memory_bytes() const {
  constexpr std::size_t kTreeNode = 64;  // what libstdc++ takes for a node of lists_, with its head
  return sizeof(*this) + nodes_.capacity() * sizeof(Node) + lists_.size() * kTreeNode;
}

bool TimeoutLists::shrink() {
  if (size_ != 0) return false;
  std::vector<Node>().swap(nodes_);
  lists_.clear();
  recent_ = {};
  return false;
}

TimeoutLists::Recent& TimeoutLists::recent(std::uint32_t timeout_ms) {
  return recent_[(timeout_ms * 0x9e37'79b9U) >> 28];
}

TimeoutLists::List& TimeoutLists::list_of(std::uint32_t timeout_ms) {
  Recent& entry = recent(timeout_ms);
  if (entry.timeout_ms != timeout_ms) entry = {timeout_ms, &lists_[timeout_ms]};
  return *entry.list;
}

void TimeoutLists::push_back(std::uint32_t number, Tick now, Tick deadline) {
  // A deadline that has passed is due at once, from the list of the shortest timeout.
  if (!core::earlier(now, deadline)) deadline = now;
  const std::uint32_t timeout_ms = std::max(core::distance(now, deadline), 1U);
  List& list = list_of(timeout_ms);
  nodes_[number] = Node{list.tail, kNone, timeout_ms, deadline};
  (list.tail == kNone ? list.head : nodes_[list.tail].next) = number;
  list.tail = number;
  ++size_;
}

void TimeoutLists::unlink(std::uint32_t number) {
  Node& node = nodes_[number];
  List& list = list_of(node.timeout_ms);
  (node.previous == kNone ? list.head : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? list.tail : nodes_[node.next].previous) = node.previous;
  node.timeout_ms = 0;
  --size_;
}

TimeoutLists::Lists::iterator TimeoutLists::drop(Lists::iterator list) {
  Recent& entry = recent(list->first);
  if (entry.timeout_ms == list->first) entry = {};
  return lists_.erase(list);
}

}  // namespace uct::peers
