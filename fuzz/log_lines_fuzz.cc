// Any text as a line of the logs that the monitor follows.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "index/events.h"
#include "index/transfers.h"
#include "wrapper/difference.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string line(reinterpret_cast<const char*>(data), size);
  BuildEvent event;
  Heartbeat heartbeat;
  Transfer transfer;
  (void)parse_event(line, event);
  (void)parse_heartbeat(line, heartbeat);
  (void)parse_transfer(line, transfer);
  Difference difference = parse_difference(line);
  if (difference.kind != Difference::none && describe(difference) != line) std::abort();
  return 0;
}
