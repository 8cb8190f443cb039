// Any text as a line of the logs that the monitor follows.
#include <cstdint>
#include <string>

#include "index/events.h"
#include "index/transfers.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string line(reinterpret_cast<const char*>(data), size);
  BuildEvent event;
  Heartbeat heartbeat;
  Transfer transfer;
  (void)parse_event(line, event);
  (void)parse_heartbeat(line, heartbeat);
  (void)parse_transfer(line, transfer);
  return 0;
}
