// Links against the installed background sweep; built by tests/install/run.sh.
#include <uct/sweeper.h>

int main() {
  const uct::Timestamp first = uct::steady_now();
  return first <= uct::steady_now() ? 0 : 1;
}
